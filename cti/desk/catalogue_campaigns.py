"""Words about campaigns on the wallboard: English and Chinese."""

from __future__ import annotations

from typing import Final

CAMPAIGN_WORDS: Final[dict[str, tuple[str, str]]] = {
    "key.campaigns": ("Campaigns", "外呼活动"),
    "help.campaigns": ("How campaigns do, and steer them", "查看并控制外呼活动"),
    "key.start_campaign": ("Start", "启动"),
    "key.pause_campaign": ("Pause", "暂停"),
    "key.change_campaign": ("Change", "修改"),
    "key.why_campaign": ("Why?", "为何不拨?"),
    "key.log_campaign": ("Log", "操作记录"),
    "key.finish_campaign": ("Finish", "结束"),
    "key.campaign_up": ("Up", "上移"),
    "key.campaign_down": ("Down", "下移"),
    "key.leave_campaigns": ("Back", "返回"),
    "help.start_campaign": ("Let it dial; asks first", "开始拨打(需确认)"),
    "help.pause_campaign": (
        "Dial no more for now; calls that run go on; asks first",
        "暂停拨打,进行中的呼叫继续(需确认)",
    ),
    "help.change_campaign": (
        "Change cap, mode, ring time, weight and limits while it runs",
        "在运行中修改弃呼上限、模式、振铃时长、权重和限制",
    ),
    "help.why_campaign": ("Why nothing, or not more, is dialled", "查看未拨打或未多拨的原因"),
    "help.log_campaign": ("Who did what to it, and when", "查看操作人和时间"),
    "help.finish_campaign": (
        "End it: unanswered dials are cancelled; asks first",
        "结束活动,取消未接通的呼叫(需确认)",
    ),
    "help.campaign_up": ("The campaign above", "上一个活动"),
    "help.campaign_down": ("The campaign below", "下一个活动"),
    "help.leave_campaigns": ("Back to the wallboard", "返回看板"),
}
