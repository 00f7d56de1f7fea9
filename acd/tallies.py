"""What is counted for one queue and for one agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.events import AgentFigures, QueueChanged
from acd.model import AgentSettings, AgentState, OfferFailure, QueueName, QueueSettings
from acd.service_level import Outcomes, service_level

_MOST_REASONS = 32
OTHER_REASON = "other"
"""Collects the time of further reasons once an agent used very many, so that memory stays bounded."""


@dataclass(slots=True)
class DayCounters:
    """A queue's counters since midnight."""

    entered: int = 0
    answered: int = 0
    answered_within: int = 0
    abandoned: int = 0
    abandoned_within: int = 0
    abandoned_short: int = 0
    ended: int = 0
    answered_wait_s: float = 0.0
    abandoned_wait_s: float = 0.0
    talk_s: float = 0.0
    held_s: float = 0.0
    left: Counter[str] = field(default_factory=Counter)
    """Left without a conversation, by reason; `abandoned` too."""
    failures: Counter[OfferFailure] = field(default_factory=Counter)
    """Offers that came to nothing, by cause."""

    def outcomes(self) -> Outcomes:
        return Outcomes(
            answered=self.answered,
            answered_within=self.answered_within,
            abandoned=self.abandoned,
            abandoned_within=self.abandoned_within,
            abandoned_short=self.abandoned_short,
        )


class QueueTally:
    """The live figures of a queue and its day."""

    __slots__ = (
        "_sent",
        "agents_available",
        "agents_signed_on",
        "agents_working",
        "day",
        "offered",
        "settings",
        "talking",
        "waiting",
    )

    def __init__(self, settings: QueueSettings) -> None:
        self.settings = settings
        self.waiting = 0
        self.offered = 0
        self.talking = 0
        self.agents_signed_on = 0
        self.agents_available = 0
        self.agents_working = 0
        """Signed on and not not-ready."""
        self.day = DayCounters()
        self._sent: tuple[float, ...] = ()

    @property
    def queue(self) -> QueueName:
        return self.settings.queue

    def is_news(self) -> bool:
        """Whether a figure differs from the last time this was asked. Waits that grow do not count."""
        day = self.day
        figures = (
            self.waiting,
            self.offered,
            self.talking,
            self.agents_signed_on,
            self.agents_available,
            day.entered,
            day.answered,
            day.abandoned,
            day.ended,
            day.talk_s,
        )
        if figures == self._sent:
            return False
        self._sent = figures
        return True

    def figures(self, now: float, oldest: float | None) -> QueueChanged:
        """Return the figures; `oldest` is since when the contact waits that waits longest."""
        day = self.day
        return QueueChanged(
            queue=self.settings.queue,
            at=now,
            waiting=self.waiting,
            longest_wait_s=0.0 if oldest is None else now - oldest,
            offered=self.offered,
            talking=self.talking,
            agents_signed_on=self.agents_signed_on,
            agents_available=self.agents_available,
            entered=day.entered,
            answered=day.answered,
            answered_within=day.answered_within,
            abandoned=day.abandoned,
            abandoned_within=day.abandoned_within,
            service_level=service_level(day.outcomes()),
            service_level_s=self.settings.service_level_s,
            average_wait_s=day.answered_wait_s / day.answered if day.answered else 0.0,
            average_talk_s=(day.talk_s - day.held_s) / day.ended if day.ended else 0.0,
        )


class AgentTally:
    """How an agent spent its day: seconds by state, and what it answered and missed."""

    __slots__ = (
        "_not_ready_s",
        "_reason",
        "_since",
        "_state_s",
        "agent",
        "answered",
        "missed",
        "queue",
        "state",
    )

    def __init__(self, settings: AgentSettings, now: float) -> None:
        self.agent = settings.agent
        self.state = AgentState.AVAILABLE if settings.static else AgentState.LOGGED_OUT
        self._reason = ""
        self.queue: QueueName | None = None
        """Of the contact it talked to last: its wrap-up belongs to that queue's handle time."""
        self.new_day(now)

    @property
    def has_news_of_the_day(self) -> bool:
        """Whether figures of this day were reported: those that go with a contact."""
        return bool(self.answered or self.missed)

    def new_day(self, now: float) -> None:
        self.answered = 0
        self.missed = 0
        self._since = now
        self._state_s: dict[AgentState, float] = {}
        self._not_ready_s: dict[str, float] = {}

    def spent(self) -> tuple[dict[str, float], dict[str, float]]:
        """Seconds by state and, of not-ready, by reason, as far as they are booked."""
        return {state.value: s for state, s in self._state_s.items()}, dict(self._not_ready_s)

    @property
    def booked_to(self) -> float:
        """Up to when the day is booked."""
        return self._since

    def take_up(self, state: AgentState, reason: str, now: float) -> None:
        """Begin in the state in which an earlier process left the agent."""
        self.state, self._reason, self._since = state, reason, now

    def restore(
        self,
        *,
        answered: int,
        missed: int,
        spent: Mapping[str, float],
        not_ready: Mapping[str, float],
        booked_to: float,
        queue: QueueName | None,
    ) -> None:
        """Go on with the figures of an earlier process. Raises ValueError for an unknown state."""
        self.answered, self.missed, self.queue = answered, missed, queue
        self._state_s = {AgentState(state): seconds for state, seconds in spent.items()}
        self._not_ready_s = dict(not_ready)
        self._since = booked_to

    def moved(self, state: AgentState, reason: str, at: float) -> None:
        """Book the time so far and go on in another state, or with another reason.

        What ended before the day began, while nobody was there to see it, has no time in it.
        """
        at = max(at, self._since)
        _book(self._state_s, self._not_ready_s, self.state, self._reason, at - self._since)
        self.state = state
        self._reason = reason
        self._since = at

    def figures(self, now: float) -> AgentFigures:
        """Return the day so far, with the present state up to now."""
        spent = dict(self._state_s)
        not_ready = dict(self._not_ready_s)
        _book(spent, not_ready, self.state, self._reason, now - self._since)
        hold_s = spent.get(AgentState.HELD, 0.0)
        talk_s = spent.get(AgentState.TALKING, 0.0) + hold_s
        wrap_up_s = spent.get(AgentState.WRAP_UP, 0.0)
        busy_s = talk_s + wrap_up_s
        whole_s = busy_s + spent.get(AgentState.AVAILABLE, 0.0)
        return AgentFigures(
            agent=self.agent,
            at=now,
            answered=self.answered,
            missed=self.missed,
            talk_s=talk_s,
            hold_s=hold_s,
            wrap_up_s=wrap_up_s,
            not_ready_s=not_ready,
            signed_on_s=sum(spent.values()) - spent.get(AgentState.LOGGED_OUT, 0.0),
            occupancy=busy_s / whole_s if whole_s > 0 else None,
        )


def _book(
    spent: dict[AgentState, float],
    not_ready: dict[str, float],
    state: AgentState,
    reason: str,
    seconds: float,
) -> None:
    spent[state] = spent.get(state, 0.0) + seconds
    if state is AgentState.NOT_READY:
        if reason not in not_ready and len(not_ready) >= _MOST_REASONS:
            reason = OTHER_REASON
        not_ready[reason] = not_ready.get(reason, 0.0) + seconds
