"""The public catalogue: events, the snapshot, and the bodies of commands.

This is all that desks, wallboards, browsers and web hooks know of the server. Plain frozen
dataclasses: msgspec encodes and validates them, FastAPI documents them. Event types use CSTA words
(ECMA-269) where they exist. Times are seconds since the epoch (UTC), durations are seconds.

A stream is: one `Snapshot`, then `Event`s in the order of `seq`. Events for others leave gaps in
`seq`. It is the cursor for resuming: a client that connects with `after=<last seq>` gets what it
missed, or a new snapshot when that is no longer kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

from cti.schema_bans import BanView as BanView
from cti.schema_bans import LiftBanRequest as LiftBanRequest
from cti.schema_commands import CustomerRequest as CustomerRequest
from cti.schema_commands import DialRequest as DialRequest
from cti.schema_commands import DigitsRequest as DigitsRequest
from cti.schema_commands import DispositionRequest as DispositionRequest
from cti.schema_commands import MuteRequest as MuteRequest
from cti.schema_commands import NoteRequest as NoteRequest
from cti.schema_commands import SetStateRequest as SetStateRequest
from cti.schema_parties import ConsultRequest as ConsultRequest
from cti.schema_parties import DirectoryEntry as DirectoryEntry
from cti.schema_parties import PartyRequest as PartyRequest
from cti.schema_parties import PartyView as PartyView
from cti.schema_parties import SuperviseRequest as SuperviseRequest
from cti.schema_parties import SupervisionView as SupervisionView
from cti.schema_parties import TransferRequest as TransferRequest
from cti.schema_parties import TransferView as TransferView
from cti.schema_phones import TextReceived as TextReceived
from cti.schema_server import CallBackView as CallBackView
from cti.schema_server import GatewayView as GatewayView
from cti.schema_server import Refused as Refused
from cti.schema_server import ServerStatus as ServerStatus
from cti.schema_server import ServerView as ServerView
from cti.schema_trunks import EmergencyView as EmergencyView
from cti.schema_trunks import RouteAttemptView as RouteAttemptView
from cti.schema_trunks import RouteStepView as RouteStepView
from cti.schema_trunks import RouteView as RouteView
from cti.schema_trunks import TrunkAddressView as TrunkAddressView
from cti.schema_trunks import TrunkRegistrationView as TrunkRegistrationView
from cti.schema_trunks import TrunkView as TrunkView
from cti.value import value

SCHEMA_VERSION: Final = 1


class Role(StrEnum):
    """What a user may do. Each role may do what the earlier ones may."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


# --- the customer card --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """A number or address of a customer."""

    kind: str
    """`phone` or `email`."""
    value: str
    """E.164 for phones where the number could be normalised, else as given."""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastInteraction:
    """One line of a customer's history."""

    interaction_id: str
    at: float
    channel: str
    queue: str | None
    agent_name: str | None
    disposition: str | None
    summary: str
    """The note's first line, or what happened: `abandoned after 35 s`."""
    talked_s: float
    recorded: bool
    note: str = ""
    """The note's first line alone."""
    result: str = ""
    """As in `Cleared`; empty while it is not over. With `waited_s` for those who word it themselves."""
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCard:
    """What an agent sees of a customer."""

    customer_id: str
    name: str
    company: str = ""
    tier: str = ""
    language: str = ""
    contact_points: tuple[ContactPoint, ...] = ()
    remarks: str = ""
    """Standing remark on the customer."""
    recent: tuple[PastInteraction, ...] = ()
    """Newest first, at most ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyView:
    """Why this agent was chosen, for those who put it into words of another language."""

    rule: str
    """`longest-idle`, `first-free` (the contact was the next in line), `preferred-agent`."""
    idle_s: float = 0.0
    skills: dict[str, int] = field(default_factory=dict)
    """The agent's level in each skill that the contact asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenPop:
    """The customer's card for one offered interaction. Sent to the offered agent only.

    Exactly one of three holds: `customer` is known; `candidates` share the number and the agent
    picks one; both are empty and `new_customer_number` prefills a new customer.
    """

    interaction_id: str
    channel: str
    queue: str | None
    queue_title: str
    caller_number: str
    """E.164 if it could be normalised, else as received; empty when withheld."""
    caller_name: str
    called: str
    waited_s: float
    why: str
    """Why this agent was chosen, in one English sentence."""
    chosen: WhyView | None = None
    """The same in parts."""
    facts: dict[str, str] = field(default_factory=dict)
    """What the caller entered in the menu."""
    customer: CustomerCard | None = None
    candidates: tuple[CustomerCard, ...] = ()
    new_customer_number: str = ""
    lookup_failed: bool = False
    """The customer store did not answer: nothing is known, which is not the same as unknown."""
    late: bool = False
    """The look-up took longer than the offer could wait; this follows the ring."""
    call_back_of: str | None = None
    """The interaction that our side cut off: we called the customer back."""
    notes: tuple[NoteAdded, ...] = ()
    """What was written on it so far, by those who had it before."""


