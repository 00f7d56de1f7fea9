"""Between the forecast's arrays and the tuples of a decision; and the replay of one."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from acd.dialer.pacing import rule
from acd.dialer.pacing.forecast import (
    DEMAND,
    DEMAND_VARIANCE,
    FRESH,
    ROWS,
    STEPS,
    SUPPLY,
    SUPPLY_VARIANCE,
    WIDTH,
)
from acd.dialer.pacing.model import Decision, Reason

Table = np.ndarray[Any, np.dtype[np.float64]]

REASONS: Final = {
    rule.LEARNING: Reason.LEARNING,
    rule.FORECAST: Reason.FORECAST,
    rule.FREE_AGENTS: Reason.FREE_AGENTS,
    rule.LIMIT: Reason.LIMIT,
    rule.NO_AGENTS: Reason.NO_AGENTS,
}


def supply_of(table: Table, last: int) -> tuple[tuple[float, float], ...]:
    """Mean and variance of agents who become free, of the seconds 0 to `last`."""
    return _pairs(table, SUPPLY, SUPPLY_VARIANCE, last)


def demand_of(table: Table, last: int) -> tuple[tuple[float, float], ...]:
    """Mean and variance of people who need an agent, of the seconds 0 to `last`."""
    return _pairs(table, DEMAND, DEMAND_VARIANCE, last)


def fresh_of(table: Table, last: int) -> tuple[float, ...]:
    """When a dial made now needs an agent: probabilities of the seconds 0 to `last`."""
    return tuple(table[FRESH, : last + 1].tolist())


def replay(decision: Decision) -> int:
    """Decide again, from what stands in the decision alone; gives its `dials`."""
    d = decision
    most = min((max(limit.most, 0) for limit in d.limits), default=1 << 30)
    if d.reason is Reason.NO_AGENTS:
        return 0
    floor = d.floor
    one_each = max(floor.free - floor.waiting - floor.callers - d.in_flight - d.judging, 0)
    if not d.fresh:
        return min(one_each, most)
    table = np.zeros((ROWS, STEPS))
    table[[SUPPLY, SUPPLY_VARIANCE], : len(d.supply)] = np.array(d.supply).T
    table[[DEMAND, DEMAND_VARIANCE], : len(d.demand)] = np.array(d.demand).T
    table[FRESH, : len(d.fresh)] = d.fresh
    agents = floor.free + len(floor.talking) + len(floor.wrapping)
    chosen = rule.choose_again(
        d.start,
        d.scale,
        d.slack,
        len(d.fresh) - 1,
        min(most, rule.MOST_PER_AGENT * agents),
        d.threshold,
        table,
        np.zeros((2, WIDTH)),
        np.zeros(rule.OUT_SIZE),
    )
    return max(chosen, min(one_each, most))


def _pairs(table: Table, mean: int, variance: int, last: int) -> tuple[tuple[float, float], ...]:
    return tuple(
        zip(table[mean, : last + 1].tolist(), table[variance, : last + 1].tolist(), strict=True)
    )
