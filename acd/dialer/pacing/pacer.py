"""The pacer of one campaign: news of dials and agents in, numbers of dials out.

    pacer = Pacer(wrap_up_s=20, patience_s=2, cap=0.03)
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

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from acd.dialer.pacing.loading import engine
from acd.dialer.pacing.model import Decision, Floor, Limit, Reason

if TYPE_CHECKING:
    from acd.dialer.pacing.engine import Engine

_MOST_NEWS: Final = 20_000
"""Kept while the compiled part is not loaded yet; the oldest are forgotten first."""


class Pacer:
    """Learns how a campaign's people answer and its agents work, and decides how many to dial."""

    def __init__(
        self, *, wrap_up_s: float = 20.0, patience_s: float = 2.0, cap: float = 0.03
    ) -> None:
        """Begin without knowledge.

        `wrap_up_s` and `cap` (0 to 1) are first guesses of what is learned. A person who has waited
        `patience_s` for an agent is abandoned.
        """
        self._wrap_up_s = wrap_up_s
        self._patience_s = patience_s
        self._cap = cap
        self._number = 0
        self._ringing = 0
        self._judging = 0
        self._kept: object = None
        """What was recorded before the restart."""
        self._news: deque[Callable[[Engine], None]] = deque(maxlen=_MOST_NEWS)
        self._loaded: Engine | None = None

    @property
    def decisions(self) -> int:
        """How many it has made."""
        return self._number

    @property
    def ringing(self) -> int:
        """Dials that ring and may be answered yet."""
        return self._ringing if self._loaded is None else self._loaded.ringing

    @property
    def judging(self) -> int:
        """Answered dials of which it is not known yet who answered."""
        return self._judging if self._loaded is None else self._loaded.judging

    def dialled(self, at: float) -> None:
        """A dial was begun."""
        self._ringing += 1
        self._tell(lambda engine: engine.dialled(at))

    def answered(self, now: float, dialled_at: float) -> None:
        """A dial was picked up: by a person, a machine, who knows."""
        self._ringing = max(self._ringing - 1, 0)
        self._judging += 1
        self._tell(lambda engine: engine.answered(now, dialled_at))

    def needs_agent(self, now: float, answered_at: float) -> None:
        """What answered is a person, or may be one: it goes to an agent."""
        self._judging = max(self._judging - 1, 0)
        self._tell(lambda engine: engine.needs_agent(now, answered_at))

    def ended(self, now: float, dialled_at: float, answered_at: float | None = None) -> None:
        """A dial ended before it needed an agent: busy, no answer, refused, or a machine."""
        if answered_at is None:
            self._ringing = max(self._ringing - 1, 0)
        else:
            self._judging = max(self._judging - 1, 0)
        self._tell(lambda engine: engine.ended(now, dialled_at, answered_at))

    def connected(self, now: float, chosen_at: float) -> None:
        """An agent hears the person for whom it was chosen at `chosen_at`."""
        self._tell(lambda engine: engine.connected(now, chosen_at))

    def talked(self, seconds: float) -> None:
        """A talk of an agent ended after so long."""
        self._tell(lambda engine: engine.talked(seconds))

    def wrapped_up(self, seconds: float) -> None:
        """An agent's wrap-up ended after so long; 0: the agent had none after a talk."""
        self._tell(lambda engine: engine.wrapped_up(seconds))

    def caller_took_agent(self, now: float) -> None:
        """An agent of the campaign went to a caller of the queue."""
        self._tell(lambda engine: engine.caller_took_agent())

    def decide(
        self,
        now: float,
        day_s: float,
        floor: Floor,
        *,
        allowance: float,
        cap: float | None = None,
        patience_s: float | None = None,
        is_predictive: bool = True,
        limits: Sequence[Limit] = (),
    ) -> Decision:
        """Decide how many to dial now; to be asked every second, and when an agent becomes free.

        `day_s` are seconds since local midnight; `allowance` is what `legal.Ledger.enforced` says.
        `cap` and `patience_s` are those of now, where they have changed.
        """
        self._cap = self._cap if cap is None else cap
        self._patience_s = self._patience_s if patience_s is None else patience_s
        self._number += 1
        loaded = self._engine()
        if loaded is None:
            return self._one_each(now, floor, allowance, is_predictive, limits)
        return loaded.decide(
            self._number,
            now,
            day_s,
            floor,
            allowance=allowance,
            cap=self._cap,
            patience_s=self._patience_s,
            is_predictive=is_predictive,
            limits=limits,
        )

    def record(self) -> dict[str, Any]:
        """What was learned, for JSON; in-flight dials are not in it."""
        mind = self._kept if self._loaded is None else self._loaded.record()
        return {"decisions": self._number, "mind": mind}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on with what was learned before; what cannot be read is learned anew."""
        number = kept.get("decisions", 0)
        self._number = number if isinstance(number, int) else 0
        self._kept = kept.get("mind")
        if self._loaded is not None:
            self._loaded.restore(self._kept)

    def _tell(self, news: Callable[[Engine], None]) -> None:
        loaded = self._engine()
        if loaded is None:
            self._news.append(news)
        else:
            news(loaded)

    def _engine(self) -> Engine | None:
        """The compiled part, with all news told, once it is loaded."""
        if self._loaded is None:
            kind = engine()
            if kind is not None:
                self._loaded = kind(wrap_up_s=self._wrap_up_s, cap=self._cap)
                self._loaded.restore(self._kept)
                for news in self._news:
                    news(self._loaded)
                self._news.clear()
        return self._loaded

    def _one_each(
        self,
        now: float,
        floor: Floor,
        allowance: float,
        is_predictive: bool,
        limits: Sequence[Limit],
    ) -> Decision:
        busy = floor.waiting + floor.callers + self._ringing + self._judging
        dials = max(floor.free - busy, 0)
        reason = Reason.LEARNING if is_predictive else Reason.PROGRESSIVE
        if floor.free == 0 and not floor.talking and not floor.wrapping:
            reason = Reason.NO_AGENTS
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
            in_flight=self._ringing,
            judging=self._judging,
            allowance=allowance,
            cap=self._cap,
        )