# --- live views ---------------------------------------------------------------------------------


@value
class AgentView:
    """An agent as everyone sees it. `state` is a value of `acd.model.AgentState`."""

    agent_id: str
    name: str
    state: str
    reason: str
    since: float
    queues: tuple[str, ...]
    interaction_id: str | None = None
    until: float | None = None
    """End of the wrap-up countdown; None while it does not run."""
    next_state: str | None = None
    phone_reachable: bool = False
    desk_connected: bool = False


@value
class AgentFiguresView:
    """An agent's own numbers since midnight."""

    agent_id: str
    answered: int = 0
    missed: int = 0
    talk_s: float = 0.0
    hold_s: float = 0.0
    wrap_up_s: float = 0.0
    not_ready_s: dict[str, float] = field(default_factory=dict)
    signed_on_s: float = 0.0
    occupancy: float | None = None


@value
class QueueView:
    """A queue's live figures; counters since midnight."""

    queue: str
    title: str
    waiting: int = 0
    longest_since: float | None = None
    """When the contact that waits longest entered; None when nobody waits."""
    offered: int = 0
    talking: int = 0
    agents_signed_on: int = 0
    agents_available: int = 0
    entered: int = 0
    answered: int = 0
    answered_within: int = 0
    abandoned: int = 0
    abandoned_within: int = 0
    service_level: float | None = None
    """answered within T / (answered + abandoned after T), 0 to 1."""
    service_level_s: float = 20.0
    average_wait_s: float = 0.0
    average_talk_s: float = 0.0


