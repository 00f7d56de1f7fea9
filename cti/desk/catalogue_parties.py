"""Words about transfer, conference and supervision: English and Chinese."""

from __future__ import annotations

from typing import Final

PARTY_WORDS: Final[dict[str, tuple[str, str]]] = {
    "key.consult": ("Transfer", "转接"),
    "key.consult_step": ("Consulting", "咨询中"),
    "key.supervise": ("Listen in", "监听"),
    "help.consult": (
        "Consult somebody, transfer, or make a conference",
        "咨询他人、转接或三方会议",
    ),
    "help.consult_step": (
        "Hand over, make a conference, go to and fro, or come back",
        "完成转接、组成会议、切换或返回客户",
    ),
    "help.supervise": (
        "Listen to a call, whisper, barge in, take over",
        "监听、耳语、强插或接管通话",
    ),
    "target.title": ("To whom?", "转给谁?"),
    "target.placeholder": ("Number, name or queue", "号码、姓名或队列"),
    "target.hint": (
        "Enter: the first, ↓: the list, Esc closes",
        "回车:第一项,↓:列表,Esc 关闭",
    ),
    "target.queue": ("queue: {waiting} wait, {free} free", "队列:{waiting} 等待,{free} 空闲"),
    "target.how": ("How?", "方式"),
    "target.consult": ("Talk to them first", "先咨询"),
    "target.transfer": ("Transfer at once", "立即转接"),
    "target.end": ("To the end of the queue", "排到队尾"),
    "target.head": ("To the head of the queue", "排到队首"),
    "step.title": ("The consultation", "咨询"),
    "step.complete": ("Hand the customer over", "把客户转给对方"),
    "step.join": ("All together", "三方会议"),
    "step.toggle": ("Go to and fro", "在两方之间切换"),
    "step.cancel": ("Back to the customer", "返回客户"),
    "step.remove": ("{number} leaves", "请 {number} 离开"),
    "party.calling": ("calling {who} …", "正在呼叫 {who}……"),
    "party.ringing": ("{who} rings …", "{who} 振铃中……"),
    "party.talking": (
        "you talk to {who}; the customer hears music",
        "您在与 {who} 通话;客户听音乐",
    ),
    "party.held": ("{who} hears music", "{who} 听音乐"),
    "party.joined": ("with {who}", "与 {who} 一起"),
    "notice.party_failed": ("{who} could not be reached: {reason}", "无法接通 {who}:{reason}"),
    "notice.party_left": ("{who} is gone", "{who} 已离开"),
    "notice.transferred": ("Transferred to {who}", "已转给 {who}"),
    "attends.monitor": ("{by} listens", "{by} 正在监听"),
    "attends.whisper": ("{by} whispers", "{by} 正在耳语"),
    "attends.barge": ("{by} talks to both", "{by} 已强插"),
    "attends.taken_over": ("{by} has taken the call over", "{by} 已接管通话"),
    "supervise.whom": ("Which call?", "哪个通话?"),
    "supervise.nobody": ("Nobody talks at the moment.", "当前无人通话。"),
    "supervise.how": ("In which role?", "以何种方式?"),
    "supervise.phone": ("The number of your phone", "您的话机号码"),
    "supervise.monitor": ("Listen", "监听"),
    "supervise.whisper": ("Whisper to the agent", "对座席耳语"),
    "supervise.barge": ("Talk to both", "强插"),
    "supervise.take-over": ("Take the call over", "接管通话"),
    "supervise.stop": ("Leave", "退出"),
    "supervise.now": ("what you do now", "当前方式"),
}
