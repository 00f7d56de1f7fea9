"""What a contact reports of its own course, beside what the distribution reports of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from acd.model import AgentId, ContactId, QueueName
from acd.party import PartyState
from switch.calls.causes import Result
from switch.calls.roles import Role
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
    BUSY = "busy"
    """Without a queue, and the one who was called is on the phone."""
    NO_ANSWER = "no-answer"
    """Without a queue, and nobody answered in time."""
    REJECTED = "rejected"
    """Without a queue, and the one who was called declined."""
    UNREACHABLE = "unreachable"
    """Without a queue: no such number, no phone there, no way to it."""
    CANCELLED = "cancelled"
    """An agent dialled and gave up before the answer."""


def of_unanswered(result: Result) -> ContactResult:
    """What became of a contact without a queue, by how the leg ended that was to be answered."""
    return _OF_UNANSWERED.get(result, ContactResult.FAILED)


_OF_UNANSWERED: Final = {
    Result.BUSY: ContactResult.BUSY,
    Result.NO_ANSWER: ContactResult.NO_ANSWER,
    Result.REJECTED: ContactResult.REJECTED,
    Result.UNREACHABLE: ContactResult.UNREACHABLE,
}


class ContactStarted(Struct, frozen=True, kw_only=True):
    """Someone called, or an agent dialled."""

    contact: ContactId
    call: CallId
    at: float
    caller_number: str
    caller_name: str
    called: str
    outbound: bool = False
    agent: AgentId | None = None
    call_back_of: ContactId | None = None
    """The contact that our side cut off and that this one goes on for."""
    campaign: str = ""
    """The campaign that dialled, and whom on its list."""
    list_record: str = ""
    agent_first: bool = False
    """Its agent comes before the customer, whom nobody has called yet."""
    verstat: str = ""
    """How the caller's number was found by its signature; empty: nobody looked."""
    attestation: str = ""
    """`A`, `B` or `C` of a signature that is good."""


class ContactRinging(Struct, frozen=True, kw_only=True):
    """The offered agent's phone rings."""

    contact: ContactId
    agent: AgentId
    at: float


class ContactHeld(Struct, frozen=True, kw_only=True):
    """The customer was put on hold, or the hold is over."""

    contact: ContactId
    at: float
    held: bool


class ContactMuted(Struct, frozen=True, kw_only=True):
    """The agent's microphone was cut off, or is open again."""

    contact: ContactId
    at: float
    muted: bool


class ContactAnnounced(Struct, frozen=True, kw_only=True):
    """The caller was told where it stands."""

    contact: ContactId
    at: float
    position: int
    wait_s: float | None


class FlowMoved(Struct, frozen=True, kw_only=True):
    """The caller reached a node of a flow."""

    contact: ContactId
    at: float
    flow: str
    node: str
    verb: str
    detail: str


class ContactRecorded(Struct, frozen=True, kw_only=True):
    """A recording of the contact began."""

    contact: ContactId
    at: float
    recording: RecordingId


class ContactConnected(Struct, frozen=True, kw_only=True):
    """A direct contact (no queue) is talking."""

    contact: ContactId
    at: float
    agent: AgentId | None


class TransferKind(StrEnum):
    """How a contact came to another one."""

    BLIND = "blind"
    """The agent left before the target answered."""
    ATTENDED = "attended"
    """The two have talked before."""
    QUEUE = "queue"
    LEFT = "left"
    """The agent left a conference; one of the others has the contact."""
    TAKEN_OVER = "taken-over"
    """By a supervisor."""
    RETURNED = "returned"
    """Nobody took it, or its agent's phone is lost: to the head of its queue, or to the agent who had it."""
    PARKED = "parked"
    PICKED_UP = "picked-up"


class ParkNews(StrEnum):
    """What happens to a parked contact."""

    PARKED = "parked"
    FETCHING = "fetching"
    """Somebody's phone is called, or is being answered, for it."""
    RECALLING = "recalling"
    """Who parked it is called back."""
    FETCHED = "fetched"
    RETURNED = "returned"
    """Who parked it has it again."""
    PASSED_ON = "passed-on"
    """Nobody wanted it: to its queue, or the configured number."""
    GONE = "gone"
    """The customer hung up, or was let go."""


class ContactParked(Struct, frozen=True, kw_only=True):
    """A parking place is taken, what happens in it, or that it is free again."""

    contact: ContactId
    at: float
    slot: str
    by: str
    """The phone that is called back."""
    since: float
    due: float
    news: ParkNews
    number: str = ""
    """Whose phone is called for it, or who has it."""


class ContactTransferred(Struct, frozen=True, kw_only=True):
    """Somebody else has the contact, or it waits in a queue."""

    contact: ContactId
    at: float
    kind: TransferKind
    former: AgentId | None
    agent: AgentId | None
    """None: a number outside has it, or a queue."""
    number: str
    queue: QueueName | None
    is_queued: bool
    """The distribution counts it as this agent's talk."""


class ContactParty(Struct, frozen=True, kw_only=True):
    """Somebody else is called for the contact, takes part in it, attends it, or no longer does."""

    contact: ContactId
    at: float
    number: str
    agent: AgentId | None
    state: PartyState
    role: Role | None = None
    by: str = ""
    """The login of a supervisor."""
    reason: str = ""


class ContactFinished(Struct, frozen=True, kw_only=True):
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
    | ContactTransferred
    | ContactParty
    | ContactParked
    | ContactFinished
)