@value
class InteractionView:
    """A live interaction."""

    interaction_id: str
    channel: str
    stage: str
    """`menu`, `waiting`, `offered`, `talking`, `held`, `wrap-up`, `direct`."""
    since: float
    """When this stage began."""
    started: float
    caller_number: str
    caller_name: str
    called: str
    queue: str | None = None
    agent_id: str | None = None
    customer_id: str | None = None
    customer_name: str = ""
    recorded: bool = False
    muted: bool = False
    disposition: str | None = None
    answered: float | None = None
    """When the conversation began; holds do not change it."""
    call_back_of: str | None = None
    """The interaction that our side cut off: we called the customer back."""
    parties: tuple[PartyView, ...] = ()
    """Who else is on it: asked, or in conference. Not the agent, and not who supervises."""
    verstat: str = ""
    """How the caller's number was found by its signature (STIR): `TN-Validation-Passed`,
    `TN-Validation-Failed`, `No-TN-Validation`; empty: the trunk does not ask."""
    attestation: str = ""
    """`A`, `B` or `C` of a signature that is good."""
    mos: float | None = None
    """Mean opinion score of a leg of it when that changed last (G.107), 1 to 4.5; None: always good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state at `seq`. An agent gets itself, its interaction and its queues; a supervisor all."""

    seq: int
    at: float
    """The server's time, for countdowns on clients whose clock differs."""
    role: Role
    agents: tuple[AgentView, ...]
    queues: tuple[QueueView, ...]
    interactions: tuple[InteractionView, ...]
    figures: AgentFiguresView | None = None
    pop: ScreenPop | None = None
    """The agent's current card: offered, talking or in wrap-up."""
    dispositions: tuple[Disposition, ...] = ()
    not_ready_reasons: tuple[str, ...] = ()
    gateway_available: bool = True
    server: ServerView | None = None
    """Only while the server is stopping."""
    site: str = "Switchroom"
    """The site's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """One outcome an agent can choose."""

    code: str
    title: dict[str, str]
    """By language: `en`, `zh`."""


# --- events -------------------------------------------------------------------------------------


class EventType(StrEnum):
    """Every event type, with the class of its `data`. CSTA words where they exist."""

    INTERACTION_STARTED = "InteractionStarted"  # InteractionView
    FLOW_STEP = "FlowStep"  # FlowStep
    QUEUED = "Queued"  # InteractionView
    OFFERED = "Offered"  # Offered
    DELIVERED = "Delivered"  # InteractionView: the agent's phone rings
    DIVERTED = "Diverted"  # Diverted: the offer failed
    ESTABLISHED = "Established"  # InteractionView
    HELD = "Held"  # InteractionView
    RETRIEVED = "Retrieved"  # InteractionView
    MICROPHONE_MUTE = "MicrophoneMute"  # InteractionView: `muted` says whether on or off
    QUALITY_CHANGED = "QualityChanged"  # InteractionView: `mos` says how it sounds
    PARTY_CHANGED = "PartyChanged"  # PartyView: consultation and conference
    TRANSFERRED = "Transferred"  # TransferView
    SUPERVISED = "Supervised"  # SupervisionView
    CONNECTION_CLEARED = "ConnectionCleared"  # Cleared: the conversation is over
    INTERACTION_ENDED = "InteractionEnded"  # Cleared: nothing more will come
    SCREEN_POP = "ScreenPop"  # ScreenPop
    AGENT_STATE_CHANGED = "AgentStateChanged"  # AgentView
    AGENT_FIGURES = "AgentFigures"  # AgentFiguresView
    QUEUE_CHANGED = "QueueChanged"  # QueueView
    ANNOUNCED = "Announced"  # Announced
    RECORDING_STARTED = "RecordingStarted"  # RecordingView
    RECORDING_FINISHED = "RecordingFinished"  # RecordingView
    NOTE_ADDED = "NoteAdded"  # NoteAdded
    DISPOSITION_SET = "DispositionSet"  # DispositionSet
    CUSTOMER_LINKED = "CustomerLinked"  # CustomerLinked
    GATEWAY_CHANGED = "GatewayChanged"  # GatewayView
    SERVER_CHANGED = "ServerChanged"  # ServerView
    CALL_BACK = "CallBack"  # CallBackView
    CALL_REFUSED = "CallRefused"  # Refused
    SOURCE_BANNED = "SourceBanned"  # BanView
    SOURCE_UNBANNED = "SourceUnbanned"  # BanView: it ended by itself or was lifted
    EMERGENCY_CALLED = "EmergencyCalled"  # EmergencyView: somebody dialled an emergency number
    TEXT_RECEIVED = "TextReceived"  # TextReceived: somebody wrote to the agent


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """A caller reached a node of a flow."""

    flow: str
    node: str
    verb: str
    detail: str = ""


class CandidateView(Struct, frozen=True, kw_only=True, gc=False):
    """One agent that was weighed."""

    agent_id: str
    eligible: bool
    score: float
    note: str


class Offered(Struct, frozen=True, kw_only=True, gc=False):
    """An agent was chosen, and why."""

    interaction: InteractionView
    rule: str
    why: str
    candidates: tuple[CandidateView, ...] = ()
    others: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diverted:
    """An offer failed; the contact waits again at its place."""

    failure: str
    """A value of `acd.model.OfferFailure`."""
    rang_s: float


class Cleared(Struct, frozen=True, kw_only=True, gc=False):
    """How it ended and what it took."""

    result: str
    """`answered`, `abandoned`, `menu` (ended in the menu), `timeout`, `failed` (something broke, ours
    or a server of theirs); without a queue `direct` (they talked), `busy`, `no-answer`, `rejected`,
    `unreachable`, `cancelled` (the agent gave up before the answer)."""
    reason: str
    """One slug: `caller-hung-up`, `agent-hung-up`, `rtp-timeout`, ..."""
    waited_s: float = 0.0
    talked_s: float = 0.0
    held_s: float = 0.0
    loss: float | None = None
    """Share of the caller's packets that never came, 0 to 1."""
    jitter_ms: float | None = None
    facts: dict[str, str] = msgspec.field(default_factory=dict)
    """What the caller entered in the menu."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The caller was told where it stands."""

    position: int
    wait_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingView:
    """A recording."""

    recording_id: str
    duration_s: float = 0.0
    octets: int = 0
    sha256: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """An agent wrote a note."""

    text: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionSet:
    """An agent chose an outcome."""

    code: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLinked:
    """The interaction belongs to this customer: found, picked or created."""

    customer: CustomerCard
    how: str
    """`found`, `picked`, `created`."""


