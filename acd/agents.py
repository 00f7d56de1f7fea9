"""One agent: the facts about it, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from acd.agent_state import AT_REST, AgentInput
from acd.model import AgentId, AgentSettings, AgentState, ContactId, QueueName
from acd.routing.longest_idle import IdlePlace

PHONE_UNREACHABLE = AgentInput.PHONE_LOST.value
"""The not-ready reason that goes away by itself when the phone is back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStatus:
    """An agent as others see it."""

    agent: AgentId
    name: str
    queues: tuple[QueueName, ...]
    state: AgentState
    reason: str
    since: float
    """When this state, or this not-ready reason, began. News of `until` or `next_state` leaves it."""
    contact: ContactId | None
    """Also during wrap-up, when the contact itself is gone."""
    until: float | None
    next_state: AgentState | None
    """Where it goes afterwards if that is not available; of a pause: available."""
    phone_reachable: bool
    desk_connected: bool


class Agent:
    """An agent's settings, facts and state. Changed by `acd.floor` alone."""

    __slots__ = (
        "contact",
        "desk",
        "engaged",
        "idle_place",
        "next_state",
        "not_ready",
        "patience_s",
        "pause",
        "pause_until",
        "phone",
        "phone_counts",
        "reachable",
        "reason",
        "settings",
        "since",
        "state",
        "unheeded",
        "until",
    )

    def __init__(self, settings: AgentSettings, now: float) -> None:
        self.settings = settings
        # facts
        self.desk = False
        self.phone = False
        self.phone_counts = False
        """Whether the registered phone keeps the agent signed on; not after it signed off."""
        self.reachable = False
        self.engaged = False
        self.not_ready: str | None = None
        """Why the agent wants no contacts; None: it wants them."""
        self.pause: str | None = None
        """Why a static agent is left alone for a moment."""
        self.pause_until: float | None = None
        self.unheeded = 0
        """Offers in a row that could not wait until this one took them."""
        # where it stands
        self.state = AgentState.AVAILABLE if settings.static else AgentState.LOGGED_OUT
        self.reason = AgentInput.SIGNED_ON.value if settings.static else AgentInput.SIGNED_OFF.value
        self.since = now
        self.idle_place: IdlePlace | None = None
        """Its last place among the available: kept, since an offer that is withdrawn gives it back."""
        self.contact: ContactId | None = None
        self.until: float | None = None
        self.next_state: AgentState | None = None
        self.patience_s = 0.0
        """Of its offer: `ContactRequest.patience_s`."""

    @property
    def signed_on(self) -> bool:
        return self.desk or self.phone_counts or self.settings.static

    @property
    def is_paused(self) -> bool:
        """Whether it is not-ready only until the pause of a static agent is over."""
        return (
            self.pause is not None and self.not_ready is None and self.state is AgentState.NOT_READY
        )

    def rest(self) -> tuple[AgentState, str | None]:
        """Return where the facts put it when it has no contact, with the reason of not-ready."""
        if self.engaged and self.signed_on:
            return AgentState.ENGAGED, None
        return self._rest_without_calls()

    def afterwards(self) -> AgentState | None:
        """Return what follows the present state if that is news: see `AgentStatus.next_state`."""
        if self.state is AgentState.NOT_READY:
            return AgentState.AVAILABLE if self.is_paused else None
        if self.state in AT_REST and self.state is not AgentState.ENGAGED:
            return None
        state = self._rest_without_calls()[0]
        return None if state is AgentState.AVAILABLE else state

    def _rest_without_calls(self) -> tuple[AgentState, str | None]:
        if not self.signed_on:
            return AgentState.LOGGED_OUT, None
        if self.not_ready is not None:
            return AgentState.NOT_READY, self.not_ready
        if self.pause is not None:
            return AgentState.NOT_READY, self.pause
        if not (self.reachable or self.settings.static):
            return AgentState.NOT_READY, PHONE_UNREACHABLE
        return AgentState.AVAILABLE, None

    def status(self) -> AgentStatus:
        return AgentStatus(
            agent=self.settings.agent,
            name=self.settings.name,
            queues=self.settings.queues,
            state=self.state,
            reason=self.reason,
            since=self.since,
            contact=self.contact,
            until=self.until,
            next_state=self.next_state,
            phone_reachable=self.reachable or self.settings.static,
            desk_connected=self.desk,
        )
