"""What the distribution reports."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from acd.model import AgentId, AgentState, ContactId, Decision, OfferFailure, QueueName


class AgentStateChanged(Struct, frozen=True, kw_only=True):
    """An agent changed its state. One per change, also when only the reason changes."""

    agent: AgentId
    at: float
    state: AgentState
    reason: str
    """Why: of not-ready the agent's reason, else a slug of what happened."""
    previous: AgentState
    previous_for_s: float
    contact: ContactId | None = None
    until: float | None = None
    """End of the wrap-up countdown, on the same clock as `at`."""
    next_state: AgentState | None = None
    """What a pending SetReady or SetNotReady will make of it afterwards."""


class ContactQueued(Struct, frozen=True, kw_only=True):
    """A contact began to wait."""

    contact: ContactId
    queue: QueueName
    at: float
    position: int
    priority: int
    again: bool = False
    """It was offered before and came back to its place."""
    outbound: bool = False
    """Of a campaign: no caller of the queue, so not of its service level."""


class ContactOffered(Struct, frozen=True, kw_only=True):
    """A contact was given to an agent, who is called now."""

    contact: ContactId
    queue: QueueName
    agent: AgentId
    at: float
    decision: Decision


class OfferEnded(Struct, frozen=True, kw_only=True):
    """An offer did not lead to a conversation."""

    contact: ContactId
    queue: QueueName
    agent: AgentId
    at: float
    failure: OfferFailure
    rang_s: float


class ContactAnswered(Struct, frozen=True, kw_only=True):
    """Customer and agent talk."""

    contact: ContactId
    queue: QueueName
    agent: AgentId
    at: float
    waited_s: float
    outbound: bool = False


class ContactLeft(Struct, frozen=True, kw_only=True):
    """A contact left without a conversation."""

    contact: ContactId
    queue: QueueName
    at: float
    waited_s: float
    reason: str
    """`abandoned`, `timeout`, `overflow`, ..."""
    outbound: bool = False


class ContactEnded(Struct, frozen=True, kw_only=True):
    """A conversation is over."""

    contact: ContactId
    queue: QueueName
    agent: AgentId
    at: float
    talked_s: float
    """Hold included."""
    held_s: float
    by_agent: bool
    outbound: bool = False


class ContactHanded(Struct, frozen=True, kw_only=True):
    """Another agent has the conversation now."""

    contact: ContactId
    queue: QueueName
    former: AgentId | None
    """None: it had no agent for a while."""
    agent: AgentId
    at: float
    talked_s: float
    """By the former agent, hold included."""
    held_s: float
    again: bool = False
    """This agent has had it before."""


class QueueChanged(Struct, frozen=True, kw_only=True):
    """The live figures of a queue; sent when something in it changed, counters since midnight."""

    queue: QueueName
    at: float
    waiting: int
    longest_wait_s: float
    offered: int
    talking: int
    agents_signed_on: int
    agents_available: int
    entered: int
    answered: int
    answered_within: int
    """Within the threshold."""
    abandoned: int
    abandoned_within: int
    service_level: float | None
    """answered_within / (answered + abandoned after the threshold); None before the first."""
    service_level_s: float
    average_wait_s: float
    average_talk_s: float
    """Without hold."""


class AgentFigures(Struct, frozen=True, kw_only=True):
    """An agent's own numbers since midnight; sent after each contact."""

    agent: AgentId
    at: float
    answered: int
    """Contacts; one that was parked and fetched, or came back from a colleague, counts once."""
    missed: int
    talk_s: float
    """Hold included."""
    hold_s: float
    wrap_up_s: float
    not_ready_s: Mapping[str, float] = field(default_factory=dict)
    """By reason."""
    signed_on_s: float = 0.0
    occupancy: float | None = None
    """(talk + wrap-up) / (talk + wrap-up + available)."""


AcdEvent = (
    AgentStateChanged
    | ContactQueued
    | ContactOffered
    | OfferEnded
    | ContactAnswered
    | ContactLeft
    | ContactEnded
    | ContactHanded
    | QueueChanged
    | AgentFigures
)
