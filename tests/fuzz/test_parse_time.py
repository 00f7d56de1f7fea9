"""No message costs more than a few milliseconds, however it is twisted: no quadratic searches."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import pytest

from switch.errors import RemoteProtocolError
from switch.sdp.description import parse_description
from switch.sip.bodies import settle_body
from switch.sip.framing import StreamFramer
from switch.sip.parsing import MalformedMessageError, parse

WORST_S = 0.020
"""Processor time; the worst shape here takes 4 ms on an idle machine."""

LINES = {
    b"Via": b"SIP/2.0/UDP h:5060;branch=z9hG4bK1",
    b"From": b"<sip:a@b>;tag=1",
    b"To": b"<sip:c@d>",
    b"Call-ID": b"1",
    b"CSeq": b"1 INVITE",
}
PIECES = (
    *(
        b'"',
        b'\\"',
        b'"\\',
        b"<",
        b'<"',
        b";",
        b"; ",
        b";a",
        b";a=",
        b';a="',
        b",",
        b", ",
        b" ",
        b"\t ",
    ),
    *(
        b"<sip:a@b>,",
        b'"a" ',
        b"a b ",
        b"a.",
        b"%",
        b"@",
        b"a@",
        b":",
        b"[:",
        b"SIP/2.0/UDP h;",
        b"\\\x01",
    ),
    *(
        b"SIP/2.0/UDP h,",
        b"\xc3\xa9",
        b'<sip:a@b>;x="\\',
        b"sip:a@b;",
        b"&",
        b"*",
        b"\r\n ",
        b"\xff",
    ),
)
NAMES = (
    *LINES,
    b"Contact",
    b"Route",
    b"Record-Route",
    b"Content-Type",
    b"Accept",
    b"Require",
    b"X",
)


def cheap(action: Callable[[bytes], object], data: bytes, what: object) -> None:
    took = 0.0
    for _ in range(4):
        began = time.thread_time()
        action(data)
        took = time.thread_time() - began
        if took < WORST_S:
            return
    pytest.fail(f"{what}: {len(data)} octets took {took * 1000:.0f} ms")


def take(data: bytes) -> None:
    with contextlib.suppress(MalformedMessageError):
        settle_body(parse(data))


def filled(piece: bytes, octets: int) -> bytes:
    return (piece * (octets // len(piece) + 1))[:octets]


def message(start: bytes, lines: dict[bytes, bytes], body: bytes = b"") -> bytes:
    head = [start, *(name + b": " + value for name, value in lines.items())]
    return b"\r\n".join([*head, b"Content-Length: %d" % len(body), b"", b""]) + body


@pytest.mark.parametrize("name", NAMES, ids=bytes.decode)
def test_long_values(name: bytes) -> None:
    start, usual = b"INVITE sip:4000@x SIP/2.0", LINES.get(name, b"<sip:a@b>")
    for piece in PIECES:
        long = filled(piece, 8000)
        for value in (long, usual + long, b'"' + long + b'" ' + usual, b"<sip:" + long + b"@h>"):
            cheap(take, message(start, {**LINES, name: value}), (name, piece))


def test_long_start_lines_and_many_lines() -> None:
    for piece in PIECES:
        cheap(take, message(b"INVITE sip:" + filled(piece, 15_000) + b" SIP/2.0", LINES), piece)
        cheap(take, message(filled(piece, 15_000), LINES), piece)
        cheap(take, filled(piece, 65_000), piece)
    for line in (
        b"X: y",
        b"Via: SIP/2.0/UDP h",
        b"X" * 100 + b": y",
        b"Contact: <sip:a@b>,<sip:c@d>",
    ):
        lines = b"\r\n".join([line] * 3000)
        cheap(take, message(b"INVITE sip:a SIP/2.0\r\n" + lines, LINES), line)


@pytest.mark.parametrize(
    "boundary", [b"b", b'"' + b"b" * 70 + b'"', b'"' + filled(b'\\"', 7000) + b'"']
)
def test_multiparts(boundary: bytes) -> None:
    lines = {**LINES, b"Content-Type": b"multipart/mixed;boundary=" + boundary}
    nested = b"\r\n--b\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n"
    for piece in (
        b"\r\n--b\r\n",
        b"\r\n--b",
        b"--b\r\n\r\n",
        b"\r\n-",
        nested,
        b"\r\n",
        b"-",
        b":\r\n",
    ):
        cheap(take, message(b"INVITE sip:a SIP/2.0", lines, filled(piece, 45_000)), piece)


def test_descriptions() -> None:
    def read(data: bytes) -> None:
        with contextlib.suppress(RemoteProtocolError):
            parse_description(data)

    begin = b"v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 1.1.1.1\r\nt=0 0\r\n"
    for piece in (
        *(
            b"a=x\r\n",
            b"a=rtpmap:0 PCMU/8000\r\n",
            b"m=audio 1 RTP/AVP 0\r\n",
            b"a=\r\n",
            b"k=\r\n",
        ),
        *(b"m=audio 1 RTP/AVP " + b"0 " * 3000, b"m=audio 1 " + b" " * 9000, b"o=" + b"- " * 4000),
        *(b"c=IN IP4 " + b"1" * 9000, b"a=rtpmap:" + b"1" * 8000, b"a=rtpmap:0 " + b"a/" * 4000),
    ):
        cheap(read, begin + filled(piece, 15_000), piece[:20])
        cheap(read, begin + b"m=audio 4000 RTP/AVP 0 8\r\n" + filled(piece, 15_000), piece[:20])


@pytest.mark.parametrize("chunk", [1, 7, 1400, 65_536])
def test_streams_in_any_pieces(chunk: int) -> None:
    """Per octet: a peer that sends one at a time pays for it itself, call by call."""

    def feed(data: bytes) -> None:
        framer = StreamFramer()
        try:
            for at in range(0, len(data), chunk):
                framer.feed(data[at : at + chunk])
        except RemoteProtocolError:
            pass

    whole = message(b"INVITE sip:a SIP/2.0", LINES, b"x" * 8000)
    for data in (b"\r\n" * 3000, b"\r" * 6000, filled(b"X: y\r\n", 6000), whole):
        cheap(feed, data, chunk)
