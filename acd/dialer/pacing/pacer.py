"""The pacer of one campaign: news of dials and agents in, numbers of dials out.

    pacer = Pacer(wrap_up_s=20, patience_s=2)
    pacer.dialled(now)                              for each dial
    pacer.answered(now, dialled_at)                 picked up, by whomever
    pacer.needs_agent(now, answered_at)             and it is a person, as far as can be said
    pacer.ended(now, dialled_at, answered_at)       it ended before it needed an agent
    pacer.connected(now, needed_at)                 agent and person hear each other
    pacer.talked(seconds), pacer.wrapped_up(seconds)
    decision = pacer.decide(now, day_s, floor, allowance=ledger.enforced(...).allowance, ...)

All times are monotonic seconds. Without classification of answers `answered` and `needs_agent` come
together. After a restart of the server: `restore`, then `dialled` again for each dial that rings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acd.dialer.pacing.model import Decision, Floor, Limit, Reason


class Pacer:
    """Learns how a campaign's people answer and its agents work, and decides how many to dial."""

    def __init__(self, *, wrap_up_s: float = 20.0, patience_s: float = 2.0) -> None:
        """Begin without knowledge.

        `wrap_up_s` is a first guess. A person who has waited `patience_s` for an agent is abandoned.
        """
        self._wrap_up_s = wrap_up_s
        self._patience_s = patience_s
        self._number = 0
        self._in_flight = 0
        self._judging = 0

    def dialled(self, at: float) -> None:
        """A dial was begun."""
        self._in_flight += 1

    def answered(self, now: float, dialled_at: float) -> None:
        """A dial was picked up: by a person, a machine, who knows."""
        self._in_flight -= 1
        self._judging += 1

    def needs_agent(self, now: float, answered_at: float) -> None:
        """What answered is a person, or may be one: it goes to an agent."""
        self._judging -= 1

    def ended(self, now: float, dialled_at: float, answered_at: float | None = None) -> None:
        """A dial ended before it needed an agent: busy, no answer, refused, or a machine."""
        if answered_at is None:
            self._in_flight -= 1
        else:
            self._judging -= 1

    def connected(self, now: float, needed_at: float) -> None:
        """The agent hears the person who has needed it since `needed_at`."""

    def talked(self, seconds: float) -> None:
        """A talk of an agent ended after so long."""

    def wrapped_up(self, seconds: float) -> None:
        """An agent's wrap-up ended after so long."""

    def caller_took_agent(self, now: float) -> None:
        """An agent of the campaign went to a caller of the queue."""

    def decide(
        self,
        now: float,
        day_s: float,
        floor: Floor,
        *,
        allowance: float,
        cap: float = 0.03,
        is_predictive: bool = True,
        limits: Sequence[Limit] = (),
    ) -> Decision:
        """Decide how many to dial now; to be asked every second, and when an agent becomes free.

        `day_s` are seconds since local midnight, `cap` is 0 to 1 and `allowance` what
        `legal.Ledger.enforced` says.
        """
        self._number += 1
        wanted = floor.free - floor.waiting - floor.callers - self._in_flight - self._judging
        dials = max(wanted, 0)
        reason = Reason.LEARNING if is_predictive else Reason.PROGRESSIVE
        limit = ""
        for bound in limits:
            if bound.most < dials:
                dials, reason, limit = max(bound.most, 0), Reason.LIMIT, bound.code
        return Decision(
            number=self._number,
            at=now,
            dials=dials,
            reason=reason,
            limit=limit,
            is_predictive=is_predictive,
            floor=floor,
            limits=tuple(limits),
            in_flight=self._in_flight,
            judging=self._judging,
            allowance=allowance,
        )

    def record(self) -> dict[str, Any]:
        """What was learned, for JSON; in-flight dials are not in it."""
        return {"decisions": self._number}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on with what was learned before; what cannot be read is learned anew."""
        number = kept.get("decisions", 0)
        self._number = number if isinstance(number, int) else 0
