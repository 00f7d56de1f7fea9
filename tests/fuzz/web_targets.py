"""WebSocket connections that must survive whatever comes: the upgrade, the frames, what is in them."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random

from switch.errors import RemoteProtocolError
from switch.sip.limits import MessageLimits
from switch.sip.parsing import MalformedMessageError, parse
from switch.transport.websocket import SipWebSocket
from tests.fuzz.campaign import WORST_S, Item, promise
from tests.fuzz.mutations import BINARY, TEXT, mutate
from tests.fuzz.sip_targets import SIP_CORPUS

UPGRADE = (
    b"GET /sip HTTP/1.1\r\nHost: sip.example.com:5066\r\nUpgrade: websocket\r\n"
    b"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Origin: https://desk.example.com\r\nSec-WebSocket-Protocol: sip\r\n"
    b"Sec-WebSocket-Version: 13\r\nCookie: a=b\r\n\r\n"
)
UPGRADES = [
    UPGRADE,
    UPGRADE.replace(b"GET /sip", b"POST http://[::1]:0/%00"),
    UPGRADE.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nhello"),
    UPGRADE.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    UPGRADE.replace(b"Host: sip", b"Host: \xff\xfe xn--\xc3"),
    UPGRADE.replace(b"Version: 13", b"Version: 8"),
]
_LIMITS = MessageLimits()


def frame(data: bytes, opcode: int = 1, *, fin: bool = True, masked: bool = True) -> bytes:
    """A frame as a browser writes it."""
    first, mask = (0x80 if fin else 0) | opcode, 0x80 if masked else 0
    if len(data) < 126:
        head = struct.pack("!BB", first, mask | len(data))
    elif len(data) < 65_536:
        head = struct.pack("!BBH", first, mask | 126, len(data))
    else:
        head = struct.pack("!BBQ", first, mask | 127, len(data))
    return head + (b"\0\0\0\0" if masked else b"") + data


def some_frames(rng: Random) -> bytes:
    """A message in one piece or in many, or what is no message."""
    match rng.randrange(6):
        case 0:
            return frame(rng.randbytes(rng.choice((0, 2, 5, 125))), rng.choice((8, 9, 10, 3, 11)))
        case 1:
            return frame(rng.choice((b"", b"\r\n", b"\r\n\r\n", b"\xff", b"\0" * 300)))
        case 2:
            data = mutate(SIP_CORPUS, rng)
            cut = rng.randrange(len(data) + 1)
            end = frame(data[cut:], rng.choice((0, 0, 0, 1)))
            return frame(data[:cut], 1, fin=False) + end
        case 3:
            return frame(b"", rng.choice((0, 9))) * rng.choice((2, 100, 3000))
        case 4:
            # A length that never comes.
            return struct.pack("!BBQ", 0x81, 0xFF, rng.choice((0, 126, 1 << 40, (1 << 64) - 1)))
        case _:
            return frame(mutate(SIP_CORPUS, rng), rng.choice((1, 2)), masked=rng.random() > 0.05)


class WebSocketFrames:
    """One connection: nothing but RemoteProtocolError gets out, and what is kept is bounded."""

    name = "websocket"

    def make(self, rng: Random) -> list[Item]:
        """An upgrade, mostly a good one, and frames; damaged, and cut anywhere."""
        upgrade = UPGRADE
        if rng.random() < 0.4:
            upgrade = rng.choice(UPGRADES) if rng.random() < 0.3 else mutate(UPGRADES, rng, TEXT)
        stream = b"".join(some_frames(rng) for _ in range(rng.randint(1, 6)))
        if rng.random() < 0.4:
            stream = mutate([stream], rng, BINARY)
        pieces: list[Item] = []
        size = rng.choice((1, 7, 100, 1400, 65_536))
        for part in (upgrade, stream):
            most = max(size, len(part) // 200)
            pieces += [part[at : at + most] for at in range(0, len(part), most)]
        return pieces

    def play(self, case: Sequence[Item]) -> None:
        """What comes out of good frames is read like any message; the answers stay small."""
        web = SipWebSocket(_LIMITS, ("https://desk.example.com",))
        came = sent = 0
        for piece in case:
            assert isinstance(piece, bytes)
            came += len(piece)
            messages: list[bytes] = []
            is_over = False
            began = time.thread_time()
            try:
                messages = web.feed(piece)
            except RemoteProtocolError:
                is_over = True
            took = time.thread_time() - began
            promise(took < 4 * WORST_S, f"{len(piece)} octets took {took * 1000:.0f} ms")
            sent += len(web.take_output())
            promise(web.buffered <= _LIMITS.max_head + _LIMITS.max_body, "too much is kept")
            promise(sent <= came + 400, "answers larger than the questions")
            promise(not messages or web.is_open, "a message before the upgrade")
            for message in messages:
                promise(len(message) <= _LIMITS.max_head + _LIMITS.max_body, "too large")
                with suppress(MalformedMessageError):
                    parse(message)
            if is_over or web.is_over:
                break
        web.ping()
        web.goodbye()
        if web.is_open:
            web.wrap(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
