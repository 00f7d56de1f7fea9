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

from msgspec import Struct

from cti.schema_bans import BanView as BanView
from cti.schema_bans import LiftBanRequest as LiftBanRequest
from cti.schema_campaigns import AttemptView as AttemptView
from cti.schema_campaigns import CampaignRemoved as CampaignRemoved
from cti.schema_campaigns import CampaignsLoaded as CampaignsLoaded
from cti.schema_campaigns import CampaignView as CampaignView
from cti.schema_campaigns import PreviewView as PreviewView
from cti.schema_commands import CustomerRequest as CustomerRequest
from cti.schema_commands import DialRequest as DialRequest
from cti.schema_commands import DigitsRequest as DigitsRequest
from cti.schema_commands import DispositionRequest as DispositionRequest
from cti.schema_commands import MuteRequest as MuteRequest
from cti.schema_commands import NoteRequest as NoteRequest
from cti.schema_commands import SetStateRequest as SetStateRequest
from cti.schema_course import Announced as Announced
from cti.schema_course import Cleared as Cleared
from cti.schema_course import DispositionSet as DispositionSet
from cti.schema_course import Diverted as Diverted
from cti.schema_course import FlowStep as FlowStep
from cti.schema_course import NoteAdded as NoteAdded
from cti.schema_course import RecordingView as RecordingView
from cti.schema_customers import ContactPoint as ContactPoint
from cti.schema_customers import CustomerCard as CustomerCard
from cti.schema_customers import CustomerLinked as CustomerLinked
from cti.schema_customers import PastInteraction as PastInteraction
from cti.schema_customers import ScreenPop as ScreenPop
from cti.schema_customers import WhyView as WhyView
from cti.schema_kept import InteractionDetail as InteractionDetail
from cti.schema_kept import NoteView as NoteView
from cti.schema_kept import TimelineEntry as TimelineEntry
from cti.schema_parties import ConsultRequest as ConsultRequest
from cti.schema_parties import DirectoryEntry as DirectoryEntry
from cti.schema_parties import FetchRequest as FetchRequest
from cti.schema_parties import ParkedView as ParkedView
from cti.schema_parties import ParkReply as ParkReply
from cti.schema_parties import ParkRequest as ParkRequest
from cti.schema_parties import PartyRequest as PartyRequest
from cti.schema_parties import PartyView as PartyView
from cti.schema_parties import PickUpRequest as PickUpRequest
from cti.schema_parties import SuperviseRequest as SuperviseRequest
from cti.schema_parties import SupervisionView as SupervisionView
from cti.schema_parties import TransferRequest as TransferRequest
from cti.schema_parties import TransferView as TransferView
from cti.schema_phones import TextReceived as TextReceived
from cti.schema_server import CallBackView as CallBackView
from cti.schema_server import GatewayStatus as GatewayStatus
from cti.schema_server import GatewayView as GatewayView
from cti.schema_server import Refused as Refused
from cti.schema_server import ServerStatus as ServerStatus
from cti.schema_server import ServerView as ServerView
from cti.schema_session import PhoneCredentials as PhoneCredentials
from cti.schema_session import Problem as Problem
from cti.schema_session import Role as Role
from cti.schema_session import SignOnReply as SignOnReply
from cti.schema_session import SignOnRequest as SignOnRequest
from cti.schema_trunks import EmergencyView as EmergencyView
from cti.schema_trunks import RouteAttemptView as RouteAttemptView
from cti.schema_trunks import RouteStepView as RouteStepView
from cti.schema_trunks import RouteView as RouteView
from cti.schema_trunks import TrunkAddressView as TrunkAddressView
from cti.schema_trunks import TrunkRegistrationView as TrunkRegistrationView
from cti.schema_trunks import TrunkView as TrunkView
from cti.value import value

SCHEMA_VERSION: Final = 1


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
    """Contacts; one that was parked and fetched, or came back from a colleague, counts once."""
    missed: int = 0
    talk_s: float = 0.0
    """Hold included."""
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
    """Without hold."""


@value
class InteractionView:
    """A live interaction."""

    interaction_id: str
    channel: str
    stage: str
    """`menu`, `waiting`, `offered`, `talking`, `held`, `wrap-up`, `direct`, `parked`."""
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
    waiting_since: float | None = None
    """When it began to wait for an agent last; offers that failed do not change it."""
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
    campaign: str = ""
    """We called, for this campaign."""
    agent_first: bool = False
    """Its agent came before its customer, who has not answered yet and may not have been called."""
    recording_failed: bool = False
    """It was to be recorded, and is not, or no longer."""


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
    parked: tuple[ParkedView, ...] = ()
    """The parking places that are taken; everybody may fetch from them."""
    campaigns: tuple[CampaignView, ...] = ()
    """An agent gets those of its queues."""
    campaigns_loading: bool = False
    """After a start: others will be told, and then `CampaignsLoaded`."""
    preview: PreviewView | None = None
    """The record that the agent has before it, in preview and manual mode."""
    supervisions: dict[str, tuple[SupervisionView, ...]] = field(default_factory=dict)
    """Who attends which interaction now; an agent is told where the site shows its supervisors."""


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
    PARKED = "Parked"  # ParkedView: a place is taken, what happens there, or that it is free again
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
    CAMPAIGN_CHANGED = "CampaignChanged"  # CampaignView, at most once a second for each
    CAMPAIGN_REMOVED = "CampaignRemoved"  # CampaignRemoved
    CAMPAIGNS_LOADED = "CampaignsLoaded"  # CampaignsLoaded: after a start, once all are known
    PREVIEW_OFFERED = "PreviewOffered"  # PreviewView: a record is shown, or what became of that
    ATTEMPT_ENDED = "AttemptEnded"  # AttemptView


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


EventData = (
    InteractionView
    | FlowStep
    | Offered
    | Diverted
    | PartyView
    | TransferView
    | ParkedView
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
    | CampaignView
    | CampaignRemoved
    | CampaignsLoaded
    | PreviewView
    | AttemptView
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
    EventType.PARKED: ParkedView,
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
    EventType.CAMPAIGN_CHANGED: CampaignView,
    EventType.CAMPAIGN_REMOVED: CampaignRemoved,
    EventType.CAMPAIGNS_LOADED: CampaignsLoaded,
    EventType.PREVIEW_OFFERED: PreviewView,
    EventType.ATTEMPT_ENDED: AttemptView,
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
