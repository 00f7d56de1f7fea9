"""SIP messages of the load generator: what is read from them, and the few that are written.

Written and read by hand: the generator must cost little beside what it measures.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Final, cast

Address = tuple[str, int]

STATUS: Final = re.compile(rb"^SIP/2\.0 (\d{3})")
CSEQ: Final = re.compile(rb"\r\nCSeq:[ \t]*(\d+)[ \t]+(\w+)", re.IGNORECASE)
CALL_ID: Final = re.compile(rb"\r\n(?:Call-ID|i):[ \t]*([^\r]+)", re.IGNORECASE)
FROM: Final = re.compile(rb"\r\n(?:From|f):[ \t]*([^\r]+)", re.IGNORECASE)
TO: Final = re.compile(rb"\r\n(?:To|t):[ \t]*([^\r]+)", re.IGNORECASE)
VIA: Final = re.compile(rb"\r\n(?:Via|v):[ \t]*([^\r]+)", re.IGNORECASE)
CONTACT: Final = re.compile(rb"\r\n(?:Contact|m):[^\r<]*<([^>]+)>", re.IGNORECASE)
NONCE: Final = re.compile(rb'nonce="([^"]+)"')
NAME: Final = re.compile(rb'^"?([^"<]+?)"?\s*<')
_RTP_ADDRESS: Final = re.compile(rb"\r\nc=IN IP4 ([0-9.]+)")
_RTP_PORT: Final = re.compile(rb"\r\nm=audio (\d+) ")
_COPIED: Final = (b"via", b"from", b"to", b"call-id", b"cseq")


class Datagrams(asyncio.DatagramProtocol):
    """A UDP socket that hands what it receives to a function."""

    def __init__(self, receive: Callable[[bytes, Address], None]) -> None:
        self._receive = receive
        self.transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(
        cls, receive: Callable[[bytes, Address], None], host: str, port: int
    ) -> Datagrams:
        """Bind; port 0 takes any. Raises OSError."""
        _, found = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: cls(receive), local_addr=(host, port)
        )
        return found

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)  # uvloop's is no subclass

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._receive(data, addr)

    @property
    def port(self) -> int:
        """The port in use."""
        assert self.transport is not None
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    def send(self, data: bytes, address: Address) -> None:
        """Send now, or as soon as the socket takes it."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, address)

    def close(self) -> None:
        """Let the port go."""
        if self.transport is not None:
            self.transport.close()


def sdp(host: str, port: int, direction: str = "sendrecv", version: int = 1) -> bytes:
    """An offer or answer of G.711 mu-law with telephone-events."""
    return (
        f"v=0\r\no=- 1 {version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
        f"a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ).encode()


def rtp_address(message: bytes) -> Address | None:
    """Where the sender of this message wants its RTP; None without a session description."""
    address, port = _RTP_ADDRESS.search(message), _RTP_PORT.search(message)
    return None if address is None or port is None else (address[1].decode(), int(port[1]))


def ok(request: bytes) -> bytes:
    """A bare 200 to a request within a dialog."""
    head = request.split(b"\r\n\r\n", 1)[0]
    copied = [
        line
        for line in head.split(b"\r\n")[1:]
        if line.split(b":", 1)[0].strip().lower() in _COPIED
    ]
    return b"\r\n".join([b"SIP/2.0 200 OK", *copied, b"Content-Length: 0", b"", b""])
