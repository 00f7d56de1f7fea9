"""The pump: sockets on one side, the endpoint and its consumer on the other.

A turn is: what came goes into the endpoint; the consumer drains the events and gives commands; what
is to be sent goes out; the next timer is set. Every turn is synchronous and ends before the next.

Where more came than one turn takes, the rest waits in `switch.transport.inflow`, which decides what goes
first and what is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from switch.clock import Clock, TimerHandle
from switch.guard.bans import Verdict
from switch.guard.guard import Guard
from switch.sip.endpoint import Endpoint
from switch.sip.flow import Flow, Transport
from switch.sip.framing import FramingError
from switch.sip.glimpse import is_keepalive
from switch.sip.limits import MessageLimits
from switch.transport.connection import Address, StreamConnection
from switch.transport.inflow import Inflow, InflowSettings
from switch.transport.lanes import lane_of
from switch.transport.limits import TransportLimits
from switch.transport.shedding_log import SheddingLog
from switch.transport.streams import StreamHandlers, StreamHub, is_address
from switch.transport.stun_keepalive import binding_answer
from switch.transport.tls import TlsContexts
from switch.transport.udp import UdpHandlers, UdpSocket

logger = logging.getLogger(__name__)

_MOST_HELD: Final = 4096
"""Messages kept while held; peers repeat the others."""
_FEW: Final = 4
"""So many are served at once, when nothing waits: there is nothing to put in order."""

_is_address = lru_cache(maxsize=4096)(is_address)


class Pump:
    """Drives one endpoint. To be made and used on one running event loop.

    `consume(now)` is called once a turn; it drains `endpoint.next_event()` and does what of its own is
    due. `timers()` may tell when it next wants to be called without any message; `connection_closed` is
    told the number of a connection that is gone. `guard` is asked about every message before it is
    read; what it does not let pass is dropped.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        consume: Callable[[float], None],
        *,
        timers: Callable[[], float | None] | None = None,
        connection_closed: Callable[[int], None] | None = None,
        limits: TransportLimits | None = None,
        message_limits: MessageLimits | None = None,
        guard: Guard | None = None,
        inflow: InflowSettings | None = None,
        tls: TlsContexts | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._endpoint = endpoint
        self._clock = clock
        self._consume = consume
        self._timers = timers
        self._connection_closed = connection_closed
        self._limits = limits or TransportLimits()
        self._guard = guard
        self._udp: dict[Address, UdpSocket] = {}
        self.streams = StreamHub(
            StreamHandlers(
                received=self._stream_received,
                unframed=self._stream_unframed,
                failed=self._stream_failed,
            ),
            self._limits,
            message_limits or MessageLimits(),
            guard,
            tls,
        )
        endpoint.asks_for_connections(self.streams.lives)
        self._timer: TimerHandle | None = None
        self._timer_at: float | None = None
        self._flush_scheduled = False
        self._in_turn = False
        self._closed = False
        self._held: list[tuple[bytes, Flow]] | None = None
        self.held_dropped = 0
        """Messages dropped because too many came while held."""
        self.inflow: Inflow[tuple[bytes, Flow]] = Inflow(inflow, size_of=lambda each: len(each[0]))
        """What waits to be served."""
        self._shedding = SheddingLog(clock)
        self._is_behind = False
        """More came than was served yet; a turn for it is scheduled."""
        self._looked_at = 0.0
        """When the sockets were found empty last, or nearly so."""
        self._idle_at: float | None = None
        """When the loop had time to look last; None: nobody says."""
        self.sent = 0
        """Messages given to the sockets since the start."""
        self.observers: tuple[Callable[[bytes, Flow, bool], None], ...] = ()
        """Each is shown every message that is read or sent: octets, flow, and whether it goes out.

        They must neither wait nor raise.
        """

    @property
    def udp_dropped(self) -> int:
        """Datagrams dropped because a socket stayed full."""
        return sum(sock.dropped for sock in self._udp.values())

    @property
    def udp_missed(self) -> int:
        """Datagrams lost before they were read, because a socket's buffer was full."""
        return sum(sock.missed for sock in self._udp.values())

    async def listen_udp(self, host: str, port: int) -> Address:
        """Bind a UDP socket; returns its address. Raises OSError."""
        handlers = UdpHandlers(received=self._udp_received, refused=self._udp_refused)
        sock = UdpSocket(host, port, handlers, self._limits)
        self._udp[sock.local] = sock
        return sock.local

    async def listen_tcp(self, host: str, port: int) -> Address:
        """Accept TCP connections; returns the address. Raises OSError."""
        return await self.streams.listen(host, port)

    async def listen(self, kind: Transport, host: str, port: int) -> Address:
        """Accept messages of any transport; returns the address. Raises OSError.

        TLS and WSS need a certificate (`TlsContexts.use`) before.
        """
        if kind is Transport.UDP:
            return await self.listen_udp(host, port)
        return await self.streams.listen(host, port, kind)

    def hold(self) -> None:
        """Keep what comes in until `release`: who is to answer it is not there yet."""
        self._held = []

    def release(self) -> None:
        """Take what came in meanwhile, as if it came now."""
        held, self._held = self._held, None
        if held:
            self._looked_at = self._clock.now()  # their age does not count: they waited for us
            self._received(held)

    def loop_was_late(self, seconds: float, now: float) -> None:
        """Note how late the loop is; told now and then, it shows how old the datagrams may be that wait."""
        self._idle_at = now - seconds

    def schedule_flush(self) -> None:
        """Ask for a turn after the present callback: commands were given outside of `consume`.

        Called any number of times, it makes one turn.
        """
        if not (self._flush_scheduled or self._in_turn or self._closed):
            self._flush_scheduled = True
            self._loop.call_soon(self._flush)

    async def close(self) -> None:
        """Send what is waiting, then close every socket and forget every timer."""
        self._send_all()
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for sock in self._udp.values():
            sock.close()
        await self.streams.close()

    # --- turns ------------------------------------------------------------------------------

    def _flush(self) -> None:
        self._flush_scheduled = False
        if not self._closed:
            self._turn(self._clock.now())

    def _turn(self, now: float) -> None:
        self._in_turn = True
        try:
            self._consume(now)
        finally:
            self._in_turn = False
            self._send_all()
            self._arm()

    def _arm(self) -> None:
        """Set the one timer to what the endpoint or the consumer waits for, or leave it earlier.

        Whom the first deadline was for has mostly answered long before it. One turn that finds nothing
        costs less than to move the timer with every message.
        """
        due = self._endpoint.get_timer()
        if self._timers is not None:
            other = self._timers()
            if other is not None and (due is None or other < due):
                due = other
        if due is None or self._closed:
            return
        if self._timer is not None and self._timer_at is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._clock.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = self._timer_at = None
        now = self._clock.now()
        self._endpoint.handle_timer(now)
        self._turn(now)

    # --- sending ----------------------------------------------------------------------------

    def _send_all(self) -> None:
        if self._closed:
            return
        out = self._endpoint.datagrams_to_send()
        self.sent += len(out)
        for data, flow in out:
            for observe in self.observers:
                observe(data, flow, True)
            try:
                self._send(data, flow)
            except Exception as error:
                # The boundary: what fails with one peer costs the others nothing.
                logger.exception("sending to %s %s failed", flow.transport, flow.remote)
                self._fail(flow, f"not sent: {error!r}")

    def _send(self, data: bytes, flow: Flow) -> None:
        if not _is_address(flow.remote[0]):
            self._fail(flow, f"{flow.remote[0]!r} is no IP address")
        elif flow.transport is Transport.UDP:
            self._send_udp(data, flow)
        else:
            self.streams.send(data, flow)

    def _send_udp(self, data: bytes, flow: Flow) -> None:
        sock = self._udp.get(flow.local)
        is_ipv6 = ":" in flow.remote[0]
        if sock is None or (":" in flow.local[0]) != is_ipv6:
            fitting = (s for s in self._udp.values() if (":" in s.local[0]) == is_ipv6)
            sock = next(fitting, None)
        if sock is None:
            self._fail(flow, f"no UDP socket is open for IPv{6 if is_ipv6 else 4}")
        else:
            sock.send(data, flow.remote)

    def _fail(self, flow: Flow, reason: str) -> None:
        self._endpoint.transport_failed(flow, reason, self._clock.now())
        self.schedule_flush()

    # --- receiving --------------------------------------------------------------------------

    def _udp_received(self, sock: UdpSocket, batch: list[tuple[bytes, Address]]) -> None:
        local = sock.local
        guard = self._guard
        is_emptied = len(batch) < self._limits.udp_batch
        if guard is not None:
            now = self._clock.now()
            batch = [each for each in batch if guard.judge(each[1][0], now) is Verdict.PASS]
            if not batch:
                self._looked_at = now if is_emptied else self._looked_at
                return
        came = [
            (data, Flow(Transport.UDP, remote, local))
            for data, remote in batch
            if data[:1] != b"\0" or not self._answers_keepalive(sock, data, remote)
        ]
        if came:
            self._received(came, is_emptied=is_emptied)
        elif is_emptied:
            self._looked_at = self._clock.now()

    def _answers_keepalive(self, sock: UdpSocket, data: bytes, remote: Address) -> bool:
        """Answer a STUN question of a phone (RFC 5626); False where it is none."""
        answer = binding_answer(data, remote)
        if answer is None:
            return False
        self._endpoint.counters.keepalives += 1
        sock.send(answer, remote)
        return True

    def _stream_received(self, connection: StreamConnection, messages: list[bytes]) -> None:
        guard = self._guard
        if guard is not None:
            now, host = self._clock.now(), connection.remote[0]
            messages = [
                each
                for each in messages
                if guard.judge(host, now, is_connected=True) is Verdict.PASS
            ]
        flow = connection.flow
        self._received([(data, flow) for data in messages])

    def _stream_unframed(self, connection: StreamConnection, error: FramingError) -> None:
        """Have it answered in a turn of its own: nothing comes over that connection any more."""
        if self._closed or self._held is not None:
            return
        flow = connection.flow
        for observe in self.observers:
            observe(error.head, flow, False)
        self._endpoint.refuse_unframed(error.head, error, flow)
        self._turn(self._clock.now())

    def _received(self, batch: list[tuple[bytes, Flow]], *, is_emptied: bool = True) -> None:
        """Take what came; `is_emptied`: nothing of it is left in its socket."""
        if self._closed or not batch:
            return
        if self._held is not None:
            room = _MOST_HELD - len(self._held)
            self._held += batch[:room]
            self.held_dropped += max(0, len(batch) - room)
            return
        now = self._clock.now()
        if len(batch) > _FEW or self._is_behind:
            self._line_up(batch, now)
        else:
            self._read(batch, now)
        if is_emptied:
            self._looked_at = now

    def _line_up(self, batch: list[tuple[bytes, Flow]], now: float) -> None:
        # When they came, nobody says; they are taken to have come evenly since the last look.
        since = self._looked_at
        if not self._is_behind:
            since = now if self._idle_at is None else max(since, self._idle_at)
        gap = (now - since) / len(batch)
        put, guard = self.inflow.put, self._guard
        for each in batch:
            since += gap
            put(lane_of(each[0], each[1].remote[0], guard, now), each, since, now)
        if not self._is_behind:
            self._serve()

    def _serve(self) -> None:
        """One turn for those that have waited longest, and another one soon for the rest."""
        self._is_behind = False
        if self._closed:
            return
        now = self._clock.now()
        served = self.inflow.take(now)
        batch, surplus = served.batch, self._endpoint.surplus
        if served.refused:
            self._shedding.refused(self.inflow, len(served.refused), now)
            batch += [each for each in served.refused if not surplus.refuse(*each, now)]
        self._is_behind = len(self.inflow) > 0
        if self._is_behind:
            self._loop.call_soon(self._serve)
        self._read([each for each in batch if not surplus.is_over(each[0])], now)
        self.inflow.done(self._clock.now())

    def _read(self, batch: list[tuple[bytes, Flow]], now: float) -> None:
        receive = self._endpoint.receive_datagram
        for data, flow in batch:
            if not is_keepalive(data):
                for observe in self.observers:
                    observe(data, flow, False)
            receive(data, flow, now)
        self._turn(now)

    def _udp_refused(self, sock: UdpSocket, remote: Address, reason: str) -> None:
        self._fail(Flow(Transport.UDP, remote, sock.local), reason)

    def _stream_failed(self, flow: Flow, reason: str) -> None:
        if flow.connection and self._connection_closed is not None:
            self._connection_closed(flow.connection)
        self._fail(flow, reason)
