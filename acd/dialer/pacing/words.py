"""A decision of the pacer in words."""

from __future__ import annotations

from typing import Final

from acd.dialer.pacing.model import Decision, Reason

_LIMITS: Final = {
    "list-empty": "no record is at hand",
    "calls": "as many calls are on as the campaign may have",
    "calls-per-second": "as many a second as the campaign may begin",
    "waiting-for-click": "each waits for a person's click",
    "trunk-failing": "the trunk fails",
    "trunk-down": "the trunk is down",
    "trunk-full": "the trunk takes no more calls",
    "trunk-unknown": "there is no such trunk",
    "trunk-not-allowed": "no trunk may be used for that",
    "no-route": "no way leads to the next numbers",
    "numbers-blocked": "the next numbers are blocked",
}
"""What bounds it besides the pacer, by its code."""


def why(decision: Decision) -> str:
    """One or two sentences for a supervisor."""
    d = decision
    people = [_counted(d.floor.free, "agent free", "agents free")]
    if d.floor.wrapping:
        people.append(f"{len(d.floor.wrapping)} in wrap-up")
    if d.floor.talking:
        people.append(f"{len(d.floor.talking)} talking")
    if d.floor.waiting:
        people.append(_counted(d.floor.waiting, "person waits", "people wait"))
    people.append(f"{d.in_flight} ringing")
    return f"{_counted(d.dials, 'dial', 'dials')}: {_because(d)} ({', '.join(people)})."


def _because(d: Decision) -> str:
    match d.reason:
        case Reason.LEARNING:
            return f"one for each free agent until enough talks are known ({d.talks:.0f} so far)"
        case Reason.PROGRESSIVE:
            return "one for each free agent"
        case Reason.FORECAST:
            return (
                f"one more, once answered, would find no agent with {100 * d.next_risk:.1f} %, "
                f"and {100 * d.threshold:.1f} % is the most now; {d.answer_rate:.0%} of those that "
                f"ring answer, {d.allowance:.1f} more calls may be abandoned"
            )
        case Reason.FREE_AGENTS:
            return (
                "each free agent has one; more would break the abandon cap "
                f"({d.allowance:.1f} calls are left of it)"
            )
        case Reason.LIMIT:
            return _LIMITS.get(d.limit, f"{d.limit} allows no more")
        case Reason.NO_AGENTS:
            return "no agent is there"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
