"""Words about campaigns at the agent's desk: English and Chinese."""

from __future__ import annotations

from typing import Final

OUTBOUND_WORDS: Final[dict[str, tuple[str, str]]] = {
    # --- the agent's state while a record is before it ---
    "state.preview": ("Preview", "预览中"),
    "state.calling-agent": ("Your phone", "呼叫您的话机"),
    "state.dialling": ("Dialling", "拨号中"),
    "state.customer-rings": ("Customer rings", "客户振铃"),
    "state.outbound": ("Outbound", "外呼通话"),
    # --- keys ---
    "key.consent": ("Dial now", "立即拨打"),
    "key.skip": ("Skip", "跳过"),
    "key.take": ("Next record", "取下一条"),
    "key.click": ("Click to dial", "点击拨号"),
    "key.later": ("Call back", "预约回拨"),
    "key.script": ("Script", "话术"),
    "help.consent": (
        "Dial the record you read; your own phone is called first",
        "拨打当前预览的记录;先接通您的话机",
    ),
    "help.skip": ("Give the record back, with a reason", "退回该记录,并选择原因"),
    "help.take": (
        "Take the next record of a campaign that you dial by hand",
        "从手动外呼活动中取下一条记录",
    ),
    "help.click": (
        "Let a campaign dial that needs a person's click; who clicked is kept",
        "为需要人工点击的活动发起拨号;系统会记录点击人",
    ),
    "help.later": (
        "Arrange a call-back, in the customer's local time",
        "按客户当地时间预约回拨",
    ),
    "help.script": ("What to say, on the whole screen", "全屏查看话术"),
    # --- the card of a record ---
    "outbound.preview_keys": (
        "{dial} or Enter dials, {skip} skips",
        "按 {dial} 或回车拨打,{skip} 跳过",
    ),
    "outbound.click_keys": (
        "{dial} or Enter dials: your click is kept, {skip} skips",
        "按 {dial} 或回车拨打(将记录您的点击),{skip} 跳过",
    ),
    "outbound.then_dials": ("then it is dialled", "到时自动拨打"),
    "outbound.then_back": ("then it goes back", "到时退回"),
    "outbound.no_limit": ("take your time", "不限时"),
    "outbound.calling_agent": ("Take your phone …", "请接听您的话机……"),
    "outbound.dialling": ("Dialling {number} …", "正在拨打 {number}……"),
    "outbound.ringing": ("It rings at the customer …", "客户振铃中……"),
    "outbound.attempt": ("attempt {number}", "第 {number} 次拨打"),
    "outbound.promised": ("Promised", "约定回拨"),
    "outbound.promised_by": ("{time}, by {agent}", "{time},由 {agent} 约定"),
    "outbound.recent": ("Called before", "此前拨打"),
    "outbound.there": ("{time} there", "当地 {time}"),
    "outbound.why": ("Allowed", "可拨依据"),
    "outbound.facts": ("List", "名单信息"),
    "outbound.campaign": ("Campaign", "外呼活动"),
    # --- windows ---
    "outbound.script_title": ("Script", "话术"),
    "outbound.script_hint": ("Esc closes", "Esc 关闭"),
    "outbound.which_campaign": ("Of which campaign?", "选择外呼活动"),
    "outbound.ahead": ("{count} at hand", "待拨 {count} 条"),
    "outbound.why_skip": ("Why skip it?", "跳过原因"),
    "skip.not-now": ("Not a good moment", "时机不合适"),
    "skip.spoken-to": ("Was spoken to already", "已联系过"),
    "skip.wrong-data": ("The record is wrong", "记录有误"),
    "skip.somebody-else": ("Somebody else should call", "应由他人联系"),
    "skip.other": ("Another reason", "其他原因"),
    "later.title": ("Call {who} back", "预约回拨 {who}"),
    "later.day": ("Day there (11-24, +1, empty: today)", "日期(11-24、+1,留空为今天)"),
    "later.time": ("Time there (14:30)", "当地时间(14:30)"),
    "later.mine": ("I call", "由我回拨"),
    "later.there": ("It is {time} there now ({zone})", "当地现在 {time}({zone})"),
    "later.means": ("{there} there is {here} here", "当地 {there} = 本地 {here}"),
    "later.hint": ("Enter goes on, Ctrl+S arranges, Esc closes", "回车下一项,Ctrl+S 确定,Esc 关闭"),
    "later.wrong_day": (
        "A day is written 2026-11-24, 11-24 or +1.",
        "日期请写作 2026-11-24、11-24 或 +1。",
    ),
    "later.wrong_time": ("A time is written 14:30.", "时间请写作 14:30。"),
    "later.no_such_time": (
        "The clocks go forward there in that hour: there is no such time.",
        "当地该时刻因夏令时不存在。",
    ),
    "later.past": ("That is past already, there.", "该时间在当地已过。"),
    "later.too_far": ("That is more than a year ahead.", "不能超过一年。"),
    # --- notices ---
    "notice.preview_over": ("{who}: the record went back, {reason}", "{who}:记录已退回,{reason}"),
    "notice.not_reached": ("{who}: {outcome}", "{who}:{outcome}"),
    "notice.later": ("{who} is called back at {time} there", "{who}:已预约当地 {time} 回拨"),
    "notice.clicked": (
        "{campaign}: one is dialled by your click",
        "{campaign}:已按您的点击拨出一个",
    ),
    "notice.skipped": ("{who}: skipped", "{who}:已跳过"),
    # --- why a record went back ---
    "back.not-dialled": ("the time to read is over", "预览时间已到"),
    "back.paused": ("its campaign was paused", "活动已暂停"),
    "back.finished": ("its campaign is over", "活动已结束"),
    "back.forbidden": ("the number is not to be called any more", "号码已列入禁拨名单"),
    "back.claim-lapsed": ("it was held too long", "占用时间过长"),
    "back.outside-window": ("it is too late to call there", "当地已不在可拨时段"),
    "back.stopping": ("nobody is called any more", "已停止外呼"),
    # --- outcomes of attempts ---
    "outcome.connected": ("talked", "已通话"),
    "outcome.abandoned": ("abandoned: no agent in time", "弃呼:无座席接听"),
    "outcome.opted-out": ("wants no more calls", "要求不再拨打"),
    "outcome.hung-up": ("hung up at once", "接听后即挂断"),
    "outcome.announced": ("heard the announcement", "已听通知"),
    "outcome.machine": ("answering machine", "语音信箱"),
    "outcome.message-left": ("message left", "已留言"),
    "outcome.fax": ("fax", "传真"),
    "outcome.no-answer": ("nobody answered", "无人接听"),
    "outcome.busy": ("busy", "忙线"),
    "outcome.rejected": ("the call was declined", "对方拒接"),
    "outcome.invalid-number": ("there is no such number", "空号"),
    "outcome.congested": ("the network was full", "线路拥塞"),
    "outcome.agent-gone": ("your phone did not answer", "您的话机未接通"),
    "outcome.cancelled": ("given up", "已取消"),
}
