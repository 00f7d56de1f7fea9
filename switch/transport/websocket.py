"""SIP in WebSocket frames, the server's side (RFC 7118 over RFC 6455): one message a frame.

Pure: octets in, messages and octets out. `wsproto` reads and writes frames and the upgrade; what it would
let grow without end is bounded here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError as WsLocalError
from wsproto.utilities import RemoteProtocolError as WsRemoteError

from switch.errors import RemoteProtocolError
from switch.sip.framing import FramingError
from switch.sip.limits import MessageLimits

_SUBPROTOCOL: Final = "sip"
_MAX_UPGRADE: Final = 16_384
"""Octets of the request that asks for a WebSocket, cookies included."""
_MAX_FRAMES: Final = 2000
"""In one piece of a stream: empty frames are six octets each, and reading them costs more than sending."""
_END_OF_HEAD: Final = b"\r\n\r\n"
_PING: Final = b"\r\n\r\n"
_PONG: Final = b"\r\n"
_GOING_AWAY: Final = 1001
_TOO_BIG: Final = 1009
_PHRASES: Final = {
    403: "Forbidden",
    426: "Upgrade Required",
    431: "Request Header Fields Too Large",
}


class UpgradeRefusedError(RemoteProtocolError):
    """What asked for a WebSocket is no browser of ours; it is told why before the connection closes.

    `is_strange`: what came is no request for a WebSocket at all.
    """

    def __init__(self, message: str, *, is_strange: bool) -> None:
        super().__init__(message)
        self.is_strange = is_strange


class SipWebSocket:
    """One connection: first the upgrade, then frames."""

    def __init__(
        self,
        limits: MessageLimits,
        origins: Iterable[str] = (),
        bring: Callable[[tuple[str, ...], tuple[str, ...]], str] | None = None,
    ) -> None:
        """`origins`: what an Origin header may say; empty: anything. Without the header it is no browser.

        `bring` gets the values of X-Forwarded-For and of Forwarded, and says why the one whom they name
        may not connect; empty: it may.
        """
        self._max_head = limits.max_head
        self._most = limits.max_head + limits.max_body
        self._origins = frozenset(origins)
        self._bring = bring
        self._ws = WSConnection(ConnectionType.SERVER)
        self._out: list[bytes] = []
        self._upgrade_octets = 0
        self._begun = bytearray()
        """The message that is not whole."""
        self._idle_frames = 0
        self._close_code = _GOING_AWAY
        """Why we close, as `goodbye` says it (RFC 6455 section 7.4.1)."""
        self.is_open = False
        self.is_over = False

    @property
    def buffered(self) -> int:
        """Octets that wait for the rest of their message."""
        return len(self._begun)

    def take_idle_frames(self) -> int:
        """How many frames came that brought no whole message: each costs what a message costs."""
        count, self._idle_frames = self._idle_frames, 0
        return count

    def feed(self, data: bytes) -> list[bytes]:
        """Take octets of the stream; return the messages that became whole.

        Raises UpgradeRefusedError, of which `take_output` tells the peer, and FramingError, of which
        `goodbye` does.
        """
        if not self.is_open:
            self._upgrade_octets += len(data)
            if self._upgrade_octets > _MAX_UPGRADE:
                raise self._refused(431, "the request is too long", is_strange=True)
        messages: list[bytes] = []
        try:
            self._ws.receive_data(data)
            for number, event in enumerate(self._ws.events()):
                if number >= _MAX_FRAMES:
                    raise self._failed(1008, f"more than {_MAX_FRAMES} frames at once", messages)
                self._take(event, messages)
                if self.is_over:
                    break
        except WsRemoteError as error:
            if not self.is_open:
                raise self._refused_upgrade(error) from None
            raise self._failed(1002, str(error), messages) from None
        except (WsLocalError, UnicodeError, ValueError) as error:
            # The library decodes some headers without looking.
            if not self.is_open:
                raise self._refused(400, f"no upgrade: {error}", is_strange=True) from None
            raise self._failed(1002, str(error), messages) from None
        return messages

    def take_output(self) -> bytes:
        """What is to be sent as it is."""
        if not self._out:
            return b""
        out = b"".join(self._out)
        self._out.clear()
        return out

    def wrap(self, message: bytes) -> bytes:
        """One frame: text where the message is (RFC 7118 section 4.2), else binary."""
        frame: TextMessage | BytesMessage
        try:
            frame = TextMessage(data=message.decode())
        except UnicodeDecodeError:
            frame = BytesMessage(data=message)
        try:
            return self._ws.send(frame)
        except WsLocalError:  # the peer has closed meanwhile
            return b""

    def ping(self) -> bytes:
        """Ask whether the peer is there; every browser answers by itself."""
        try:
            return self._ws.send(Ping())
        except WsLocalError:
            return b""

    def goodbye(self) -> bytes:
        """A Close frame, which says why."""
        try:
            return self._ws.send(CloseConnection(code=self._close_code)) if self.is_open else b""
        except WsLocalError:
            return b""

    def _take(self, event: Event, messages: list[bytes]) -> None:
        if isinstance(event, TextMessage | BytesMessage):
            self._take_piece(event, messages)
        elif isinstance(event, Ping):
            self._idle_frames += 1
            self._out.append(self._ws.send(event.response()))
        elif isinstance(event, Pong):
            self._idle_frames += 1  # that something came is all that counts
        elif isinstance(event, Request):
            self._upgrade(event)
        elif isinstance(event, CloseConnection):
            if self._ws.state is ConnectionState.OPEN:  # the library's word for a broken frame
                words = event.reason or "a broken frame"
                raise self._failed(int(event.code), words, messages)
            if self._ws.state is ConnectionState.REMOTE_CLOSING:
                self._out.append(self._ws.send(event.response()))
            self.is_over = True

    def _take_piece(self, event: TextMessage | BytesMessage, messages: list[bytes]) -> None:
        data = event.data
        piece = data.encode() if isinstance(data, str) else data
        if len(self._begun) + len(piece) > self._most:
            raise self._too_big(bytes((self._begun + piece)[: self._max_head]), messages)
        if not event.message_finished:
            self._begun += piece
            self._idle_frames += event.frame_finished
            return
        message = bytes(self._begun + piece) if self._begun else bytes(piece)
        self._begun.clear()
        if message.strip(b"\r\n"):
            messages.append(message)
            return
        self._idle_frames += 1
        if message == _PING:
            self._out.append(self.wrap(_PONG))

    def _upgrade(self, request: Request) -> None:
        if _SUBPROTOCOL not in request.subprotocols:
            words = "write Sec-WebSocket-Protocol: sip"
            raise self._refused(400, words, is_strange=False)
        origins = [value for name, value in request.extra_headers if name == b"origin"]
        if self._origins and any(o.decode("latin-1") not in self._origins for o in origins):
            raise self._refused(403, "this Origin may not", is_strange=False)
        if self._bring is not None:
            plain, named = _values(request, b"x-forwarded-for"), _values(request, b"forwarded")
            if words := self._bring(plain, named):
                raise self._refused(403, words, is_strange=False)
        self._out.append(self._ws.send(AcceptConnection(subprotocol=_SUBPROTOCOL)))
        self.is_open = True

    def _refused_upgrade(self, error: WsRemoteError) -> UpgradeRefusedError:
        hint = error.event_hint
        status = hint.status_code if isinstance(hint, RejectConnection) else 400
        return self._refused(status, str(error), is_strange=True)

    def _refused(self, status: int, words: str, *, is_strange: bool) -> UpgradeRefusedError:
        """Tell an HTTP client why."""
        # By hand: after damage the library does not know any more where it is.
        phrase = _PHRASES.get(status, "Bad Request")
        version = "Sec-WebSocket-Version: 13\r\n" if status == 426 else ""
        told = (
            f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain\r\n{version}"
            f"Content-Length: {len(words) + 1}\r\nConnection: close\r\n\r\n{words}\n"
        )
        self._out = [told.encode("ascii", "replace")]
        return UpgradeRefusedError(words, is_strange=is_strange)

    def _failed(self, code: int, words: str, before: list[bytes]) -> FramingError:
        """To be closed with a code of RFC 6455 section 7.4.1; there is nothing to answer."""
        self._close_code = code
        return FramingError(words, before=before)

    def _too_big(self, head: bytes, before: list[bytes]) -> FramingError:
        """Too large is its head, or its body where the head has an end."""
        self._close_code = _TOO_BIG
        words = f"a message of more than {self._most} octets"
        status = 413 if _END_OF_HEAD in head else 513
        return FramingError(words, status=status, head=head, before=before)


def _values(request: Request, name: bytes) -> tuple[str, ...]:
    """Of a header that may stand there several times; its name in small letters."""
    return tuple(value.decode("latin-1") for key, value in request.extra_headers if key == name)
