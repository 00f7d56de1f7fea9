"""A decision made again, from what stands in it."""

from __future__ import annotations

from acd.dialer.pacing.model import Decision, Reason


def replay(decision: Decision) -> int:
    """Decide again, from what stands in the decision alone; gives its `dials`.

    One that had a forecast loads the compiled part, if it is not loaded (`loading`).
    """
    d = decision
    if d.reason is Reason.NO_AGENTS:
        return 0
    most = min((max(limit.most, 0) for limit in d.limits), default=None)
    floor = d.floor
    one_each = max(floor.free - floor.waiting - floor.callers - d.in_flight - d.judging, 0)
    if most is not None:
        one_each = min(one_each, most)
    if not d.fresh:
        return one_each
    from acd.dialer.pacing.engine import chosen_again

    return max(chosen_again(d, most), one_each)
