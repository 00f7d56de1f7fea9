"""Words about parked calls, pick-up, and whether a caller's number is its own: English and Chinese."""

from __future__ import annotations

from typing import Final

PARK_WORDS: Final[dict[str, tuple[str, str]]] = {
    "key.park": ("Park", "驻留"),
    "key.parked": ("Fetch", "代答"),
    "help.park": (
        "Let the customer wait in a numbered place, for anybody to fetch",
        "将客户驻留到一个号位,任何人均可取回",
    ),
    "help.parked": (
        "Fetch a parked call, or pick up what rings at a colleague",
        "取回驻留的通话,或代答同事的来电",
    ),
    "stage.parked": ("parked", "驻留"),
    "park.title": ("Fetch or pick up", "取回或代答"),
    "park.line": ("{slot}  {caller}", "{slot}  {caller}"),
    "park.detail": ("{time}, parked by {by}", "{time},由 {by} 驻留"),
    "park.fetching": ("{number} is fetching it", "{number} 正在取回"),
    "park.recalling": ("{number} is being called back", "正在回呼 {number}"),
    "park.group": ("What rings at a colleague", "代答同组来电"),
    "park.number": ("What rings at a certain number …", "代答指定号码……"),
    "park.whose": ("Where does it ring?", "哪个号码在响铃?"),
    "park.count": ("{count} parked", "{count} 驻留"),
    "park.rings_fetching": ("Ringing: {key} takes the parked call", "振铃:按 {key} 接听驻留的通话"),
    "park.rings_recalling": (
        "Ringing: {key} takes your parked call back",
        "振铃:按 {key} 取回您驻留的通话",
    ),
    "park.rings_external": (
        "Answer on your phone: the parked call",
        "请在话机上接听驻留的通话",
    ),
    "notice.not_fetched": (
        "Your phone did not take the call: {caller} still waits in {slot}",
        "您的话机未接听:{caller} 仍在 {slot} 等待",
    ),
    "notice.parked": (
        "Parked in {slot}: dial {slot} to fetch it",
        "已驻留到 {slot},拨 {slot} 取回",
    ),
    "notice.fetched": ("{number} has your parked call", "{number} 已取走您驻留的通话"),
    "notice.passed_on": (
        "Nobody fetched your parked call; it was passed on",
        "您驻留的通话无人取回,已转出",
    ),
    "notice.parked_gone": (
        "{caller}, whom you parked in {slot}, has hung up",
        "您驻留于 {slot} 的 {caller} 已挂断",
    ),
    "why.ring-back": ("you parked it, and nobody fetched it", "您驻留的通话无人取回"),
    "why.fetched": ("you fetch it", "由您取回"),
    "why.picked-up": ("you picked it up", "由您代答"),
    "why.transfer": ("transferred to you", "转接给您"),
    "why.consultation": ("a colleague asks you", "同事向您咨询"),
    "tick.parked": ("{caller} is parked in {slot}", "{caller} 驻留于 {slot}"),
    "tick.recalling": ("{slot}: {number} is called back", "{slot}:回呼 {number}"),
    "tick.fetched": ("{number} fetched {caller} from {slot}", "{number} 从 {slot} 取回 {caller}"),
    "tick.passed_on": ("{caller} leaves {slot}: nobody came", "{caller} 离开 {slot}:无人取回"),
    "tick.parked_gone": (
        "{caller}, parked in {slot}, has hung up",
        "驻留于 {slot} 的 {caller} 已挂断",
    ),
    "verstat.TN-Validation-Passed": ("✓ number verified", "✓ 号码已验证"),
    "verstat.TN-Validation-Failed": ("✗ number may be forged", "✗ 号码可能伪造"),
    "verstat.No-TN-Validation": ("number not verified", "号码未验证"),
}
