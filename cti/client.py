"""The API client of desks, wallboards and command line: a method for each route, and the stream.

It keeps the sign-on for as long as it lives, so that a desk survives a restart of the server: see
`client_requests` for commands and `client_stream` for events.

Errors: `ApiError` is the server's refusal, `ServerUnreachableError` says that no answer came.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx
import msgspec

from cti.client_campaign_records import CampaignRecordCommands
from cti.client_campaigns import CampaignCommands
from cti.client_items import Connected, ConnectionLost, SignedOnAgain, StreamEnded, StreamItem
from cti.client_parties import PartyCommands
from cti.client_requests import ATTEMPT_DELAYS_S, ApiError, Requests, ServerUnreachableError
from cti.client_stream import RECONNECT_DELAYS_S, EventStream
from cti.schema import (
    AgentView,
    BanView,
    CustomerCard,
    CustomerRequest,
    DialRequest,
    DigitsRequest,
    DispositionRequest,
    GatewayStatus,
    InteractionDetail,
    LiftBanRequest,
    MuteRequest,
    NoteRequest,
    RouteView,
    SetStateRequest,
    SignOnReply,
    Snapshot,
    TrunkView,
)
from cti.schema_calls import CallLegPage, TraceView
from cti.schema_phones import MailboxRequest, MailboxView, TextReply, TextRequest

__all__ = [
    "ApiClient",
    "ApiError",
    "Connected",
    "ConnectionLost",
    "ServerUnreachableError",
    "SignedOnAgain",
    "StreamEnded",
    "StreamItem",
]


class ApiClient(CampaignCommands, CampaignRecordCommands, PartyCommands):
    """One signed-on user of the server at `base_url`.

    `async with ApiClient("http://127.0.0.1:8080") as api: await api.sign_on(...)`. The delays are
    the pauses before a command is repeated and before the stream is opened again.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
        attempt_delays_s: tuple[float, ...] = ATTEMPT_DELAYS_S,
        reconnect_delays_s: tuple[float, ...] = RECONNECT_DELAYS_S,
    ) -> None:
        parts = urlsplit(base_url if "//" in base_url else f"http://{base_url}")
        self._requests = Requests(
            urlunsplit((parts.scheme, parts.netloc, "", "", "")),
            transport=transport,
            attempt_delays_s=attempt_delays_s,
        )
        scheme = "wss" if parts.scheme == "https" else "ws"
        stream_url = urlunsplit((scheme, parts.netloc, "/api/v1/events", "", ""))
        self._stream = EventStream(stream_url, self._requests, clock, reconnect_delays_s)
        self._clock = clock

    async def __aenter__(self) -> Self:
        """Give itself; sign on separately."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections; does not sign off."""
        await self._stream.close()
        await self._requests.close()

    @property
    def base_url(self) -> str:
        """Scheme, host and port of the server."""
        return self._requests.base_url

    def server_time(self) -> float:
        """Now, by the server's clock as of the last snapshot."""
        return self._clock() + self._stream.clock_offset

    # --- sign-on ---

    @property
    def signed_on(self) -> SignOnReply | None:
        """What the server answered to the last sign-on; None before it and after signing off."""
        return self._requests.signed_on

    async def sign_on(self, login: str, password: str) -> SignOnReply:
        """Sign on; raises `ApiError` (401: wrong login or password)."""
        return await self._requests.sign_on(login, password)

    async def renew_sign_on(self) -> SignOnReply | None:
        """Sign on again as the same user, for a new token and a new secret for the phone.

        None when nobody is signed on. Raises `ApiError` and `ServerUnreachableError`.
        """
        return await self._requests.sign_on_again()

    async def sign_off(self) -> None:
        """Sign off; the stream ends by itself."""
        await self._requests.sign_off()

    # --- the stream ---

    def stream(self, *, is_desk: bool = True) -> AsyncIterator[StreamItem]:
        """Snapshot and events, for as long as the user may have them.

        An agent has one desk; not `is_desk`: who also takes calls only watches here. Reconnects by
        itself; ends after `StreamEnded`. Raises `RuntimeError` before sign-on.
        """
        return self._stream.items(is_desk=is_desk)

    async def ack(self, seq: int) -> None:
        """Tell that the screen pop with this `seq` is on the screen."""
        await self._stream.ack(seq)

    # --- the agent ---

    async def set_state(self, state: str, reason: str = "", *, agent: str = "me") -> AgentView:
        """Become `available` or `not-ready` with a reason."""
        body = SetStateRequest(state=state, reason=reason)
        content = await self._requests.post(f"/api/v1/agents/{quote(agent)}/state", body)
        return msgspec.json.decode(content, type=AgentView)

    async def finish_wrap_up(self) -> None:
        """End the wrap-up now."""
        await self._requests.post("/api/v1/agents/me/wrap-up/finish")

    async def extend_wrap_up(self) -> None:
        """Ask for more time to wrap up."""
        await self._requests.post("/api/v1/agents/me/wrap-up/extend")

    async def dial(self, number: str) -> None:
        """Call out: the agent's own phone rings first, then the number."""
        await self._requests.post("/api/v1/agents/me/dial", DialRequest(number=number))

    # --- an interaction ---

    async def hold(self, interaction_id: str) -> None:
        """Put the customer on hold."""
        await self._requests.post(_interaction(interaction_id, "hold"))

    async def resume(self, interaction_id: str) -> None:
        """Take the customer off hold."""
        await self._requests.post(_interaction(interaction_id, "resume"))

    async def hang_up(self, interaction_id: str) -> None:
        """End the call."""
        await self._requests.post(_interaction(interaction_id, "hang-up"))

    async def phone_lost(self, interaction_id: str) -> None:
        """Tell that our phone has died: a customer from a queue goes back to its head."""
        await self._requests.post(_interaction(interaction_id, "phone-lost"))

    async def mute(self, interaction_id: str, muted: bool) -> None:
        """Stop or let the customer hear the agent."""
        await self._requests.post(_interaction(interaction_id, "mute"), MuteRequest(muted=muted))

    async def digits(self, interaction_id: str, digits: str) -> None:
        """Send digits to the far end."""
        await self._requests.post(
            _interaction(interaction_id, "digits"), DigitsRequest(digits=digits)
        )

    async def note(self, interaction_id: str, text: str) -> None:
        """Add a note."""
        await self._requests.post(_interaction(interaction_id, "notes"), NoteRequest(text=text))

    async def set_disposition(self, interaction_id: str, code: str) -> None:
        """Choose the outcome."""
        body = DispositionRequest(code=code)
        await self._requests.post(_interaction(interaction_id, "disposition"), body)

    async def link_customer(self, interaction_id: str, request: CustomerRequest) -> CustomerCard:
        """Pick a candidate, or create a customer, for this interaction."""
        content = await self._requests.post(_interaction(interaction_id, "customer"), request)
        return msgspec.json.decode(content, type=CustomerCard)

    # --- questions ---

    async def snapshot(self) -> Snapshot:
        """The state now."""
        return await self._requests.get("/api/v1/snapshot", Snapshot)

    async def interaction(self, interaction_id: str) -> InteractionDetail:
        """An interaction with its whole timeline."""
        return await self._requests.get(
            f"/api/v1/interactions/{quote(interaction_id)}", InteractionDetail
        )

    async def customers(self, *, number: str = "", name: str = "") -> list[CustomerCard]:
        """Customers with this number, or with a name like this."""
        query = {"number": number} if number else {"name": name}
        return await self._requests.get("/api/v1/customers", list[CustomerCard], query)

    async def customer(self, customer_id: str) -> CustomerCard:
        """One customer."""
        return await self._requests.get(f"/api/v1/customers/{quote(customer_id)}", CustomerCard)

    async def trunks(self) -> list[TrunkView]:
        """How trunks and groups stand."""
        return await self._requests.get("/api/v1/trunks", list[TrunkView])

    async def route(self, number: str, by: str) -> RouteView:
        """Where a number leads that the phone `by` dials now, and why."""
        query = urlencode({"number": number, "by": by})
        return await self._requests.get(f"/api/v1/trunks/route?{query}", RouteView)

    async def bans(self) -> list[BanView]:
        """The sources that are banned now."""
        return await self._requests.get("/api/v1/bans", list[BanView])

    async def gateways(self) -> list[GatewayStatus]:
        """How the media gateways stand."""
        return await self._requests.get("/api/v1/gateways", list[GatewayStatus])

    async def drain_gateway(self, name: str, *, on: bool) -> GatewayStatus:
        """Let a media gateway take no new calls, or take them again."""
        verb = "drain" if on else "undrain"
        content = await self._requests.post(f"/api/v1/gateways/{quote(name, safe='')}/{verb}")
        return msgspec.json.decode(content, type=GatewayStatus)

    async def lift_ban(self, source: str) -> None:
        """Let a source in again."""
        await self._requests.post("/api/v1/bans/lift", LiftBanRequest(source=source))

    # --- calls ---

    async def call_legs(self, **query: str) -> CallLegPage:
        """A page of call detail records; the query is that of `GET /api/v1/calls`."""
        return await self._requests.get("/api/v1/calls", CallLegPage, query)

    async def traces(self, wanted: str) -> list[TraceView]:
        """The signalling of calls, by an id or a number."""
        return await self._requests.get("/api/v1/trace", list[TraceView], {"wanted": wanted})

    # --- phones ---

    async def mailbox(self, phone: str) -> MailboxView:
        """How many messages wait for a phone."""
        return await self._requests.get(f"/api/v1/phones/{quote(phone)}/mailbox", MailboxView)

    async def set_mailbox(self, phone: str, *, new: int, old: int = 0) -> MailboxView:
        """Set how many messages wait for a phone."""
        body = MailboxRequest(new=new, old=old)
        content = await self._requests.post(f"/api/v1/phones/{quote(phone)}/mailbox", body)
        return msgspec.json.decode(content, type=MailboxView)

    async def write(self, phone: str, text: str) -> TextReply:
        """Send a short message to a phone and its agent's desk."""
        body = TextRequest(text=text)
        content = await self._requests.post(f"/api/v1/phones/{quote(phone)}/messages", body)
        return msgspec.json.decode(content, type=TextReply)

    async def is_healthy(self) -> bool:
        """Whether the server accepts calls; False also when it cannot be reached."""
        return await self._requests.is_healthy()


def _interaction(interaction_id: str, verb: str) -> str:
    return f"/api/v1/interactions/{quote(interaction_id)}/{verb}"
