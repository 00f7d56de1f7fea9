"""How messages lie in the octets of a connection: one after the other, or in WebSocket frames."""

from __future__ import annotations

from typing import Protocol

from switch.sip.framing import StreamFramer


class Framing(Protocol):
    """Takes octets as they come, gives whole messages; says what is to be sent by itself."""

    is_open: bool
    """Messages may be sent."""
    is_over: bool
    """The peer said that nothing more comes."""

    @property
    def buffered(self) -> int:
        """Octets that wait for the rest of their message."""

    def feed(self, data: bytes) -> list[bytes]:
        """Add octets; return the messages that became whole. Raises RemoteProtocolError, once."""

    def take_idle_frames(self) -> int:
        """Pieces that brought no message and cost as much as one, since this was asked last."""

    def take_output(self) -> bytes:
        """What is owed to the peer: pongs, the answer to a handshake."""

    def wrap(self, message: bytes) -> bytes:
        """The octets that carry this message."""

    def ping(self) -> bytes:
        """The octets that ask whether the peer is there."""

    def goodbye(self) -> bytes:
        """The octets that say that we close."""


class SipStream(StreamFramer):
    """Messages one after the other, as over TCP and TLS; keep-alives of RFC 5626 section 3.5.1."""

    __slots__ = ()
    is_open = True
    is_over = False

    def take_idle_frames(self) -> int:
        """None: keep-alives cost next to nothing."""
        return 0

    def take_output(self) -> bytes:
        """A CRLF for each double one."""
        return b"\r\n" * self.take_pongs() if self.pongs_due else b""

    def wrap(self, message: bytes) -> bytes:
        """The message as it is."""
        return message

    def ping(self) -> bytes:
        """A double CRLF; a peer that does not know it drops it."""
        return b"\r\n\r\n"

    def goodbye(self) -> bytes:
        """Nothing: TCP says it."""
        return b""
