"""Why a campaign does not dial (more): short words for the codes of the server, English and Chinese.

In English the server's own sentence is shown, which has figures and says what to do.
"""

from __future__ import annotations

from typing import Final

BLOCKER_WORDS: Final[dict[str, tuple[str, str]]] = {
    # --- the dialer ---
    "blocker.unusable": ("the configuration has no room for it", "当前配置无法使用该活动"),
    "blocker.not-running": ("the campaign does not run", "活动未运行"),
    "blocker.before-begin": ("it begins later", "尚未到开始时间"),
    "blocker.not-begun": ("it begins later", "尚未到开始时间"),
    "blocker.after-end": ("its last day is over", "已过截止时间"),
    "blocker.stopping": ("the server is stopping", "服务器正在停止"),
    "blocker.gateway-away": ("the media gateway is down", "媒体网关不可用"),
    "blocker.store-away": ("the database does not answer", "数据库无响应"),
    "blocker.no-agents": ("nobody of its queue is signed on", "队列无座席签入"),
    "blocker.no-agent-free": ("no agent is free", "无空闲座席"),
    "blocker.no-desk": ("the free agents have no desk to read at", "空闲座席未打开座席端"),
    "blocker.manual": ("agents take records by hand", "由座席手动取记录"),
    "blocker.inbound-reserve": ("the free agents are left to callers", "空闲座席为呼入预留"),
    "blocker.agents-shared": ("the free agents dial for other campaigns", "空闲座席归其他活动"),
    "blocker.generic-message": (
        "the message for abandoned calls does not say who called",
        "弃呼提示未说明来电方",
    ),
    "blocker.night-window": ("people may be called at night", "夜间也允许拨打"),
    "blocker.abandon-cap": ("the abandon cap holds it back", "受弃呼上限限制"),
    "blocker.learning": ("it learns: one dial for each agent", "学习中:按空闲座席一比一拨号"),
    "blocker.waiting-for-click": ("each dial waits for a click", "等待人工点击"),
    "blocker.calls": ("as many calls as allowed are on", "已达并发上限"),
    "blocker.calls-per-second": ("as many dials a second as allowed", "已达每秒拨号上限"),
    "blocker.trunk-failing": ("the trunk fails", "线路故障"),
    "blocker.trunk-down": ("the trunk is down", "线路中断"),
    "blocker.trunk-full": ("all lines of the trunk are in use", "线路已满"),
    "blocker.trunk-unknown": ("there is no such trunk", "线路不存在"),
    "blocker.trunk-not-allowed": ("campaigns may not use this trunk", "活动无权使用该线路"),
    "blocker.no-route": ("no way leads to the next numbers", "无可用路由"),
    "blocker.numbers-blocked": ("the next numbers are blocked", "号码被禁拨"),
    "blocker.settings": ("its settings do not fit", "设置与当前配置不符"),
    "blocker.list-empty": ("no record is at hand", "暂无可拨记录"),
    # --- the list ---
    "blocker.reached": ("were reached", "已接触"),
    "blocker.final": ("closed by what an agent chose", "座席已结案"),
    "blocker.exhausted": ("out of attempts", "次数已用完"),
    "blocker.ended": ("not tried again after their last outcome", "按结果不再拨打"),
    "blocker.no-number": ("have no usable number", "无有效号码"),
    "blocker.do-not-call": ("on a do-not-call list", "在禁拨名单中"),
    "blocker.opted-out": ("asked not to be called", "已退订"),
    "blocker.quota": ("of a kind of which enough were reached", "该类配额已满"),
    "blocker.quota-full": ("quotas are full", "配额已满"),
    "blocker.quota-column": (
        "a quota counts nobody: the list has no such column",
        "配额列在名单中不存在",
    ),
    "blocker.claimed": ("with the dialer: dialled next, or in a call", "拨号器处理中"),
    "blocker.retry": ("wait for their next attempt", "等待重拨"),
    "blocker.call-back": ("asked to be called later", "已约定稍后回拨"),
    "blocker.cap": ("were dialled as often as allowed", "已达拨打次数上限"),
    "blocker.number-cap": ("were dialled as often as allowed", "号码已达拨打次数上限"),
    "blocker.mine": ("wait for one agent alone", "等待指定座席"),
    "blocker.no-window": ("are never inside a window", "始终不在可拨时段"),
    "blocker.outside-window": ("are outside the hours of their place", "当地不在可拨时段"),
}
