"""What the API needs from the rest; `cti.app` provides it.

Commands of the floor are synchronous: they run inside the turn of the event loop in which the
request arrived, as every other input does. What touches the store is asynchronous.

All of them may raise the errors of `cti.errors`; anything else is a fault and is answered with 500.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from cti.api.absent import NobodyBanned, NoCalls, NoGateways, NoPhones, NoTrunks
from cti.api.behaviour import ApiSettings as ApiSettings
from cti.api.campaign_ports import CampaignDesk, CampaignRecords
from cti.api.counters import ApiCounters
from cti.bus import Bus
from cti.schema import (
    AgentView,
    BanView,
    CustomerCard,
    CustomerRequest,
    DirectoryEntry,
    GatewayStatus,
    InteractionDetail,
    ParkedView,
    PhoneCredentials,
    Role,
    RouteView,
    ServerStatus,
    Snapshot,
    SuperviseRequest,
    TransferRequest,
    TrunkView,
)
from cti.schema_calls import CallLegPage, TraceView
from cti.schema_phones import MailboxView


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who may sign on."""

    login: str
    name: str
    role: Role
    agent_id: str | None = None
    """The agent this person is; None for people who take no calls."""
    language: str = "en"


class Accounts(Protocol):
    """Who may sign on. `cti.api.accounts.PasswordAccounts` is the one with argon2."""

    async def verify(self, login: str, password: str) -> Account | None:
        """Give the account if the password is right, after the same time as if it were not."""

    def get(self, login: str) -> Account | None:
        """Give the account as it is now; None once it was removed, which voids its tokens."""


class Floor(Protocol):
    """Agents, live interactions, and commands to them."""

    def snapshot(self, account: Account) -> Snapshot:
        """What this person sees now. `seq` is set by the API."""

    def agent_queues(self, agent_id: str) -> frozenset[str]:
        """The queues whose figures the agent sees."""

    def interaction_agent(self, interaction_id: str) -> str | None:
        """The agent of a live interaction (offered, talking, in wrap-up); None: it has none.

        Raises `NotFound` for an id that is not known, `Conflict` (`interaction-over`) for one that
        is over. Either will do for an old one: the API then asks `History`.
        """

    def directory(self) -> tuple[DirectoryEntry, ...]:
        """Agents who are signed on, and queues."""

    def earlier_agents(self, interaction_id: str) -> tuple[str, ...]:
        """Those who had a live interaction before the agent it has now."""

    def set_state(self, agent_id: str, state: str, reason: str) -> AgentView:
        """Make the agent `available` or `not-ready`, now or after what it is doing."""

    def finish_wrap_up(self, agent_id: str) -> None:
        """End the wrap-up now. `Conflict` when there is none."""

    def extend_wrap_up(self, agent_id: str) -> None:
        """Stop the wrap-up countdown. `Conflict` when there is none."""

    def dial(self, agent_id: str, number: str) -> None:
        """Ring the agent's phone, then the number."""

    def hold(self, interaction_id: str, actor: Account) -> None:
        """Put the customer on hold."""

    def resume(self, interaction_id: str, actor: Account) -> None:
        """End the hold."""

    def hang_up(self, interaction_id: str, actor: Account) -> None:
        """End the conversation."""

    def phone_lost(self, interaction_id: str, actor: Account) -> None:
        """The agent's phone has died: a customer from a queue waits for another agent, first in line."""

    def mute(self, interaction_id: str, muted: bool, actor: Account) -> None:
        """Let the customer hear the agent no longer, or again."""

    def send_digits(self, interaction_id: str, digits: str, actor: Account) -> None:
        """Send keys to the customer's side. `digits` is not empty, of 0-9 * # A-D, at most 32."""

    def desk_connected(self, agent_id: str, session: str) -> None:
        """A desk of this agent is on the stream. Called for each sign-on that connects."""

    def desk_gone(self, agent_id: str) -> None:
        """The agent has no desk any more: signed off, or away for longer than the grace period."""

    def pop_acknowledged(self, agent_id: str, seq: int) -> None:
        """The screen pop with this sequence number is on the agent's screen."""

    def phone_credentials(self, agent_id: str) -> PhoneCredentials | None:
        """What the desk's softphone needs to register, with a new one-time secret.

        Called at each sign-on; None when the agent has no phone of ours. The secret ends with
        `desk_gone`.
        """


class Parties(Protocol):
    """Consultation, transfer, conference and supervision. All may raise `Conflict`, in words."""

    def consult(self, interaction_id: str, number: str) -> None:
        """Call somebody while the customer hears music."""

    def consult_step(self, interaction_id: str, step: str) -> None:
        """`complete`, `join`, `toggle` or `cancel` the consultation."""

    def transfer(self, interaction_id: str, request: TransferRequest) -> None:
        """Give the interaction away at once."""

    def remove(self, interaction_id: str, number: str) -> None:
        """Hang up on one who joined."""

    def supervise(self, interaction_id: str, request: SuperviseRequest, actor: Account) -> None:
        """Attend it in a role, or take it over."""

    def stop_supervising(self, interaction_id: str, actor: Account) -> None:
        """Attend it no longer."""


