"""The pacer of one campaign: news of dials and agents in, numbers of dials out.

    pacer = Pacer(wrap_up_s=20, patience_s=2)
    pacer.dialled(now)                              for each dial
    pacer.answered(now, dialled_at)                 picked up, by whomever
    pacer.needs_agent(now, answered_at)             and it is a person, as far as can be said
    pacer.ended(now, dialled_at, answered_at)       it ended before it needed an agent
    pacer.connected(now, chosen_at)                 agent and person hear each other
    pacer.talked(seconds), pacer.wrapped_up(seconds)
    decision = pacer.decide(now, day_s, floor, allowance=ledger.enforced(...).allowance, ...)

All times are monotonic seconds. Without classification of answers `answered` and `needs_agent` come
together. After a restart of the server: `restore`, then `dialled` again for each dial that rings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from acd.dialer.pacing import rule
from acd.dialer.pacing.forecast import ROWS, STEPS, WIDTH
from acd.dialer.pacing.mind import AGES, SIZE, newborn
from acd.dialer.pacing.model import Decision, Floor, Limit, Reason
from acd.dialer.pacing.replay import REASONS, demand_of, fresh_of, supply_of

_LONGEST_LOOK_S: Final = 5.0
"""Dials that rang while nobody asked for a decision count for so long."""
NO_LIMIT: Final = 1 << 30


class Pacer:
    """Learns how a campaign's people answer and its agents work, and decides how many to dial."""

    def __init__(
        self, *, wrap_up_s: float = 20.0, patience_s: float = 2.0, cap: float = 0.03
    ) -> None:
        """Begin without knowledge.

        `wrap_up_s` and `cap` (0 to 1) are first guesses of what is learned. A person who has waited
        `patience_s` for an agent is abandoned.
        """
        self._mind = newborn(wrap_up_s, first_threshold(cap))
        self._patience_s = patience_s
        self._number = 0
        self._rings = np.zeros(AGES, np.int64)
        """Dials that ring, by the second of their beginning, modulo 64."""
        self._second = 0
        self._looked_at: float | None = None
        self._judging = 0
        self._table = np.zeros((ROWS, STEPS))
        self._cells = np.zeros((2, WIDTH))
        self._out = np.zeros(rule.OUT_SIZE)
        self._ages = np.zeros(AGES, np.int64)

    @property
    def ringing(self) -> int:
        """Dials that ring and may be answered yet."""
        return int(self._rings.sum())

    @property
    def judging(self) -> int:
        """Answered dials of which it is not known yet who answered."""
        return self._judging

    def dialled(self, at: float) -> None:
        """A dial was begun."""
        self._go_on(at)
        second = math.floor(at)
        if second > self._second - AGES:
            self._rings[second % AGES] += 1

    def answered(self, now: float, dialled_at: float) -> None:
        """A dial was picked up: by a person, a machine, who knows."""
        self._take(now, dialled_at)
        self._judging += 1
        rule.learn(self._mind, rule.ANSWERED, max(now - dialled_at, 0.0))

    def needs_agent(self, now: float, answered_at: float) -> None:
        """What answered is a person, or may be one: it goes to an agent."""
        self._judging = max(self._judging - 1, 0)
        rule.learn(self._mind, rule.HUMAN, max(now - answered_at, 0.0))

    def ended(self, now: float, dialled_at: float, answered_at: float | None = None) -> None:
        """A dial ended before it needed an agent: busy, no answer, refused, or a machine."""
        if answered_at is None:
            self._take(now, dialled_at)
            rule.learn(self._mind, rule.ENDED, max(now - dialled_at, 0.0))
        else:
            self._judging = max(self._judging - 1, 0)
            rule.learn(self._mind, rule.MACHINE, max(now - answered_at, 0.0))

    def connected(self, now: float, chosen_at: float) -> None:
        """An agent hears the person for whom it was chosen at `chosen_at`."""
        rule.learn(self._mind, rule.CONNECTED, max(now - chosen_at, 0.0))

    def talked(self, seconds: float) -> None:
        """A talk of an agent ended after so long."""
        rule.learn(self._mind, rule.TALKED, max(seconds, 0.0))

    def wrapped_up(self, seconds: float) -> None:
        """An agent's wrap-up ended after so long; 0: the agent had none after a talk."""
        rule.learn(self._mind, rule.WRAPPED_UP, max(seconds, 0.0))

    def caller_took_agent(self, now: float) -> None:
        """An agent of the campaign went to a caller of the queue."""
        rule.learn(self._mind, rule.CALLER, 0.0)

    def decide(
        self,
        now: float,
        day_s: float,
        floor: Floor,
        *,
        allowance: float,
        is_predictive: bool = True,
        limits: Sequence[Limit] = (),
    ) -> Decision:
        """Decide how many to dial now; to be asked every second, and when an agent becomes free.

        `day_s` are seconds since local midnight; `allowance` is what `legal.Ledger.enforced` says.
        """
        self._go_on(now)
        passed_s = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        self._number += 1
        tightest = min(limits, key=lambda limit: limit.most, default=None)
        most = NO_LIMIT if tightest is None else max(tightest.most, 0)
        out = self._out
        dials = rule.look_and_decide(
            self._mind,
            min(max(passed_s, 0.0), _LONGEST_LOOK_S),
            day_s,
            max(floor.free, 0),
            max(floor.waiting, 0),
            max(floor.callers, 0),
            np.array(floor.talking, dtype=np.float64),
            np.array(floor.wrapping, dtype=np.float64),
            self._by_age(),
            self._judging,
            allowance,
            most,
            is_predictive,
            self._patience_s,
            self._table,
            self._cells,
            out,
        )
        reason = REASONS[int(out[rule.OUT_REASON])]
        if reason is Reason.LEARNING and not is_predictive:
            reason = Reason.PROGRESSIVE
        slack, last = int(out[rule.OUT_SLACK]), int(out[rule.OUT_LAST])
        return Decision(
            number=self._number,
            at=now,
            dials=dials,
            reason=reason,
            limit=tightest.code if tightest is not None and reason is Reason.LIMIT else "",
            is_predictive=is_predictive,
            floor=floor,
            limits=tuple(limits),
            in_flight=self.ringing,
            judging=self._judging,
            answer_rate=float(out[rule.OUT_RATE]),
            human_rate=float(out[rule.OUT_HUMAN]),
            talks=float(out[rule.OUT_TALKS]),
            ends_per_s=float(out[rule.OUT_ENDS]),
            allowance=allowance,
            threshold=float(out[rule.OUT_THRESHOLD]),
            risk=float(out[rule.OUT_RISK]),
            next_risk=float(out[rule.OUT_NEXT_RISK]),
            start=int(out[rule.OUT_START]),
            scale=int(out[rule.OUT_SCALE]),
            slack=slack,
            supply=supply_of(self._table, last + slack) if last else (),
            demand=demand_of(self._table, last) if last else (),
            fresh=fresh_of(self._table, last) if last else (),
        )

    def record(self) -> dict[str, Any]:
        """What was learned, for JSON; in-flight dials are not in it."""
        return {"decisions": self._number, "mind": [float(f"{x:.9g}") for x in self._mind]}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on with what was learned before; what cannot be read is learned anew."""
        number = kept.get("decisions", 0)
        self._number = number if isinstance(number, int) else 0
        mind = kept.get("mind")
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


def first_threshold(cap: float) -> float:
    """Where the threshold begins under a cap (0 to 1)."""
    return min(max(rule.FIRST_THRESHOLD * cap / 0.03, 0.004), 0.5)
