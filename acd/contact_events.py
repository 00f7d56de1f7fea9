"""What a contact reports of its own course, beside what the distribution reports of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from acd.model import AgentId, ContactId, QueueName
from switch.ids import CallId, LegId, RecordingId


class ContactResult(StrEnum):
    """What became of a contact."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    """The caller hung up while waiting."""
    MENU = "menu"
    """Ended in the menu: self-service, or the caller hung up there."""
    TIMEOUT = "timeout"
    """Waited as long as the queue allows."""
    FAILED = "failed"
    """Something of ours broke."""
    DIRECT = "direct"
    """Connected without a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStarted:
    """Someone called, or an agent dialled."""

    contact: ContactId
    call: CallId
    at: float
    caller_number: str
    caller_name: str
    called: str
    outbound: bool = False
    agent: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRinging:
    """The offered agent's phone rings."""

    contact: ContactId
    agent: AgentId
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactHeld:
    """The customer was put on hold, or the hold is over."""

    contact: ContactId
    at: float
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMuted:
    """The agent's microphone was cut off, or is open again."""

    contact: ContactId
    at: float
    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAnnounced:
    """The caller was told where it stands."""

    contact: ContactId
    at: float
    position: int
    wait_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowMoved:
    """The caller reached a node of a flow."""

    contact: ContactId
    at: float
    flow: str
    node: str
    verb: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecorded:
    """A recording of the contact began."""

    contact: ContactId
    at: float
    recording: RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactConnected:
    """A direct contact (no queue) is talking."""

    contact: ContactId
    at: float
    agent: AgentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFinished:
    """Nothing more will come of this contact but its recording."""

    contact: ContactId
    call: CallId
    customer_leg: LegId
    at: float
    result: ContactResult
    reason: str
    waited_s: float
    talked_s: float
    held_s: float
    queue: QueueName | None
    agent: AgentId | None
    facts: Mapping[str, str] = field(default_factory=dict)


ContactEvent = (
    ContactStarted
    | ContactRinging
    | ContactHeld
    | ContactMuted
    | ContactAnnounced
    | FlowMoved
    | ContactRecorded
    | ContactConnected
    | ContactFinished
)
