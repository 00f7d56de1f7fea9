"""TCP connections: accepted, or made when something is to be sent (RFC 3261 section 18)."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, cast

from switch.errors import RemoteProtocolError
from switch.guard.bans import Verdict
from switch.guard.guard import Guard
from switch.guard.offences import Offence
from switch.guard.source import key_of
from switch.sip.framing import StreamFramer
from switch.sip.limits import MessageLimits
from switch.transport.limits import TransportLimits
from switch.transport.tcp_counters import TcpCounters

Address = tuple[str, int]

_LOOK_AGAIN_S = 0.1
"""So long one is not read whose peer is above its rate; then it is looked whether it may go on."""
_CLOSE_S = 1.0
"""Connections that have not reported their end by then are let go."""

logger = logging.getLogger(__name__)


class TcpHandlers(NamedTuple):
    """Where connections report to."""

    received: Callable[[TcpConnection, list[bytes]], None]
    """Whole messages, oldest first."""
    failed: Callable[[Address, int, str], None]
    """Connection `number` to that address is gone or, with number 0, could not be made."""


class TcpConnection(asyncio.Protocol):
    """One connection. It has a number, a framer, and at most one timer."""

    def __init__(self, hub: TcpHub, accepted: bool) -> None:
        self._hub = hub
        self._framer = StreamFramer(hub.message_limits)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None
        """While it is not read."""
        self._active_at = 0.0
        self._partial_since: float | None = None
        """When the message began that is not whole; a stranger's first begins with the connection."""
        self._unread: list[bytes] = []
        """Messages that are whole and above the rate; while there are any, nothing more is read."""
        self.is_stranger = False
        """Counted among the connections of strangers."""
        self.accepted = accepted
        self.number = 0
        self.remote: Address = ("", 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if peer is None:  # gone between accept and here
            self._transport.abort()
            return
        self.remote = (peer[0], peer[1])
        if not self._hub.admit(self):
            self._transport.abort()
            return
        self._active_at = self._hub.loop.time()
        if self.is_stranger:
            self._partial_since = self._active_at
        self._watch()

    def data_received(self, data: bytes) -> None:
        if self.number == 0:
            return
        try:
            messages = self._framer.feed(data)
        except RemoteProtocolError as error:
            self._hub.counters.framing_errors += 1
            self._hub.offend(self, Offence.NO_SIP)
            self.cut(f"not SIP: {error}")
            return
        now = self._active_at = self._hub.loop.time()
        if not self._framer.buffered:
            if messages or not self.is_stranger:
                self._partial_since = None
        elif messages or self._partial_since is None:
            self._partial_since = now
            self._watch()
        pongs = self._framer.take_pongs()
        if pongs:
            self.write(b"\r\n" * pongs)
        if messages:
            self._unread += messages
            self._hand_on()

    def _hand_on(self) -> None:
        """Pass on as many messages as the peer's rate allows; the peer has to wait with the rest."""
        was_paused = self._retry is not None
        room = self._hub.room(self)
        messages, self._unread = self._unread[:room], self._unread[room:]
        if messages:
            self._hub.handlers.received(self, messages)
            if self.is_stranger:
                self._hub.look_again(self)
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._unread:
            if not was_paused:
                self._hub.counters.paused += 1
                transport.pause_reading()
            self._retry = self._hub.loop.call_later(_LOOK_AGAIN_S, self._hand_on)
        elif was_paused:
            self._retry = None
            self._active_at = self._hub.loop.time()
            if self._partial_since is not None:  # it was us who did not read
                self._partial_since = self._active_at
            self._watch()
            transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._retry):
            if timer is not None:
                timer.cancel()
        self._timer = self._retry = None
        self._unread.clear()
        self._hub.forget(self, str(exc) if exc else "the peer closed the connection")

    def write(self, data: bytes) -> None:
        """Send, or cut the connection where the peer has left too much unread."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() + len(data) > self._hub.limits.max_write_buffer:
            self._hub.counters.write_overflows += 1
            self._hub.offend(self, Offence.SLOW)
            self.cut("the peer does not read")
            return
        transport.write(data)

    def cut(self, why: str) -> None:
        """Close at once, dropping what is not sent."""
        if self._transport is not None and not self._transport.is_closing():
            logger.debug("connection %d to %s is cut: %s", self.number, self.remote, why)
            self._transport.abort()

    def _watch(self) -> None:
        """Set the one timer to the moment this connection may have to be closed."""
        idle_s, message_s = self._patience()
        due = self._active_at + idle_s
        if self._partial_since is not None:
            due = min(due, self._partial_since + message_s)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._hub.loop.call_at(due, self._check)

    def _check(self) -> None:
        counters, now = self._hub.counters, self._hub.loop.time()
        if self._retry is not None:  # what is late is late because of us
            self._timer = None
            return
        idle_s, message_s = self._patience()
        if self._partial_since is not None and now >= self._partial_since + message_s:
            counters.slow_closed += 1
            self._hub.offend(self, Offence.SLOW)
            self.cut(f"no whole message after {message_s} s")
        elif now >= self._active_at + idle_s:
            counters.idle_closed += 1
            self.cut(f"idle for {idle_s} s")
        else:
            self._watch()

    def _patience(self) -> tuple[float, float]:
        """How long it may be idle, and how long a message may take."""
        limits = self._hub.limits
        if self.is_stranger:
            return limits.stranger_idle_s, limits.stranger_message_s
        return limits.idle_s, limits.message_s


class TcpHub:
    """Every TCP connection of the node: found by number or by address, made on demand."""

    def __init__(
        self,
        handlers: TcpHandlers,
        limits: TransportLimits,
        message_limits: MessageLimits,
        guard: Guard | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.handlers = handlers
        self.limits = limits
        self.message_limits = message_limits
        self.counters = TcpCounters()
        self._guard = guard
        self._strangers: dict[TcpConnection, None] = {}
        """Accepted from those who have proved nothing yet, the oldest first."""
        self._servers: list[asyncio.Server] = []
        self._connections: dict[int, TcpConnection] = {}
        self._by_remote: dict[Address, TcpConnection] = {}
        self._accepted_from: Counter[str] = Counter()
        self._waiting: dict[Address, list[bytes]] = {}
        """Messages for connections that are being made."""
        self._making: set[asyncio.Task[None]] = set()
        self._serial = 0
        self._closing = False
        self._empty = asyncio.Event()
        """Set while there is no connection."""
        self._empty.set()

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def strangers(self) -> int:
        """Connections of those who have proved nothing."""
        return len(self._strangers)

    async def listen(self, host: str, port: int) -> Address:
        """Accept connections; returns the address bound, the port being free to choose with 0."""
        server = await self.loop.create_server(
            lambda: TcpConnection(self, accepted=True), host, port
        )
        self._servers.append(server)
        name = server.sockets[0].getsockname()
        return (name[0], name[1])

    def send(self, data: bytes, remote: Address, number: int) -> None:
        """Send on connection `number` if it lives, else on one to `remote`, else make one."""
        connection = self._connections.get(number) or self._by_remote.get(remote)
        if connection is not None:
            connection.write(data)
            return
        waiting = self._waiting.get(remote)
        if waiting is not None:
            if len(waiting) < self.limits.max_waiting:
                waiting.append(data)
            else:
                self.counters.waiting_dropped += 1
            return
        if len(self._connections) + len(self._making) >= self.limits.max_connections:
            self.handlers.failed(remote, 0, "too many TCP connections")
            return
        self._waiting[remote] = [data]
        task = self.loop.create_task(self._make(remote), name=f"connect {remote[0]}:{remote[1]}")
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    async def close(self) -> None:
        """Close everything; nothing of it is left when this returns."""
        self._closing = True
        for server in self._servers:
            server.close()
        making = list(self._making)
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)
        for connection in list(self._connections.values()):
            connection.cut("the node closes")
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._empty.wait()
        for server in self._servers:
            await server.wait_closed()

    async def _make(self, remote: Address) -> None:
        reason = ""
        connection = TcpConnection(self, accepted=False)
        try:
            async with asyncio.timeout(self.limits.connect_s):
                await self.loop.create_connection(lambda: connection, *remote)
        except asyncio.CancelledError:
            # It may have been made already; uvloop then closes it without telling the protocol.
            connection.connection_lost(None)
            raise
        except TimeoutError:
            reason = f"no connection within {self.limits.connect_s} s"
        except (OSError, OverflowError) as error:
            reason = str(error)
        waiting = self._waiting.pop(remote, [])
        if reason:
            connection.connection_lost(None)
            self.handlers.failed(remote, 0, reason)
        elif connection.number == 0:
            self.handlers.failed(remote, 0, "too many TCP connections")
        else:
            for data in waiting:
                connection.write(data)

    def admit(self, connection: TcpConnection) -> bool:
        """Number a connection and keep it; False where there is no room."""
        host = connection.remote[0]
        limits = self.limits
        if self._closing or len(self._connections) >= limits.max_connections:
            self.counters.refused_full += connection.accepted
            return False
        if connection.accepted:
            if not self._may_connect(connection, host):
                return False
            self._accepted_from[key_of(host)] += 1
            self.counters.accepted += 1
        else:
            self.counters.made += 1
        self._serial += 1
        connection.number = self._serial
        self._connections[connection.number] = connection
        self._empty.clear()
        self._by_remote[connection.remote] = connection
        return True

    def _may_connect(self, connection: TcpConnection, host: str) -> bool:
        """Judge one that was accepted; a stranger may push out the stranger that came first."""
        guard, limits, now = self._guard, self.limits, self.loop.time()
        most = limits.max_connections_per_address
        if guard is not None:
            if guard.judge(host, now, is_connected=True) is not Verdict.PASS:
                self.counters.refused_banned += 1
                return False
            connection.is_stranger = guard.is_stranger(host, now)
            if connection.is_stranger:
                most = limits.max_connections_per_stranger
        if self._accepted_from[key_of(host)] >= most:
            self.counters.refused_full += 1
            return False
        if connection.is_stranger:
            self._strangers[connection] = None
            if len(self._strangers) > limits.max_strangers:
                self.counters.strangers_displaced += 1
                oldest = next(iter(self._strangers))
                del self._strangers[oldest]
                oldest.cut("a newer connection needs the room")
        return True

    def room(self, connection: TcpConnection) -> int:
        """How many messages its peer may bring now."""
        if self._guard is None:
            return sys.maxsize
        return self._guard.room(connection.remote[0], self.loop.time())

    def look_again(self, connection: TcpConnection) -> None:
        """A stranger said something: perhaps it has proved a password by it."""
        if self._guard is None or self._guard.is_stranger(connection.remote[0], self.loop.time()):
            return
        connection.is_stranger = False
        self._strangers.pop(connection, None)

    def offend(self, connection: TcpConnection, offence: Offence) -> None:
        """Tell the guard what the peer of a connection that we accepted did wrong."""
        if self._guard is not None and connection.accepted:
            self._guard.offend(connection.remote[0], offence, self.loop.time())

    def cut_source(self, source: str, why: str) -> None:
        """Close what was accepted from a source that is banned now."""
        for connection in list(self._connections.values()):
            if connection.accepted and key_of(connection.remote[0]) == source:
                connection.cut(why)

    def forget(self, connection: TcpConnection, reason: str) -> None:
        """Drop a connection that is closed, and say so."""
        if self._connections.pop(connection.number, None) is None:
            return
        self._strangers.pop(connection, None)
        if not self._connections:
            self._empty.set()
        if self._by_remote.get(connection.remote) is connection:
            del self._by_remote[connection.remote]
        if connection.accepted:
            source = key_of(connection.remote[0])
            self._accepted_from[source] -= 1
            if self._accepted_from[source] <= 0:
                del self._accepted_from[source]
        if not self._closing:
            self.handlers.failed(connection.remote, connection.number, reason)


def is_address(host: str) -> bool:
    """True for an IP address; a name would have to be looked up, which blocks."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
