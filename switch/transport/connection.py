"""One connection of a peer, whatever lies between the socket and the messages.

    socket ── TLS (or not) ── framing: one after the other, or WebSocket frames ── messages

Everything here is synchronous: handshakes are fed with what comes and bounded by the same timer.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from switch.errors import RemoteProtocolError
from switch.guard.offences import Offence
from switch.sip.flow import Flow, Transport
from switch.sip.framing import FramingError
from switch.transport.ending import Ending
from switch.transport.framings import Framing, SipStream
from switch.transport.identity import PeerIdentity
from switch.transport.patience import Late, Patience
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
            SipWebSocket(hub.message_limits, hub.origins, partial(hub.look_behind_proxy, self))
            if kind.is_websocket
            else SipStream(hub.message_limits)
        )
        self.tls: TlsSession | None = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None
        """When it is looked again whether what waits may go on."""
        self._ending: Ending | None = None
        """Once nothing is taken or sent any more, and the peer has time to read why."""
        self._unread: list[bytes] = []
        """Messages that are whole and above the rate."""
        self._early = b""
        """The beginning of a handshake for which there was no time yet."""
        self._may_shake_hands = not accepted
        self.is_paused = False
        """We take nothing from the peer now."""
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
        self._patience = Patience(hub.limits, self)
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
        self._transport.set_write_buffer_limits(high=self._hub.limits.stall_mark)
        self.flow = Flow(self.kind, self.remote, self.flow.local, self.number)
        self._patience.active_at = self._patience.pinged_at = self._hub.loop.time()
        if self.kind.is_secure and self.tls is None:
            self.tls = self._hub.tls.accept()
        if self.is_stranger or self.tls is not None or not self._framing.is_open:
            self._patience.partial_since = self._patience.active_at
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
        now = self._patience.active_at = self._hub.loop.time()
        if not self.is_open:
            return
        if not self._framing.buffered:
            if messages or not self.is_stranger:
                self._patience.partial_since = None
        elif messages or self._patience.partial_since is None:
            self._patience.partial_since = now
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
            self._early += data
            self._retry = self._hub.loop.call_later(_LOOK_AGAIN_S, self._shake_hands)
            self._read_or_wait()
        return self._may_shake_hands

    def _shake_hands(self) -> None:
        """Look again whether there is time for the handshake that waits."""
        self._retry = None
        self.data_received(b"")
        self._read_or_wait()

    def _open_if_ready(self) -> None:
        if self._framing.is_open and (self.tls is None or self.tls.is_open):
            self._opened()

    def _opened(self) -> None:
        """All handshakes are done."""
        self.is_open = True
        if self.tls is not None:
            self.identity = self.tls.identity
        if not self.is_stranger:
            self._patience.partial_since = None
        self._watch()
        self._hub.opened(self)

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
        if isinstance(error, TlsError) or self._patience.stalled_at is not None:
            self.close()
        else:
            self._end()

    def _hand_on(self) -> None:
        """Pass on as many messages as the peer's rate allows; the peer has to wait with the rest."""
        room = 0 if self._is_held_up else self._hub.room(self)
        messages, self._unread = self._unread[:room], self._unread[room:]
        if messages:
            self._hub.received(self, messages)
            if self.is_stranger:
                self._hub.look_again(self)
        self._retry = None
        transport = self._transport
        if self._unread and transport is not None and not transport.is_closing():
            self._retry = self._hub.loop.call_later(_LOOK_AGAIN_S, self._hand_on)
        self._read_or_wait()

    def _read_or_wait(self) -> None:
        """Read the peer or leave it unread, as things stand now: here alone that is decided."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        is_too_fast = bool(self._unread or self._early)
        was_paused, self.is_paused = self.is_paused, is_too_fast or self._is_held_up
        if self.is_paused and not was_paused:
            self._hub.counters.paused += is_too_fast
            transport.pause_reading()
        elif was_paused and not self.is_paused:
            self._patience.active_at = self._hub.loop.time()
            if self._patience.partial_since is not None:  # it was us who did not read
                self._patience.partial_since = self._patience.active_at
            self._watch()
            transport.resume_reading()

    # --- writing --------------------------------------------------------------------------------

    @property
    def unsent(self) -> int:
        """Octets that wait for the peer, beyond what the kernel keeps."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def pause_writing(self) -> None:
        """The peer does not read: the event loop says so, at the mark."""
        self._patience.stalled_at = self._hub.loop.time()
        self._hub.stalls.begin(self)
        self._read_or_wait()
        self._watch()

    def resume_writing(self) -> None:
        """It has read nearly all that waited."""
        self._patience.stalled_at = None
        self._hub.stalls.end(self)
        self._read_or_wait()

    @property
    def _is_held_up(self) -> bool:
        """A stranger that does not read is not read: each of its requests could be one more answer.

        Others are read on, or two servers that both have much to send could wait for each other.
        """
        return self._patience.stalled_at is not None and self.is_stranger

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
            self.does_not_read()
            return
        transport.write(data)
        if self._patience.stalled_at is not None:
            self._hub.stalls.add(len(data))

    def does_not_read(self) -> None:
        """Too much waits for the peer, or for all who do not read."""
        self._hub.counters.write_overflows += 1
        self._hub.offend(self, Offence.SLOW)
        self.cut("the peer does not read")

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
        if self._timer is not None:
            self._timer.cancel()
        due = self._patience.due()
        self._timer = None if due is None else self._hub.loop.call_at(due, self._check)

    def _check(self) -> None:
        now = self._hub.loop.time()
        found = self._patience.late(now)
        if found is None:
            self._watch()
            return
        late, seconds = found
        if late is Late.ASKING:
            self._ask(now)
        else:
            self.failure = late.value.format(seconds)
            self._hub.lost_patience(self, late)
            self.cut(self.failure)

    def _ask(self, now: float) -> None:
        """Ask whether the peer is there. Who speaks WebSocket must answer, others need not."""
        times = self._patience
        if self.kind.is_websocket and times.pinged_at > times.active_at:
            self._hub.counters.pings_unanswered += 1
            self.cut("the last ping was not answered")
            return
        times.pinged_at = now
        self._write_plain(self._framing.ping())
        self._watch()
