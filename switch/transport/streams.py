"""Every connection of the node: found by number or by address, accepted or made on demand."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from msgspec.structs import replace

from switch.guard.bans import Verdict
from switch.guard.forwarded import Forwarded
from switch.guard.guard import Guard
from switch.guard.offences import Offence
from switch.guard.source import key_of
from switch.sip.flow import Flow, Transport
from switch.sip.framing import FramingError
from switch.sip.limits import MessageLimits
from switch.transport.connecting import Connecting
from switch.transport.connection import Address, StreamConnection
from switch.transport.identity import PeerIdentity
from switch.transport.limits import TransportLimits
from switch.transport.patience import Late
from switch.transport.reuse import alias_of
from switch.transport.stalls import Stalls
from switch.transport.stream_counters import StreamCounters
from switch.transport.tls import TlsContexts

_CLOSE_S: Final = 1.0
"""Connections that have not reported their end by then are let go."""
_NOWHERE: Final = {False: ("0.0.0.0", 0), True: ("::", 0)}


class StreamHandlers(NamedTuple):
    """Where connections report to."""

    received: Callable[[StreamConnection, list[bytes]], None]
    """Whole messages, oldest first."""
    unframed: Callable[[StreamConnection, FramingError], None]
    """What came of a message that could not be cut out; after that the connection ends."""
    failed: Callable[[Flow, str], None]
    """The connection of that flow is gone or, with number 0, could not be made."""


class StreamHub:
    """Who is connected, over TCP, TLS and WebSocket, and how much room there is for more."""

    def __init__(
        self,
        handlers: StreamHandlers,
        limits: TransportLimits,
        message_limits: MessageLimits,
        guard: Guard | None = None,
        tls: TlsContexts | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.handlers = handlers
        self.limits = limits
        self.message_limits = message_limits
        self.counters = StreamCounters()
        self.tls = tls or TlsContexts()
        self.tls.shown_at, self.tls.moved = self._shown_at, self._moved
        self.origins: tuple[str, ...] = ()
        """What browsers may name as their Origin; empty: anything."""
        self.forwarded = Forwarded(())
        """Knows the proxies in front of our WebSocket ports."""
        self.stalls = Stalls(limits.max_write_buffers)
        """Who does not read what we send."""
        self._guard = guard
        self._strangers: dict[StreamConnection, None] = {}
        """Accepted from those who have proved nothing yet, the oldest first."""
        self._servers: list[asyncio.Server] = []
        self._locals: dict[tuple[Transport, bool], Address] = {}
        """Where we listen, by transport and whether it is IPv6."""
        self._connections: dict[int, StreamConnection] = {}
        self._ending: set[StreamConnection] = set()
        """Told why they end: nothing is sent over them, and they take a place until they are closed."""
        self._by_remote: dict[tuple[Transport, Address], StreamConnection] = {}
        self._accepted_from: Counter[str] = Counter()
        self._by_kind: Counter[Transport] = Counter()
        self._connecting = Connecting(self)
        self._handshakes_due = 0.0
        self._serial = 0
        self._closing = False
        self._empty = asyncio.Event()
        """Set while there is no connection."""
        self._empty.set()

    def __len__(self) -> int:
        return len(self._connections) + len(self._ending)

    @property
    def strangers(self) -> int:
        """Connections of those who have proved nothing."""
        return len(self._strangers)

    @property
    def by_kind(self) -> dict[Transport, int]:
        """Open connections of each transport that we listen for, or have some of."""
        kinds = {kind for kind, _ in self._locals} | set(self._by_kind)
        return {kind: self._by_kind[kind] for kind in Transport if kind in kinds}

    @property
    def listening(self) -> dict[Transport, Address]:
        """Where we listen, by transport; the first address of each."""
        found: dict[Transport, Address] = {}
        for (kind, _), address in self._locals.items():
            found.setdefault(kind, address)
        return found

    async def listen(self, host: str, port: int, kind: Transport = Transport.TCP) -> Address:
        """Accept connections; returns the address bound, the port being free to choose with 0."""
        local: Address = (host, port)
        server = await self.loop.create_server(
            lambda: StreamConnection(self, kind, local), host, port
        )
        self._servers.append(server)
        for listener in server.sockets:  # what it accepts has the same
            for each in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                listener.setsockopt(socket.SOL_SOCKET, each, self.limits.stream_buffer)
        name = server.sockets[0].getsockname()
        local = (name[0], name[1])
        self._locals.setdefault((kind, ":" in local[0]), local)
        return local

    def local_of(self, kind: Transport, remote: str) -> Address:
        """Where a peer at this host reaches us: an address we listen at, not our side's port."""
        is_ipv6 = ":" in remote
        return self._locals.get((kind, is_ipv6)) or _NOWHERE[is_ipv6]

    def send(self, data: bytes, flow: Flow) -> None:
        """Send on the flow's connection if it lives, else on one to its remote, else make one."""
        connection = self._connections.get(flow.connection) or self._by_remote.get(
            (flow.transport, flow.remote)
        )
        if connection is not None:
            connection.write(data)
        else:
            self._connecting.send(data, flow)

    def lives(self, flow: Flow) -> bool:
        """Tell whether the connection of a flow is there."""
        return flow.connection in self._connections

    def identity_of(self, number: int) -> PeerIdentity | None:
        """Who is at the other end of a connection by its certificate; None: nobody proved anything."""
        connection = self._connections.get(number)
        return None if connection is None else connection.identity

    def _shown_at(self, remote: Address) -> PeerIdentity | None:
        connection = self._by_remote.get((Transport.TLS, remote))
        return None if connection is None else connection.identity

    def _moved(self, remote: Address) -> None:
        """Another server is there: what goes on over the old connection may, all else makes another."""
        self._by_remote.pop((Transport.TLS, remote), None)

    async def close(self) -> None:
        """Close everything; nothing of it is left when this returns."""
        self._closing = True
        for server in self._servers:
            server.close()
        await self._connecting.close()
        for connection in list(self._ending):
            connection.cut("the node closes")
        for connection in list(self._connections.values()):
            connection.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._empty.wait()
        for connection in self._all():
            connection.cut("the node closes")
        for server in self._servers:
            await server.wait_closed()

    # --- what connections ask and tell ----------------------------------------------------------

    def admit(self, connection: StreamConnection) -> bool:
        """Number a connection and keep it; False where there is no room."""
        host = connection.remote[0]
        limits = self.limits
        if self._closing or len(self) >= limits.max_connections:
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
        self._by_kind[connection.kind] += 1
        self._empty.clear()
        return True

    def look_behind_proxy(
        self, connection: StreamConnection, plain: tuple[str, ...], named: tuple[str, ...]
    ) -> str:
        """From here on the peer is whom a proxy of ours speaks for; return why that may not be, or nothing.

        `plain` and `named` as `Forwarded.client` has them. Who could leave open who it is would be counted
        as the proxy, which is never banned.
        """
        proxy, port = connection.remote
        host = self.forwarded.client(proxy, plain, named)
        if not host:
            return (
                f"the proxy {proxy} does not say for whom this is; it must write"
                " X-Forwarded-For or Forwarded, and drop what the client wrote in the other"
            )
        if host == proxy:
            return ""
        self._strangers.pop(connection, None)
        if not self._may_connect(connection, host):
            return f"{host} may not connect"
        self._leave(proxy)
        self._accepted_from[key_of(host)] += 1
        connection.remote = (host, port)
        connection.flow = replace(connection.flow, remote=connection.remote)
        return ""

    def _leave(self, host: str) -> None:
        source = key_of(host)
        self._accepted_from[source] -= 1
        if self._accepted_from[source] <= 0:
            del self._accepted_from[source]

    def _may_connect(self, connection: StreamConnection, host: str) -> bool:
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

    def opened(self, connection: StreamConnection) -> None:
        """A connection has done its handshakes."""
        # Who connected over TLS is found by its number, or by the address that it proved (RFC 5923).
        if connection.kind is Transport.TCP or not connection.accepted:
            self._by_remote[connection.kind, connection.remote] = connection
        if not connection.accepted:
            self._connecting.opened(connection)

    def received(self, connection: StreamConnection, messages: list[bytes]) -> None:
        """Whole messages came."""
        identity = connection.identity
        if identity is not None and connection.accepted:
            remote = alias_of(messages[0], connection.remote[0], identity)
            if remote is not None:
                self._by_remote[connection.kind, remote] = connection
                connection.alias = remote
        self.handlers.received(connection, messages)

    def may_shake_hands(self, connection: StreamConnection) -> bool:
        """Whether there is time for a TLS handshake; only strangers have to wait for each other."""
        if not connection.is_stranger:
            return True
        now, rate = self.loop.time(), self.limits.strangers_handshakes_per_s
        due = max(self._handshakes_due, now - 1.0)  # a second's worth at once
        if due > now:
            return False
        self._handshakes_due = due + 1.0 / rate
        return True

    def bears(self, connection: StreamConnection, frames: int) -> bool:
        """Charge frames that brought no message like messages; False: they are too many."""
        guard, host, now = self._guard, connection.remote[0], self.loop.time()
        return guard is None or all(
            guard.judge(host, now, is_connected=True) is Verdict.PASS for _ in range(frames)
        )

    def room(self, connection: StreamConnection) -> int:
        """How many messages its peer may bring now."""
        if self._guard is None:
            return sys.maxsize
        return self._guard.room(connection.remote[0], self.loop.time())

    def look_again(self, connection: StreamConnection) -> None:
        """A stranger said something: perhaps it has proved a password by it."""
        if self._guard is None or self._guard.is_stranger(connection.remote[0], self.loop.time()):
            return
        connection.is_stranger = False
        self._strangers.pop(connection, None)

    def offend(self, connection: StreamConnection, offence: Offence) -> None:
        """Tell the guard what the peer of a connection that we accepted did wrong."""
        if self._guard is not None and connection.accepted:
            self._guard.offend(connection.remote[0], offence, self.loop.time(), is_connected=True)

    def lost_patience(self, connection: StreamConnection, late: Late) -> None:
        """A connection is cut because something is late."""
        counters = self.counters
        if late is Late.IDLE:
            counters.idle_closed += 1
            return
        if late is Late.READING:
            counters.stalled_closed += 1
            if not connection.is_stranger:
                return  # the network of one that is known may be to blame
        else:
            counters.slow_closed += 1
        self.offend(connection, Offence.SLOW)

    def cut_source(self, source: str, why: str) -> None:
        """Close what was accepted from a source that is banned now."""
        for connection in self._all():
            if connection.accepted and key_of(connection.remote[0]) == source:
                connection.cut(why)

    def _all(self) -> list[StreamConnection]:
        return [*self._connections.values(), *self._ending]

    def forget(self, connection: StreamConnection, reason: str) -> None:
        """Drop a connection that is closed, and say so."""
        if connection.number in self._connections:
            self.end(connection, reason)
        if connection not in self._ending:
            self._connecting.lost(connection, reason)
            return
        self._ending.remove(connection)
        self._strangers.pop(connection, None)
        self._by_kind[connection.kind] -= 1
        if not len(self):
            self._empty.set()
        if connection.accepted:
            self._leave(connection.remote[0])

    def end(self, connection: StreamConnection, reason: str) -> None:
        """Send nothing more over a connection, and say so."""
        del self._connections[connection.number]
        self.stalls.end(connection)
        self._ending.add(connection)
        for remote in (connection.remote, connection.alias):
            if self._by_remote.get((connection.kind, remote)) is connection:
                del self._by_remote[connection.kind, remote]
        if not (connection.accepted or connection.is_open):
            self._connecting.lost(connection, reason)  # which tells who waits for it
        elif not self._closing:
            self.handlers.failed(connection.flow, connection.failure or reason)


def is_address(host: str) -> bool:
    """True for an IP address; a name would have to be looked up, which blocks."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