EventData = (
    InteractionView
    | FlowStep
    | Offered
    | Diverted
    | PartyView
    | TransferView
    | SupervisionView
    | Cleared
    | ScreenPop
    | AgentView
    | AgentFiguresView
    | QueueView
    | Announced
    | RecordingView
    | NoteAdded
    | DispositionSet
    | CustomerLinked
    | GatewayView
    | ServerView
    | CallBackView
    | Refused
    | BanView
    | EmergencyView
    | TextReceived
)

DATA_TYPES: Final[dict[EventType, type[Any]]] = {
    EventType.INTERACTION_STARTED: InteractionView,
    EventType.FLOW_STEP: FlowStep,
    EventType.QUEUED: InteractionView,
    EventType.OFFERED: Offered,
    EventType.DELIVERED: InteractionView,
    EventType.DIVERTED: Diverted,
    EventType.ESTABLISHED: InteractionView,
    EventType.HELD: InteractionView,
    EventType.RETRIEVED: InteractionView,
    EventType.MICROPHONE_MUTE: InteractionView,
    EventType.QUALITY_CHANGED: InteractionView,
    EventType.PARTY_CHANGED: PartyView,
    EventType.TRANSFERRED: TransferView,
    EventType.SUPERVISED: SupervisionView,
    EventType.CONNECTION_CLEARED: Cleared,
    EventType.INTERACTION_ENDED: Cleared,
    EventType.SCREEN_POP: ScreenPop,
    EventType.AGENT_STATE_CHANGED: AgentView,
    EventType.AGENT_FIGURES: AgentFiguresView,
    EventType.QUEUE_CHANGED: QueueView,
    EventType.ANNOUNCED: Announced,
    EventType.RECORDING_STARTED: RecordingView,
    EventType.RECORDING_FINISHED: RecordingView,
    EventType.NOTE_ADDED: NoteAdded,
    EventType.DISPOSITION_SET: DispositionSet,
    EventType.CUSTOMER_LINKED: CustomerLinked,
    EventType.GATEWAY_CHANGED: GatewayView,
    EventType.SERVER_CHANGED: ServerView,
    EventType.CALL_BACK: CallBackView,
    EventType.CALL_REFUSED: Refused,
    EventType.SOURCE_BANNED: BanView,
    EventType.SOURCE_UNBANNED: BanView,
    EventType.EMERGENCY_CALLED: EmergencyView,
    EventType.TEXT_RECEIVED: TextReceived,
}


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """One event of the stream."""

    seq: int
    id: str
    at: float
    type: EventType
    data: EventData
    version: int = SCHEMA_VERSION
    interaction_id: str | None = None
    call_id: str | None = None
    queue: str | None = None
    agent_id: str | None = None
    customer_id: str | None = None


# --- records ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line of an interaction's timeline."""

    seq: int
    at: float
    type: str
    """A value of `EventType`, as it was when the line was written."""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteView:
    """A note on an interaction."""

    at: float
    author: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionDetail:
    """Answer of `GET /api/v1/interactions/{id}`: an interaction with its whole timeline."""

    interaction_id: str
    channel: str
    direction: str
    """`inbound`, `outbound` or `internal`."""
    started: float
    ended: float | None = None
    """None while it lives."""
    caller_number: str = ""
    caller_name: str = ""
    called: str = ""
    queue: str | None = None
    agent_id: str | None = None
    agent_name: str = ""
    customer_id: str | None = None
    customer_name: str = ""
    result: str = ""
    """As in `Cleared`; empty while it lives."""
    reason: str = ""
    waited_s: float = 0.0
    talked_s: float = 0.0
    held_s: float = 0.0
    disposition: str | None = None
    why: str = ""
    """Why this agent was chosen."""
    notes: tuple[NoteView, ...] = ()
    recordings: tuple[RecordingView, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()


# --- commands -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnRequest:
    """Body of `POST /api/v1/sign-on`."""

    login: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCredentials:
    """What the desk's softphone needs to register."""

    number: str
    sip_host: str
    sip_port: int
    transport: str
    realm: str
    one_time_secret: str
    """A password that is valid for this number while the desk is signed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnReply:
    """Who one is now."""

    token: str
    """Bearer token for HTTP (`Authorization: Bearer ...`) and WebSocket (`?token=...`)."""
    expires: float
    login: str
    name: str
    role: Role
    agent_id: str | None
    phone: PhoneCredentials | None
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Body of every error answer: a stable id, words for people, and what to do."""

    error_id: str
    message: str
    details: dict[str, str] = field(default_factory=dict)
