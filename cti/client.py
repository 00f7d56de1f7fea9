"""The API client of desks, wallboards and command line: commands, and the stream of events.

It keeps the sign-on for as long as it lives, so that a desk survives a restart of the server: a
token that is no longer valid is renewed, commands are repeated with their idempotency key, and the
stream resumes where it broke off.

Errors: `ApiError` is the server's refusal, `ServerUnreachableError` says that no answer came.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
import msgspec
import websockets
from websockets.asyncio.client import ClientConnection, connect

from cti.schema import (
    DATA_TYPES,
    AgentView,
    CustomerCard,
    CustomerRequest,
    DialRequest,
    DigitsRequest,
    DispositionRequest,
    Event,
    EventType,
    InteractionDetail,
    MuteRequest,
    NoteRequest,
    Problem,
    SetStateRequest,
    SignOnReply,
    SignOnRequest,
    Snapshot,
)

T = TypeVar("T")

_ATTEMPT_DELAYS_S: Final = (0.2, 0.6, 1.5)
"""Pauses before a command is repeated; after the last, `ServerUnreachableError`."""
_RECONNECT_DELAYS_S: Final = (0.5, 1.0, 2.0, 3.0, 5.0)
"""Pauses before the stream is opened again; the last one repeats."""
_TIMEOUT_S: Final = 5.0
_PING_S: Final = 5.0
_REFUSED: Final = (401, 403)


class ApiError(Exception):
    """The server refused; `problem` says why and what to do."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem.message)
        self.status = status
        self.problem = problem