class Parked(Protocol):
    """Parked calls and pick-up. All may raise `Conflict`, in words."""

    def list(self) -> tuple[ParkedView, ...]:
        """The places that are taken."""

    def park(self, interaction_id: str, slot: str) -> str:
        """Park a talk; gives the place. `slot` empty: the next free one."""

    def fetch(self, slot: str, phone: str, *, own: bool) -> None:
        """Call a phone that then has the call; `own`: it is the phone of who asks, and takes it at once."""

    def pick_up(self, number: str, phone: str, *, own: bool) -> None:
        """Call a phone that then has what rings at `number`; empty: at its colleagues. `own` as above."""


class Customers(Protocol):
    """The customer store."""

    async def by_number(self, number: str) -> list[CustomerCard]:
        """Everyone with this number, in any notation; best match first."""

    async def by_name(self, name: str) -> list[CustomerCard]:
        """Everyone of whose name or company a word begins with each of these words, at most 50."""

    async def get(self, customer_id: str) -> CustomerCard:
        """One customer, or `NotFound`."""

    async def link(
        self, interaction_id: str, request: CustomerRequest, actor: Account
    ) -> CustomerCard:
        """Link the interaction to the customer picked, or to one created from the request."""


class History(Protocol):
    """Interactions as they are kept, live ones included."""

    async def interaction(
        self, interaction_id: str, *, for_supervisor: bool = False
    ) -> InteractionDetail:
        """The interaction with its timeline, or `NotFound`; who attended it is for supervisors alone."""

    async def interaction_agent(self, interaction_id: str) -> str | None:
        """The agent it was last with; `NotFound` when there is no such interaction."""

    async def add_note(self, interaction_id: str, text: str, author: Account) -> None:
        """Keep a note; also tells the others (`NoteAdded`)."""

    async def set_disposition(self, interaction_id: str, code: str, author: Account) -> None:
        """Set the outcome; `Invalid` for a code that is not configured."""


class Bans(Protocol):
    """Who is shut out of SIP and of signing on."""

    def list(self) -> tuple[BanView, ...]:
        """Every ban that holds, the oldest first."""

    def lift(self, source: str, actor: Account) -> None:
        """End a ban, or `NotFound`."""

    def shut_out_for(self, address: str) -> float:
        """Seconds for which nobody may sign on from this address; 0: they may."""

    def is_shared(self, address: str) -> bool:
        """True where people of ours use the address, or a proxy: one must not shut out all others."""

    def right_password(self, address: str, login: str) -> None:
        """A sign-on from this address succeeded."""

    def wrong_password(self, address: str, *, is_slowed: bool) -> None:
        """A sign-on from this address failed; `is_slowed`: the pauses of its login had begun."""


class TrunkDesk(Protocol):
    """Carriers as people see them."""

    def view(self) -> tuple[TrunkView, ...]:
        """How trunks and groups stand."""

    def route(self, number: str, caller: str) -> RouteView:
        """Where a number leads that a phone dials now, and why."""


class GatewayDesk(Protocol):
    """Media gateways as people see them."""

    def view(self) -> tuple[GatewayStatus, ...]:
        """How each of them stands."""

    def drain(self, name: str, *, on: bool, actor: Account) -> GatewayStatus:
        """Let one take no new calls, or take them again. `NotFound`."""


class Phones(Protocol):
    """The phones, apart from their calls."""

    def mailbox(self, phone: str) -> MailboxView:
        """What waits for a phone, or `NotFound`."""

    def set_mailbox(self, phone: str, new: int, old: int) -> MailboxView:
        """Set what waits for a phone. `NotFound`, `Invalid`."""

    async def write(self, sender: str, phone: str, text: str) -> int:
        """Send a short message; gives the SIP status of the answer. `NotFound`, `Invalid`."""


class CallsDesk(Protocol):
    """Records and traces of calls."""

    async def legs(self, *, limit: int, cursor: str, **wanted: Any) -> CallLegPage:
        """One page of call detail records; `wanted` as `crm_store.facts.CallLegFilter` has it."""

    async def traces(self, wanted: str, *, with_text: bool) -> list[TraceView]:
        """The calls of an id or a number, drawn; `NotFound` where there are none."""


class Health(Protocol):
    """Whether calls are accepted."""

    def __call__(self) -> tuple[bool, str]:
        """True, or False with the reason in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPorts:
    """All of it."""

    accounts: Accounts
    floor: Floor
    customers: Customers
    history: History
    health: Health
    bus: Bus
    status: Callable[[], ServerStatus] = ServerStatus
    """What lives and what was counted, for operators."""
    bans: Bans = field(default_factory=NobodyBanned)
    trunks: TrunkDesk = field(default_factory=NoTrunks)
    gateways: GatewayDesk = field(default_factory=NoGateways)
    phones: Phones = field(default_factory=NoPhones)
    calls: CallsDesk = field(default_factory=NoCalls)
    parties: Parties | None = None
    """None for servers without calls, as the next ones."""
    parked: Parked | None = None
    campaigns: CampaignDesk | None = None
    campaign_records: CampaignRecords | None = None
    counters: ApiCounters = field(default_factory=ApiCounters)
    """Where it counts whom it did not serve."""
    metrics: Callable[[str], tuple[bytes, str]] = lambda accept: (b"", "text/plain")
    """The figures of `/metrics` and their content type, for an `Accept` header."""
