"""The stream: one snapshot, then events, over a WebSocket.

One object per connection. It ends when the client goes, when the server or the sign-on ends, or when
the client does not read. In the last cases the client is told (`bye`); one that does not even take
that within a second is cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from cti.api.desks import Desks
from cti.api.ports import Account, ApiPorts
from cti.api.tokens import Token
from cti.bus import Audience, Subscription
from cti.schema import Role, Snapshot

_log = logging.getLogger(__name__)

_BYE_S: Final = 1.0
"""A client gets so long to take its `bye`."""
_MAX_NONSENSE: Final = 20
"""Messages that mean nothing, before the client is told to go."""
_CLOSE_CODES: Final = {
    "shutdown": 1012,
    "signed-off": 4001,
    "slow": 4002,
    "elsewhere": 4003,
    "busy-elsewhere": 4004,
    "nonsense": 1008,
}

_ON_A_CALL: Final = frozenset({"reserved", "ringing", "talking", "held"})
"""States of an agent whose call would be lost with its desk."""


class _Ack(msgspec.Struct):
    """`{"kind": "ack", "seq": n}`."""

    kind: str
    seq: int = 0


class _SnapshotMessage(msgspec.Struct):
    """`{"kind": "snapshot", "snapshot": ...}`."""

    kind: str
    snapshot: Snapshot


_read_ack = msgspec.json.Decoder(_Ack).decode
_encode = msgspec.json.Encoder().encode


@dataclasses.dataclass(slots=True, eq=False)
class _Opening:
    """A stream that is not accepted yet."""

    session: str
    over: str | None = None
    """Why it must not go on, if that came between the look at its token and the acceptance."""


@dataclasses.dataclass(slots=True, eq=False)
class _Open:
    """A stream that is open."""

    token: Token
    desk_of: str | None
    """The agent who works at it; None where nobody does."""
    answers: Callable[[], Awaitable[bool]] | None
    """Asks whether the client is there; None where that cannot be asked."""


class Streams:
    """All streams of one application."""

    def __init__(
        self,
        ports: ApiPorts,
        desks: Desks,
        queue_limit: int,
        revoke: Callable[[Token], None],
    ) -> None:
        """`revoke` makes a token void."""
        self._ports = ports
        self._desks = desks
        self._queue_limit = queue_limit
        self._revoke = revoke
        self._open: dict[Subscription, _Open] = {}
        self._opening: set[_Opening] = set()
        self._nobody_left = asyncio.Event()
        self._nobody_left.set()

    def __len__(self) -> int:
        """Streams that are open."""
        return len(self._open)

    async def serve(
        self,
        websocket: WebSocket,
        account: Account,
        token: Token,
        after: int | None,
        *,
        is_desk: bool,
    ) -> None:
        """Run one stream until it ends. The WebSocket is accepted here.

        `is_desk`: an agent, if the account is one, works there; otherwise it only watches.
        """
        agent_id = account.agent_id if is_desk else None
        opening = _Opening(token.session)
        self._opening.add(opening)
        try:
            await websocket.accept()
            dead = await self._dead_desks(account, token) if agent_id is not None else []
        finally:
            self._opening.discard(opening)
        if opening.over is not None:
            await _say_bye(websocket, opening.over)
            return
        if agent_id is not None and not self._leave_other_desks(account, token, dead):
            await _say_bye(websocket, "busy-elsewhere")
            return
        # From here to the subscription nothing waits: no event falls between.
        if agent_id is not None:
            self._desks.opened(agent_id, token.session)
        try:
            subscription, first = self._subscribe(account, after)
            stream = _Stream(websocket, subscription, self._acknowledged(agent_id))
            answers = (websocket.scope.get("extensions") or {}).get("switchroom.answers")
            self._open[subscription] = _Open(token, agent_id, answers)
            self._nobody_left.clear()
            expiry = asyncio.get_running_loop().call_later(
                max(0.0, token.expires - self._ports.bus.wall()),
                lambda: subscription.close("signed-off"),
            )
            try:
                await stream.run(first)
            finally:
                expiry.cancel()
                subscription.drop()
                self._open.pop(subscription, None)
                if not self._open:
                    self._nobody_left.set()
        finally:
            if agent_id is not None:
                self._desks.closed(agent_id, token.session)

    def end_session(self, session: str) -> None:
        """This sign-on is over: end its streams, and those whose token was just found good."""
        for opening in self._opening:
            if opening.session == session:
                opening.over = "signed-off"
        for subscription, owner in tuple(self._open.items()):
            if owner.token.session == session:
                subscription.close("signed-off")

    def _leave_other_desks(self, account: Account, token: Token, dead: Sequence[_Open]) -> bool:
        """An agent works at one desk, the one signed on last; not while a call is on at another.

        `dead` are those whose client is not there any more, call or no call.
        """
        others = self._other_desks(account, token)
        is_refused = any(each not in dead for each in others.values()) and self._is_on_a_call(
            account
        )
        if is_refused:
            return False
        for subscription, other in others.items():
            subscription.close("elsewhere")
            self._revoke(other.token)
        return True

    async def _dead_desks(self, account: Account, token: Token) -> list[_Open]:
        """The desks at which the agent has a call as it seems, and where nobody answers a ping.

        A network that went away closes no connection. Who stands at the next desk need not wait until
        the server has noticed.
        """
        if not self._is_on_a_call(account):
            return []
        others = self._other_desks(account, token).values()
        return [each for each in others if each.answers is not None and not await each.answers()]

    def _other_desks(self, account: Account, token: Token) -> dict[Subscription, _Open]:
        return {
            subscription: each
            for subscription, each in self._open.items()
            if each.desk_of == account.agent_id and each.token.session != token.session
        }

    def _is_on_a_call(self, account: Account) -> bool:
        agents = self._ports.floor.snapshot(account).agents
        return any(a.agent_id == account.agent_id and a.state in _ON_A_CALL for a in agents)

    async def close(self) -> None:
        """The server stops: say bye to all, and wait a moment for it to be heard."""
        for opening in self._opening:
            opening.over = "shutdown"
        for subscription in tuple(self._open):
            subscription.close("shutdown")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_BYE_S * 1.5):
                await self._nobody_left.wait()

    def _subscribe(
        self, account: Account, after: int | None
    ) -> tuple[Subscription, Snapshot | None]:
        bus, floor = self._ports.bus, self._ports.floor
        agent_id = account.agent_id
        audience = Audience(
            agent_id=agent_id,
            queues=frozenset() if agent_id is None else floor.agent_queues(agent_id),
            sees_all=account.role is not Role.AGENT,
        )
        if after is not None:
            resumed = bus.subscribe(audience, after=after, limit=self._queue_limit)
            if resumed is not None:
                return resumed, None
        snapshot = self.snapshot(account)
        subscription = bus.subscribe(audience, after=snapshot.seq, limit=self._queue_limit)
        assert subscription is not None  # the newest number can always be resumed
        return subscription, snapshot

    def snapshot(self, account: Account) -> Snapshot:
        """What this person sees, at the number of the newest event."""
        snapshot = self._ports.floor.snapshot(account)
        return dataclasses.replace(snapshot, seq=self._ports.bus.last_seq)

    def _acknowledged(self, agent_id: str | None) -> Callable[[int], None] | None:
        if agent_id is None:
            return None
        floor = self._ports.floor
        return lambda seq: floor.pop_acknowledged(agent_id, seq)


class _Stream:
    """One connection."""

    def __init__(
        self,
        websocket: WebSocket,
        subscription: Subscription,
        acknowledged: Callable[[int], None] | None,
    ) -> None:
        self._websocket = websocket
        self._subscription = subscription
        self._acknowledged = acknowledged

    async def run(self, first: Snapshot | None) -> None:
        """Send and receive until either ends, then say bye."""
        async with asyncio.TaskGroup() as group:
            sender = group.create_task(self._send(first))
            receiver = group.create_task(self._receive())

            def on_end() -> None:
                # A sender that is stuck with a client that does not read would never look.
                if self._subscription.reason == "slow":
                    sender.cancel()

            self._subscription.on_end = on_end
            if self._subscription.reason is not None:
                on_end()
            await asyncio.wait((sender, receiver), return_when=asyncio.FIRST_COMPLETED)
            sender.cancel()
            receiver.cancel()
        await self._bye()

    async def _send(self, first: Snapshot | None) -> None:
        websocket, subscription = self._websocket, self._subscription
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            if first is not None:
                message = _SnapshotMessage(kind="snapshot", snapshot=first)
                await websocket.send_text(_encode(message).decode())
            while (entry := await subscription.next()) is not None:
                await websocket.send_text(entry.message())

    async def _receive(self) -> None:
        nonsense = 0
        while True:
            message: Any = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                self._subscription.close("gone")
                return
            text = message.get("text")
            try:
                ack = _read_ack(text if text is not None else message.get("bytes") or b"")
            except (msgspec.DecodeError, UnicodeError):
                ack = None
            if ack is not None and ack.kind == "ack":
                if self._acknowledged is not None:
                    self._acknowledged(ack.seq)
                continue
            nonsense += 1
            if nonsense >= _MAX_NONSENSE:
                self._subscription.close("nonsense")
                return

    async def _bye(self) -> None:
        reason = self._subscription.reason
        if reason in (None, "gone") or (
            self._websocket.client_state is not WebSocketState.CONNECTED
        ):
            return
        await _say_bye(self._websocket, reason or "")


async def _say_bye(websocket: WebSocket, reason: str) -> None:
    """Tell the client why, and close; one that does not take that is cut off."""
    try:
        async with asyncio.timeout(_BYE_S):
            await websocket.send_text(_encode({"kind": "bye", "reason": reason}).decode())
            await websocket.close(_CLOSE_CODES.get(reason, 1000), reason)
    except TimeoutError:
        _log.info("a client that does not read was cut off")
        abort = websocket.scope["extensions"].get("switchroom.abort")
        if abort is not None:
            abort()
    except (WebSocketDisconnect, RuntimeError):
        pass  # gone meanwhile