class ServerUnreachableError(Exception):
    """No answer from the server, also after trying again."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is open; a snapshot follows unless it was resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLost:
    """The stream broke off and is opened again by itself."""

    retry_in_s: float
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOnAgain:
    """The old token was refused and the client signed on anew; phones must register again."""

    reply: SignOnReply


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnded:
    """The stream is over for good: signed off, or no longer allowed."""

    reason: str


StreamItem = Snapshot | Event | Connected | ConnectionLost | SignedOnAgain | StreamEnded


class _ResumeRefusedError(Exception):
    """The server gave a snapshot where its events should have gone on.

    It was restarted, or we were away for longer than it keeps them. What belongs to the sign-on
    (the phone's secret) may be gone as well.
    """


class _WireEvent(msgspec.Struct):
    """An event with its data still in text: its class depends on the type."""

    seq: int
    id: str
    at: float
    type: str
    data: msgspec.Raw
    version: int = 1
    interaction_id: str | None = None
    call_id: str | None = None
    queue: str | None = None
    agent_id: str | None = None
    customer_id: str | None = None


class _WireMessage(msgspec.Struct):
    """One message of the stream."""

    kind: str
    snapshot: Snapshot | None = None
    event: _WireEvent | None = None
    reason: str = ""


_message_decoder = msgspec.json.Decoder(_WireMessage)
_KNOWN_TYPES: Final = frozenset(str(kind) for kind in EventType)


def decode_event(wire: _WireEvent) -> Event | None:
    """The typed event; None for a type that this version does not know."""
    if wire.type not in _KNOWN_TYPES:
        return None
    kind = EventType(wire.type)
    return Event(
        seq=wire.seq,
        id=wire.id,
        at=wire.at,
        type=kind,
        data=msgspec.json.decode(wire.data, type=DATA_TYPES[kind]),
        version=wire.version,
        interaction_id=wire.interaction_id,
        call_id=wire.call_id,
        queue=wire.queue,
        agent_id=wire.agent_id,
        customer_id=wire.customer_id,
    )


class ApiClient:
    """One signed-on user of the server at `base_url`.

    `async with ApiClient("http://127.0.0.1:8080") as api: await api.sign_on(...)`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        parts = urlsplit(base_url if "//" in base_url else f"http://{base_url}")
        self.base_url = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        # The server is on this host or in the house: no proxy from the environment.
        self._http = httpx.AsyncClient(
            base_url=self.base_url, timeout=_TIMEOUT_S, trust_env=False, transport=transport
        )
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._stream_url = urlunsplit((scheme, parts.netloc, "/api/v1/events", "", ""))
        self._clock = clock
        self._credentials: SignOnRequest | None = None
        self._socket: ClientConnection | None = None
        self.signed_on: SignOnReply | None = None
        self.last_seq: int | None = None
        """The cursor for resuming the stream."""
        self.clock_offset = 0.0
        """Server's time minus ours, in seconds, from the last snapshot."""

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
        if self._socket is not None:
            await self._socket.close()
        await self._http.aclose()

    def server_time(self) -> float:
        """Now, by the server's clock."""
        return self._clock() + self.clock_offset

    # --- sign-on ---

    async def sign_on(self, login: str, password: str) -> SignOnReply:
        """Sign on; raises `ApiError` (401: wrong login or password)."""
        self._credentials = SignOnRequest(login=login, password=password)
        return await self._sign_on(self._credentials)

    async def _sign_on(self, credentials: SignOnRequest) -> SignOnReply:
        content = await self._post("/api/v1/sign-on", credentials, renew=False)
        self.signed_on = msgspec.json.decode(content, type=SignOnReply)
        return self.signed_on

    async def renew_sign_on(self) -> SignOnReply | None:
        """Sign on again as the same user, for a new token and a new secret for the phone.

        None when nobody is signed on. Raises `ApiError` and `ServerUnreachableError`.
        """
        return await self._sign_on(self._credentials) if self._credentials is not None else None

    async def sign_off(self) -> None:
        """Sign off; the stream ends by itself."""
        await self._post("/api/v1/sign-off", None, renew=False)
        self.signed_on = self._credentials = None

    # --- the agent ---

    async def set_state(self, state: str, reason: str = "", *, agent: str = "me") -> AgentView:
        """Become `available` or `not-ready` with a reason."""
        body = SetStateRequest(state=state, reason=reason)
        content = await self._post(f"/api/v1/agents/{quote(agent)}/state", body)
        return msgspec.json.decode(content, type=AgentView)

    async def finish_wrap_up(self) -> None:
        """End the wrap-up now."""
        await self._post("/api/v1/agents/me/wrap-up/finish", None)

    async def extend_wrap_up(self) -> None:
        """Ask for more time to wrap up."""
        await self._post("/api/v1/agents/me/wrap-up/extend", None)

    async def dial(self, number: str) -> None:
        """Call out: the agent's own phone rings first, then the number."""
        await self._post("/api/v1/agents/me/dial", DialRequest(number=number))

    # --- an interaction ---

    async def hold(self, interaction_id: str) -> None:
        """Put the customer on hold."""
        await self._post(_interaction(interaction_id, "hold"), None)

    async def resume(self, interaction_id: str) -> None:
        """Take the customer off hold."""
        await self._post(_interaction(interaction_id, "resume"), None)

    async def hang_up(self, interaction_id: str) -> None:
        """End the call."""
        await self._post(_interaction(interaction_id, "hang-up"), None)

    async def mute(self, interaction_id: str, muted: bool) -> None:
        """Stop or let the customer hear the agent."""
        await self._post(_interaction(interaction_id, "mute"), MuteRequest(muted=muted))

    async def digits(self, interaction_id: str, digits: str) -> None:
        """Send digits to the far end."""
        await self._post(_interaction(interaction_id, "digits"), DigitsRequest(digits=digits))

    async def note(self, interaction_id: str, text: str) -> None:
        """Add a note."""
        await self._post(_interaction(interaction_id, "notes"), NoteRequest(text=text))

    async def set_disposition(self, interaction_id: str, code: str) -> None:
        """Choose the outcome."""
        body = DispositionRequest(code=code)
        await self._post(_interaction(interaction_id, "disposition"), body)

    async def link_customer(self, interaction_id: str, request: CustomerRequest) -> CustomerCard:
        """Pick a candidate, or create a customer, for this interaction."""
        content = await self._post(_interaction(interaction_id, "customer"), request)
        return msgspec.json.decode(content, type=CustomerCard)

    # --- questions ---

    async def snapshot(self) -> Snapshot:
        """The state now."""
        return await self._get("/api/v1/snapshot", Snapshot)

    async def interaction(self, interaction_id: str) -> InteractionDetail:
        """An interaction with its whole timeline."""
        return await self._get(f"/api/v1/interactions/{quote(interaction_id)}", InteractionDetail)

    async def customers(self, *, number: str = "", name: str = "") -> list[CustomerCard]:
        """Customers with this number, or with a name like this."""
        query = {"number": number} if number else {"name": name}
        return await self._get("/api/v1/customers", list[CustomerCard], query)

    async def customer(self, customer_id: str) -> CustomerCard:
        """One customer."""
        return await self._get(f"/api/v1/customers/{quote(customer_id)}", CustomerCard)

    async def is_healthy(self) -> bool:
        """Whether the server accepts calls; False also when it cannot be reached."""
        try:
            return (await self._http.get("/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    # --- HTTP ---

    async def _get(self, path: str, kind: type[T], query: dict[str, str] | None = None) -> T:
        content = await self._send("GET", path, params=query)
        return msgspec.json.decode(content, type=kind)

    async def _post(self, path: str, body: object | None, *, renew: bool = True) -> bytes:
        content = b"" if body is None else msgspec.json.encode(body)
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if content:
            headers["Content-Type"] = "application/json"
        return await self._send("POST", path, content=content, headers=headers, renew=renew)

    async def _send(self, method: str, path: str, *, renew: bool = True, **kwargs: Any) -> bytes:
        reply = await self._request(method, path, **kwargs)
        if reply.status_code == 401 and renew and self._credentials is not None:
            await self._sign_on(self._credentials)
            reply = await self._request(method, path, **kwargs)
        if reply.is_success:
            return reply.content
        raise ApiError(reply.status_code, _problem(reply))

    async def _request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> httpx.Response:
        sent = dict(headers or {})
        if self.signed_on is not None:
            sent["Authorization"] = f"Bearer {self.signed_on.token}"
        for delay in (*_ATTEMPT_DELAYS_S, None):
            try:
                return await self._http.request(method, path, headers=sent, **kwargs)
            except httpx.TransportError as exc:
                if delay is None:
                    reason = str(exc) or type(exc).__name__
                    raise ServerUnreachableError(
                        f"no answer from {self.base_url}: {reason}"
                    ) from exc
            await asyncio.sleep(delay)
        raise AssertionError  # the last round returns or raises

    # --- the stream ---

    async def stream(self) -> AsyncIterator[StreamItem]:
        """Snapshot and events, for as long as the user may have them.

        Reconnects by itself; ends after `StreamEnded`. Raises `RuntimeError` before sign-on.
        """
        if self.signed_on is None:
            raise RuntimeError("sign on before opening the stream")
        attempt = 0
        while True:
            reason = "closed"
            try:
                async for item in self._one_connection():
                    attempt = 0
                    yield item
                    if isinstance(item, StreamEnded):
                        return
            except websockets.InvalidStatus as exc:
                if exc.response.status_code in _REFUSED:
                    renewed = await self._renew()
                    if not isinstance(renewed, ConnectionLost):
                        yield renewed
                        if isinstance(renewed, StreamEnded):
                            return
                reason = f"status {exc.response.status_code}"
            except _ResumeRefusedError:
                renewed = await self._renew()
                if not isinstance(renewed, ConnectionLost):
                    yield renewed
                    if isinstance(renewed, StreamEnded):
                        return
                    continue
                reason = renewed.reason
            except msgspec.DecodeError as exc:
                reason = f"the server said something strange: {exc}"
            except (OSError, TimeoutError, websockets.WebSocketException) as exc:
                reason = str(exc) or type(exc).__name__
            finally:
                self._socket = None
            if self.signed_on is None:
                yield StreamEnded(reason="signed-off")
                return
            delay = _RECONNECT_DELAYS_S[min(attempt, len(_RECONNECT_DELAYS_S) - 1)]
            attempt += 1
            yield ConnectionLost(retry_in_s=delay, attempt=attempt, reason=reason)
            # Spread, so that a floor of desks does not come back in the same instant.
            await asyncio.sleep(delay * random.uniform(0.8, 1.0))

    async def _one_connection(self) -> AsyncIterator[StreamItem]:
        assert self.signed_on is not None
        url = f"{self._stream_url}?token={quote(self.signed_on.token)}"
        resuming = self.last_seq is not None
        if resuming:
            url += f"&after={self.last_seq}"
        async with connect(
            url,
            proxy=None,
            open_timeout=_TIMEOUT_S,
            close_timeout=1,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            max_size=16 * 1024 * 1024,
        ) as socket:
            self._socket = socket
            yield Connected()
            async for text in socket:
                for item in self._read(text):
                    if resuming and isinstance(item, Snapshot):
                        raise _ResumeRefusedError
                    yield item
                resuming = False

    def _read(self, text: str | bytes) -> Iterator[StreamItem]:
        message = _message_decoder.decode(text)
        if message.snapshot is not None:
            self.last_seq = message.snapshot.seq
            self.clock_offset = message.snapshot.at - self._clock()
            yield message.snapshot
        elif message.event is not None:
            self.last_seq = message.event.seq
            event = decode_event(message.event)
            if event is not None:
                yield event
        elif message.kind == "bye" and message.reason == "signed-off":
            yield StreamEnded(reason=message.reason)

    async def _renew(self) -> StreamItem:
        """Sign on again after a refusal."""
        if self._credentials is None:
            return StreamEnded(reason="signed-off")
        try:
            reply = await self._sign_on(self._credentials)
        except ApiError as exc:
            if exc.status in _REFUSED:
                return StreamEnded(reason=exc.problem.message)
        except ServerUnreachableError:
            pass
        else:
            self.last_seq = None  # the numbers of a restarted server begin anew
            return SignedOnAgain(reply=reply)
        return ConnectionLost(retry_in_s=0, attempt=0, reason="sign-on failed")

    async def ack(self, seq: int) -> None:
        """Tell that the screen pop with this `seq` is on the screen."""
        if self._socket is not None:
            with contextlib.suppress(websockets.ConnectionClosed):
                await self._socket.send(f'{{"kind": "ack", "seq": {seq}}}')


def _interaction(interaction_id: str, verb: str) -> str:
    return f"/api/v1/interactions/{quote(interaction_id)}/{verb}"


def _problem(reply: httpx.Response) -> Problem:
    """The server's words, or the plain status where a proxy or a crash answered."""
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.json.decode(reply.content, type=Problem)
    return Problem(
        error_id=f"http-{reply.status_code}",
        message=f"the server answered {reply.status_code} {reply.reason_phrase}",
    )
