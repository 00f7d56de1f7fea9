"""One connection of a peer, whatever lies between the socket and the messages.

    socket ── TLS (or not) ── framing: one after the other, or WebSocket frames ── messages

Everything here is synchronous: handshakes are fed with what comes and bounded by the same timer.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, cast

from switch.errors import RemoteProtocolError
from switch.guard.offences import Offence
from switch.sip.flow import Flow, Transport
from switch.sip.framing import FramingError
from switch.transport.ending import Ending
from switch.transport.framings import Framing, SipStream
from switch.transport.identity import PeerIdentity
from switch.transport.tls import TlsError, TlsSession
from switch.transport.websocket import SipWebSocket, UpgradeRefusedError

if TYPE_CHECKING:
    from switch.transport.streams import StreamHub

Address = tuple[str, int]

_LOOK_AGAIN_S: Final = 0.1
"""So long one is not read whose peer is above its rate; then it is looked whether it may go on."""

logger = logging.getLogger(__name__)


class StreamConnection(asyncio.Protocol):
    """One connection. It has a number, a framing, and at most one timer."""

    def __init__(
        self, hub: StreamHub, kind: Transport, local: Address, *, accepted: bool = True
    ) -> None:
        """`local` is where peers of this kind reach us: the address we listen at."""
        self._hub = hub
        self._framing: Framing = (
            SipWebSocket(hub.message_limits, hub.origins, self._look_behind_proxy)
            if kind.is_websocket
            else SipStream(hub.message_limits)
        )
        self.tls: TlsSession | None = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None
        """While it is not read."""
        self._ending: Ending | None = None
        """Once nothing is taken or sent any more, and the peer has time to read why."""
        self._active_at = 0.0
        self._pinged_at = 0.0
        """When it was asked last whether the peer is there."""
        self._partial_since: float | None = None
        """When the message began that is not whole; a stranger's first begins with the connection."""
        self._unread: list[bytes] = []
        """Messages that are whole and above the rate; while there are any, nothing more is read."""
        self._early = b""
        """The beginning of a handshake for which there was no time yet."""
        self._may_shake_hands = not accepted
        self.is_open = False
        """Messages may pass: all handshakes are done."""
        self.is_stranger = False
        """Counted among the connections of strangers."""
        self.identity: PeerIdentity | None = None
        """Who the peer is by its certificate."""
        self.alias: Address = ("", 0)
        """Where the peer listens, if it offered this connection for what we send there."""
        self.failure = ""
        """Why it never opened, where we know better than the socket."""
        self.accepted = accepted
        self.kind = kind
        self.number = 0
        self.remote: Address = ("", 0)
        self.flow = Flow(kind, self.remote, local)

    # --- the life of a socket -------------------------------------------------------------------

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
        self.flow = Flow(self.kind, self.remote, self.flow.local, self.number)
        self._active_at = self._pinged_at = self._hub.loop.time()
        if self.kind.is_secure and self.tls is None:
            self.tls = self._hub.tls.accept()
        if self.is_stranger or self.tls is not None or not self._framing.is_open:
            self._partial_since = self._active_at
        if self.tls is None and self._framing.is_open:
            self._opened()
            return
        if self.tls is not None:
            self._write_raw(self.tls.take_output())
        self._watch()

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if self.number == 0 or transport is None or transport.is_closing():
            return
        try:
            messages = self._read(data)
        except RemoteProtocolError as error:
            self._misunderstood(error)
            return
        now = self._active_at = self._hub.loop.time()
        if not self.is_open:
            return
        if not self._framing.buffered:
            if messages or not self.is_stranger:
                self._partial_since = None
        elif messages or self._partial_since is None:
            self._partial_since = now
            self._watch()
        if messages:
            self._unread += messages
            self._hand_on()
        idle = self._framing.take_idle_frames()
        if idle and not self._hub.bears(self, idle):
            self._hub.offend(self, Offence.FLOOD)
            self.cut("frames without a message, above its rate")
        elif self._framing.is_over or (self.tls is not None and self.tls.is_over):
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        self._unread.clear()
        if self.number and self.tls is not None and not (self.is_open or self.failure):
            self._hub.counters.handshakes_failed += 1
        self._hub.forget(self, str(exc) if exc else "the peer closed the connection")

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._retry):
            if timer is not None:
                timer.cancel()
        self._timer = self._retry = None

    # --- reading --------------------------------------------------------------------------------

    def _read(self, data: bytes) -> list[bytes]:
        """Take octets of the wire through the layers; raises RemoteProtocolError."""
        tls = self.tls
        if tls is None:
            messages = self._framing.feed(data)
            if out := self._framing.take_output():
                self._write_raw(out)
        else:
            if not self._may_shake_hands and not self._has_time_for_it(data):
                return []
            data, self._early = self._early + data, b""
            try:
                plain = tls.feed(data)
            finally:  # an alert, if it failed
                self._write_raw(tls.take_output())
            messages = self._framing.feed(plain) if plain else []
            if out := self._framing.take_output():
                self._write_plain(out)
        if not self.is_open:
            self._open_if_ready()
        return messages

    def _has_time_for_it(self, data: bytes) -> bool:
        """A handshake costs as much as many messages: those of strangers have to queue."""
        self._may_shake_hands = self._hub.may_shake_hands(self)
        if not self._may_shake_hands:
            if not self._early:
                self._pause()
            self._early += data
            self._retry = self._hub.loop.call_later(_LOOK_AGAIN_S, self._shake_hands)
        return self._may_shake_hands

    def _shake_hands(self) -> None:
        """Look again whether there is time for the handshake that waits."""
        self._retry = None
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self.data_received(b"")
        if self._retry is None and self._ending is None and not transport.is_closing():
            self._go_on_reading()

    def _open_if_ready(self) -> None:
        if self._framing.is_open and (self.tls is None or self.tls.is_open):
            self._opened()

    def _opened(self) -> None:
        """All handshakes are done."""
        self.is_open = True
        if self.tls is not None:
            self.identity = self.tls.identity
        if not self.is_stranger:
            self._partial_since = None
        self._watch()
        self._hub.opened(self)

    def _look_behind_proxy(self, plain: tuple[str, ...], named: tuple[str, ...]) -> str:
        """From here on the peer is whom a proxy of ours speaks for; return why that may not be, or nothing.

        Who could leave open who it is would be counted as the proxy, which is never banned.
        """
        host = self._hub.forwarded.client(self.remote[0], plain, named)
        if not host:
            return (
                f"the proxy {self.remote[0]} does not say for whom this is; it must write"
                " X-Forwarded-For or Forwarded, and drop what the client wrote in the other"
            )
        if host == self.remote[0]:
            return ""
        if not self._hub.move(self, host):
            return f"{host} may not connect"
        self.flow = Flow(self.kind, self.remote, self.flow.local, self.number)
        return ""

    def _misunderstood(self, error: RemoteProtocolError) -> None:
        counters = self._hub.counters
        if isinstance(error, TlsError):
            counters.handshakes_failed += 1
        elif isinstance(error, UpgradeRefusedError):
            counters.upgrades_refused += 1
        else:
            counters.framing_errors += 1
        what = "TLS" if isinstance(error, TlsError) else "SIP"
        logger.debug("connection %d to %s: not %s: %s", self.number, self.remote, what, error)
        self.failure = str(error)
        self._tell_why(error)
        # A certificate that one of the two does not like is no attack. Told last: a ban cuts.
        if not isinstance(error, TlsError | UpgradeRefusedError) or error.is_strange:
            self._hub.offend(self, Offence.NO_SIP)

    def _tell_why(self, error: RemoteProtocolError) -> None:
        """Send what is owed to the peer, answer what it said as far as it can be read, and close."""
        if out := self._framing.take_output():
            self._write_plain(out)
        if isinstance(error, FramingError):
            if not self.is_open:  # the end of its handshake came with it
                self._open_if_ready()
            if error.before:
                self._hub.received(self, error.before)
            if error.head:
                self._hub.handlers.unframed(self, error)
        if isinstance(error, TlsError):
            self.close()
        else:
            self._end()

    def _hand_on(self) -> None:
        """Pass on as many messages as the peer's rate allows; the peer has to wait with the rest."""
        was_paused = self._retry is not None
        room = self._hub.room(self)
        messages, self._unread = self._unread[:room], self._unread[room:]
        if messages:
            self._hub.received(self, messages)
            if self.is_stranger:
                self._hub.look_again(self)
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._unread:
            if not was_paused:
                self._pause()
            self._retry = self._hub.loop.call_later(_LOOK_AGAIN_S, self._hand_on)
        elif was_paused:
            self._retry = None
            self._go_on_reading()

    def _pause(self) -> None:
        assert self._transport is not None
        self._hub.counters.paused += 1
        self._transport.pause_reading()

    def _go_on_reading(self) -> None:
        assert self._transport is not None
        self._active_at = self._hub.loop.time()
        if self._partial_since is not None:  # it was us who did not read
            self._partial_since = self._active_at
        self._watch()
        self._transport.resume_reading()

    # --- writing --------------------------------------------------------------------------------

    def write(self, message: bytes) -> None:
        """Send, or cut the connection where the peer has left too much unread."""
        if self.is_open:
            self._write_plain(self._framing.wrap(message))

    def _write_plain(self, data: bytes) -> None:
        """Send, through TLS where there is TLS; after a goodbye, or where TLS broke, nothing goes out."""
        transport, tls = self._transport, self.tls
        if not data or transport is None or transport.is_closing():
            return
        if tls is None:
            self._write_raw(data)
        elif tls.is_open:
            try:
                data = tls.wrap(data)
            except TlsError as error:
                self.cut(f"TLS takes nothing more: {error}")
                return
            self._write_raw(data)

    def _write_raw(self, data: bytes) -> None:
        transport = self._transport
        if not data or transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() + len(data) > self._hub.limits.max_write_buffer:
            self._hub.counters.write_overflows += 1
            self._hub.offend(self, Offence.SLOW)
            self.cut("the peer does not read")
            return
        transport.write(data)

    def close(self) -> None:
        """Say goodbye in the words of each layer, and close; what cannot be sent at once is dropped."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._say_goodbye()
        if transport.get_write_buffer_size():
            transport.abort()
        else:
            transport.close()

    def _end(self) -> None:
        """Say goodbye, and close once the peer had time to read it."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._say_goodbye()
        if transport.is_closing():  # it did not read, and was cut
            return
        self._stop_timers()
        self._transport = None
        self._ending = Ending(transport, self._hub.limits.ending_s, self.connection_lost)
        self._hub.end(self, self.failure)

    def _say_goodbye(self) -> None:
        if self.is_open and (words := self._framing.goodbye()):
            self._write_plain(words)
        if self.tls is not None:
            self._write_raw(self.tls.goodbye())

    def cut(self, why: str) -> None:
        """Close at once, dropping what is not sent."""
        if self._ending is not None:
            self._ending.cut()
        elif self._transport is not None and not self._transport.is_closing():
            logger.debug("connection %d to %s is cut: %s", self.number, self.remote, why)
            self._transport.abort()

    # --- time -----------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Set the one timer to the moment this connection may have to be closed, or asked for."""
        idle_s, message_s = self._patience()
        due = self._active_at + idle_s
        if self._partial_since is not None:
            due = min(due, self._partial_since + message_s)
        if ping_s := self._ping_s():
            due = min(due, max(self._active_at, self._pinged_at) + ping_s)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._hub.loop.call_at(due, self._check)

    def _check(self) -> None:
        counters, now = self._hub.counters, self._hub.loop.time()
        if self._retry is not None:  # what is late is late because of us
            self._timer = None
            return
        idle_s, message_s = self._patience()
        ping_s = self._ping_s()
        if self._partial_since is not None and now >= self._partial_since + message_s:
            counters.slow_closed += 1
            self._hub.offend(self, Offence.SLOW)
            what = "message" if self.is_open else "handshake"
            self.failure = f"no whole {what} after {message_s} s"
            self.cut(self.failure)
        elif now >= self._active_at + idle_s:
            counters.idle_closed += 1
            self.cut(f"idle for {idle_s} s")
        elif ping_s and now >= max(self._active_at, self._pinged_at) + ping_s:
            self._ask(now)
        else:
            self._watch()

    def _ask(self, now: float) -> None:
        """Ask whether the peer is there. Who speaks WebSocket must answer, others need not."""
        if self.kind.is_websocket and self._pinged_at > self._active_at:
            self._hub.counters.pings_unanswered += 1
            self.cut("the last ping was not answered")
            return
        self._pinged_at = now
        self._write_plain(self._framing.ping())
        self._watch()

    def _ping_s(self) -> float:
        """How often the peer is asked; 0: never. Phones over TCP keep their connections themselves."""
        if not self.is_open:
            return 0.0
        limits = self._hub.limits
        if self.kind.is_websocket:
            return limits.websocket_ping_s
        return 0.0 if self.accepted else limits.keepalive_s

    def _patience(self) -> tuple[float, float]:
        """How long it may be idle, and how long a message or a handshake may take."""
        limits = self._hub.limits
        idle_s, message_s = limits.idle_s, limits.message_s
        if self.is_stranger:
            idle_s, message_s = limits.stranger_idle_s, limits.stranger_message_s
        if not self.is_open:
            message_s = min(message_s, limits.handshake_s)
        return idle_s, message_s
