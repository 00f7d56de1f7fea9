"""Words of keys: those in the bar, and what the help says of them, in English and Chinese."""

from __future__ import annotations

from typing import Final

KEY_WORDS: Final[dict[str, tuple[str, str]]] = {
    # --- keys: the bar at the bottom ---
    "key.help": ("Help", "帮助"),
    "key.ready": ("Available", "置闲"),
    "key.not_ready": ("Not ready", "示忙"),
    "key.dial": ("Dial", "拨号"),
    "key.find": ("Find", "查找"),
    "key.answer": ("Answer", "接听"),
    "key.hold": ("Hold", "保持"),
    "key.resume": ("Resume", "取回"),
    "key.mute": ("Mute", "静音"),
    "key.unmute": ("Unmute", "取消静音"),
    "key.hang_up": ("Hang up", "挂断"),
    "key.refuse": ("Refuse", "拒接"),
    "key.digits": ("Digits", "按键"),
    "key.disposition": ("Outcome", "结果"),
    "key.customer": ("Customer", "客户"),
    "key.save_note": ("Save", "保存"),
    "key.finish": ("Finish", "完成"),
    "key.extend": ("More time", "延长"),
    "key.restart_phone": ("Restart phone", "重启话机"),
    "key.quit": ("Quit", "退出"),
    "key.leave_board": ("Quit", "退出"),
    "key.close": ("Close", "关闭"),
    # --- what each key does: help screen and tooltips ---
    "help.help": ("Show this page", "显示本页"),
    "help.ready": ("Take contacts from the queues", "开始接听队列来电"),
    "help.not_ready": ("Pause, with a reason", "暂停接听,并选择原因"),
    "help.dial": (
        "Call a number; your own phone is connected first",
        "外呼号码;先接通您的话机",
    ),
    "help.find": (
        "Look a customer up by name or number, with history; from there call",
        "按姓名或号码查找客户及其联系记录,并可拨打",
    ),
    "help.answer": ("Answer the ringing contact", "接听来电"),
    "help.hold": ("Let the customer hear music", "客户听等待音乐"),
    "help.resume": ("Talk to the customer again", "恢复与客户通话"),
    "help.mute": ("The customer does not hear you", "客户听不到您的声音"),
    "help.unmute": ("The customer hears you again", "客户重新听到您的声音"),
    "help.hang_up": ("End the call", "结束通话"),
    "help.refuse": ("Let the contact go to someone else", "转给其他座席"),
    "help.digits": ("Send keys to the far end", "向对方发送按键"),
    "help.disposition": ("Choose how the contact ended", "选择本次联系的结果"),
    "help.customer": ("Pick or create the customer", "选择或新建客户"),
    "help.save_note": ("Save the note now", "立即保存备注"),
    "help.finish": ("End the wrap-up and take contacts", "结束话后处理并置闲"),
    "help.extend": ("Stop the wrap-up countdown", "停止话后倒计时"),
    "help.restart_phone": ("Start the phone again", "重新启动话机"),
    "help.quit": ("Leave the desk", "退出座席端"),
    "help.leave_board": ("Close the wallboard", "关闭看板"),
    "help.close": ("Close this window", "关闭窗口"),
    "help.scroll": ("↑ ↓ for more, Esc closes", "↑ ↓ 滚动,Esc 关闭"),
    "help.title": ("Keys", "按键说明"),
    "help.more": (
        "Notes are saved by themselves when a contact ends. Keys that make no sense at the moment "
        "are hidden at the bottom of the screen.",
        "联系结束时备注会自动保存。当前不可用的按键不会显示在屏幕底部。",
    ),
    "help.more_board": (
        "The wallboard only shows, but for what these keys do. Waits turn amber past the queue's "
        "threshold and red past three times as much.",
        "除上述按键外,看板仅供查看。等待超过队列阈值显示为琥珀色,超过三倍显示为红色。",
    ),
}
