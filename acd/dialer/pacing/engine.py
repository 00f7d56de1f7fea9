"""The part of a pacer that is compiled code and arrays. Importing this loads numba: see `loading`."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
from acd.dialer.pacing.mind import AGES, SIZE, newborn
from acd.dialer.pacing.model import Decision, Floor, Limit, Reason

NO_LIMIT: Final = 1 << 30
_REASONS: Final = {
    rule.LEARNING: Reason.LEARNING,
    rule.FORECAST: Reason.FORECAST,
    rule.FREE_AGENTS: Reason.FREE_AGENTS,
    rule.LIMIT: Reason.LIMIT,
    rule.NO_AGENTS: Reason.NO_AGENTS,
}


class Engine:
    """What was learned, the dials that ring, and the rule. Its methods are those of `Pacer`."""

    def __init__(self, *, wrap_up_s: float, cap: float) -> None:
        self._mind = newborn(wrap_up_s, cap)
        self._rings = np.zeros(AGES, np.int64)
        """Dials that ring, by the second of their beginning, modulo 64."""
        self._second = 0
        self._looked_at: float | None = None
        self.judging = 0
        self._table = np.zeros((ROWS, STEPS))
        self._cells = np.zeros((2, WIDTH))
        self._out = np.zeros(rule.OUT_SIZE)
        self._ages = np.zeros(AGES, np.int64)

    @property
    def ringing(self) -> int:
        return int(self._rings.sum())

    def dialled(self, at: float) -> None:
        """A dial was begun."""
        self._go_on(at)
        second = math.floor(at)
        if second > self._second - AGES:
            self._rings[second % AGES] += 1

    def answered(self, now: float, dialled_at: float) -> None:
        """A dial was picked up."""
        self._take(now, dialled_at)
        self.judging += 1
        rule.learn(self._mind, rule.ANSWERED, max(now - dialled_at, 0.0))

    def needs_agent(self, now: float, answered_at: float) -> None:
        """What answered goes to an agent."""
        self.judging = max(self.judging - 1, 0)
        rule.learn(self._mind, rule.HUMAN, max(now - answered_at, 0.0))

    def ended(self, now: float, dialled_at: float, answered_at: float | None) -> None:
        """A dial ended before it needed an agent."""
        if answered_at is None:
            self._take(now, dialled_at)
            rule.learn(self._mind, rule.ENDED, max(now - dialled_at, 0.0))
        else:
            self.judging = max(self.judging - 1, 0)
            rule.learn(self._mind, rule.MACHINE, max(now - answered_at, 0.0))

    def connected(self, now: float, chosen_at: float) -> None:
        """An agent hears the person."""
        rule.learn(self._mind, rule.CONNECTED, max(now - chosen_at, 0.0))

    def talked(self, seconds: float) -> None:
        """A talk ended."""
        rule.learn(self._mind, rule.TALKED, max(seconds, 0.0))

    def wrapped_up(self, seconds: float) -> None:
        """A wrap-up ended."""
        rule.learn(self._mind, rule.WRAPPED_UP, max(seconds, 0.0))

    def caller_took_agent(self) -> None:
        """An agent went to a caller of the queue."""
        rule.learn(self._mind, rule.CALLER, 0.0)

    def decide(
        self,
        number: int,
        now: float,
        day_s: float,
        floor: Floor,
        *,
        allowance: float,
        cap: float,
        patience_s: float,
        is_predictive: bool,
        limits: Sequence[Limit],
    ) -> Decision:
        """Decide how many to dial now."""
        self._go_on(now)
        passed_s = 0.0 if self._looked_at is None else max(now - self._looked_at, 0.0)
        self._looked_at = now
        tightest = min(limits, key=lambda limit: limit.most, default=None)
        out = self._out
        dials = rule.look_and_decide(
            self._mind,
            passed_s,
            day_s,
            max(floor.free, 0),
            max(floor.waiting, 0),
            max(floor.callers, 0),
            np.array(floor.talking, dtype=np.float64),
            np.array(floor.wrapping, dtype=np.float64),
            self._by_age(),
            self.judging,
            allowance,
            cap,
            NO_LIMIT if tightest is None else max(tightest.most, 0),
            is_predictive,
            patience_s,
            self._table,
            self._cells,
            out,
        )
        reason = _REASONS[int(out[rule.OUT_REASON])]
        if reason is Reason.LEARNING and not is_predictive:
            reason = Reason.PROGRESSIVE
        slack, last = int(out[rule.OUT_SLACK]), int(out[rule.OUT_LAST])
        return Decision(
            number=number,
            at=now,
            dials=dials,
            reason=reason,
            limit=tightest.code if tightest is not None and reason is Reason.LIMIT else "",
            is_predictive=is_predictive,
            floor=floor,
            limits=tuple(limits),
            in_flight=self.ringing,
            judging=self.judging,
            answer_rate=float(out[rule.OUT_RATE]),
            human_rate=float(out[rule.OUT_HUMAN]),
            talks=float(out[rule.OUT_TALKS]),
            ends_per_s=float(out[rule.OUT_ENDS]),
            allowance=allowance,
            cap=cap,
            threshold=float(out[rule.OUT_THRESHOLD]),
            risk=float(out[rule.OUT_RISK]),
            next_risk=float(out[rule.OUT_NEXT_RISK]),
            start=int(out[rule.OUT_START]),
            scale=int(out[rule.OUT_SCALE]),
            slack=slack,
            supply=self._pairs(SUPPLY, SUPPLY_VARIANCE, last + slack) if last else (),
            demand=self._pairs(DEMAND, DEMAND_VARIANCE, last) if last else (),
            fresh=tuple(self._table[FRESH, : last + 1].tolist()) if last else (),
        )

    def record(self) -> list[float]:
        """What was learned, to nine digits."""
        return [float(f"{x:.9g}") for x in self._mind]

    def restore(self, mind: object) -> None:
        """Go on with what was recorded; what cannot be read is learned anew."""
        if (
            isinstance(mind, list)
            and len(mind) == SIZE
            and all(isinstance(x, int | float) and math.isfinite(x) for x in mind)
        ):
            self._mind[:] = mind

    def _go_on(self, now: float) -> None:
        """Forget dials that began more than 64 s ago: nobody is expected to answer them."""
        second = math.floor(now)
        passed = second - self._second
        if passed <= 0:
            return
        for ahead in range(1, min(passed, AGES) + 1):
            self._rings[(self._second + ahead) % AGES] = 0
        self._second = second

    def _take(self, now: float, dialled_at: float) -> None:
        self._go_on(now)
        second = math.floor(dialled_at)
        if second > self._second - AGES and self._rings[second % AGES] > 0:
            self._rings[second % AGES] -= 1

    def _by_age(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        at = self._second % AGES
        self._ages[: at + 1] = self._rings[at::-1]
        self._ages[at + 1 :] = self._rings[:at:-1]
        return self._ages

    def _pairs(self, mean: int, variance: int, last: int) -> tuple[tuple[float, float], ...]:
        means = self._table[mean, : last + 1].tolist()
        variances = self._table[variance, : last + 1].tolist()
        return tuple(zip(means, variances, strict=True))


def chosen_again(decision: Decision, most: int | None) -> int:
    """What the forecast in a decision allows, up to `most`."""
    d = decision
    table = np.zeros((ROWS, STEPS))
    table[[SUPPLY, SUPPLY_VARIANCE], : len(d.supply)] = np.array(d.supply).T
    table[[DEMAND, DEMAND_VARIANCE], : len(d.demand)] = np.array(d.demand).T
    table[FRESH, : len(d.fresh)] = d.fresh
    agents = d.floor.free + len(d.floor.talking) + len(d.floor.wrapping)
    bound = rule.MOST_PER_AGENT * agents
    return rule.choose_again(
        d.start,
        d.scale,
        d.slack,
        len(d.fresh) - 1,
        bound if most is None else min(most, bound),
        d.threshold,
        table,
        np.zeros((2, WIDTH)),
        np.zeros(rule.OUT_SIZE),
    )
