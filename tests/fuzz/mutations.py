"""Damage done to messages by somebody who knows what they look like.

Every function takes a message and a source of chance and gives another message; nothing else is
random, so the same seed does the same damage. Results are bounded by `MAX_OCTETS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from re import IGNORECASE, compile

MAX_OCTETS = 65_507
"""The largest UDP datagram."""

NUMBERS = (
    *(b"0", b"-1", b"00000001", b"1", b"255", b"256", b"65535", b"65536", b"2147483647"),
    *(
        b"2147483648",
        b"4294967295",
        b"4294967296",
        b"18446744073709551616",
        b"9" * 40,
        b"1e9",
        b"0x1",
    ),
)
TEXTS = (
    *(
        b"",
        b" ",
        b"\t",
        b"\r\n ",
        b"\r\n",
        b"\0",
        b'"',
        b'"\\',
        b"\\\0",
        b"<",
        b">",
        b";",
        b";;",
        b",",
    ),
    *(b":", b"@", b"%", b"%00", b"%0d%0aX: y", b"?a=b", b"*", b"[", b"[::1]", b"\xff\xfe", b"\xc3"),
    *(
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"\xef\xbb\xbf",
        b"\xc2\x85",
        b"SIP/2.0",
        b"sips:a@b",
        b"tel:1",
    ),
    *(
        b"urn:service:sos",
        b"application/sdp",
        b"z9hG4bK",
        b";tag=a",
        b";lr",
        b";rport",
        b";branch=",
    ),
)
HEADERS = (
    *(b"Require: 100rel", b"Content-Length: 0", b"Content-Length: 70000", b"l: 1", b"Contact: *"),
    *(
        b"Content-Encoding: gzip",
        b"Max-Forwards: 0",
        b"Expires: 0",
        b"Route: <sip:x;lr>",
        b"Accept: a/b",
    ),
    *(
        b"Record-Route: <sip:192.0.2.9>",
        b"Content-Type: multipart/mixed;boundary=b",
        b"Replaces: x",
    ),
    *(
        b"Content-Disposition: x;handling=optional",
        b'From: "\\',
        b"Via: SIP/2.0/UDP [::1]:0;rport=x",
    ),
    *(b"Proxy-Require: x", b"Session-Expires: 1", b"Authorization: Digest", b"CSeq: 1 ACK"),
    *(
        b"Subject",
        b": x",
        b"X" * 300 + b": y",
        b"Supported: " + b"a," * 400,
        b"Reason: SIP;cause=200",
    ),
)
SDP_LINES = (
    *(
        b"m=audio 0 RTP/AVP 0",
        b"m=audio 65535/2 RTP/SAVP 0",
        b"m=video 9 RTP/AVP 31",
        b"c=IN IP4 0.0.0.0",
    ),
    *(b"c=IN IP4 224.0.0.1/127", b"c=IN IP6 ::", b"c=IN IP4 host.example.com", b"a=sendonly"),
    *(
        b"a=inactive",
        b"a=rtpmap:0 PCMA/8000",
        b"a=rtpmap:101 PCMU/8000",
        b"a=ptime:0",
        b"a=ptime:9999",
    ),
    *(
        b"a=rtpmap:31 LPC",
        b"a=rtpmap:0 PCMU/0",
        b"v=0",
        b"o=x",
        b"b=AS:0",
        b"a=" + b"x" * 500,
        b"=",
    ),
)

Mutation = Callable[[bytes, Random], bytes]


def flip_a_bit(data: bytes, rng: Random) -> bytes:
    octets = bytearray(data)
    if octets:
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
    return bytes(octets)


def cut(data: bytes, rng: Random) -> bytes:
    """Take a piece out, often the end."""
    start = rng.randrange(len(data) + 1)
    return data[:start] + (b"" if rng.random() < 0.3 else data[start + rng.randint(1, 40) :])


def insert(data: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(TEXTS) + data[at:]


def repeat(data: bytes, rng: Random) -> bytes:
    """A piece of it again and again: huge tokens, nested quotes, endless lists."""
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.randint(1, 12)]
    return data[:start] + piece * rng.choice((2, 3, 50, 500, 3000)) + data[start:]


def change_a_number(data: bytes, rng: Random) -> bytes:
    """A number at a limit in place of one that stands there."""
    digits = [at for at, octet in enumerate(data) if 48 <= octet <= 57]
    if not digits:
        return data
    start = end = rng.choice(digits)
    while start and 48 <= data[start - 1] <= 57:
        start -= 1
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    return data[:start] + rng.choice(NUMBERS) + data[end:]


def _lines(data: bytes) -> list[bytes]:
    return data.split(b"\r\n")


def swap_lines(data: bytes, rng: Random) -> bytes:
    lines = _lines(data)
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)


def double_a_line(data: bytes, rng: Random) -> bytes:
    lines = _lines(data)
    at = rng.randrange(len(lines))
    copies = 1 if rng.random() < 0.9 else rng.randint(2, 200)
    return b"\r\n".join([*lines[:at], *[lines[at]] * copies, *lines[at:]])


def drop_a_line(data: bytes, rng: Random) -> bytes:
    lines = _lines(data)
    del lines[rng.randrange(len(lines))]
    return b"\r\n".join(lines)


def add_a_line(data: bytes, rng: Random) -> bytes:
    """A header or an SDP line, whichever belongs where it lands."""
    head, empty, body = data.partition(b"\r\n\r\n")
    if empty and body and rng.random() < 0.4:
        lines = _lines(body)
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(SDP_LINES))
        return head + empty + b"\r\n".join(lines)
    lines = _lines(head)
    lines.insert(rng.randint(1, len(lines)), rng.choice(HEADERS))
    return b"\r\n".join(lines) + empty + body


def change_a_value(data: bytes, rng: Random) -> bytes:
    """Another value, or another piece within it, of one header or SDP line."""
    lines = _lines(data)
    at = rng.randrange(len(lines))
    name, sign, value = lines[at].partition(b":" if b":" in lines[at] else b"=")
    start = rng.randrange(len(value) + 1)
    end = rng.randint(start, len(value)) if rng.random() < 0.7 else len(value)
    lines[at] = name + sign + value[:start] + rng.choice(TEXTS) + value[end:]
    return b"\r\n".join(lines)


def change_the_method(data: bytes, rng: Random) -> bytes:
    """Of the first line only, or of CSeq as well."""
    old = data.split(b" ", 1)[0]
    new = rng.choice((b"INVITE", b"ACK", b"BYE", b"CANCEL", b"UPDATE", b"INFO", b"OPTIONS", b"NEW"))
    both = rng.random() < 0.7
    return data.replace(old, new) if both and old.isalpha() else new + data[len(old) :]


def fix_the_length(data: bytes, rng: Random) -> bytes:
    """Make Content-Length right again, so that damage in the body is looked at."""
    head, empty, body = data.partition(b"\r\n\r\n")
    lines = [
        line for line in _lines(head) if not line.lower().startswith((b"content-length", b"l:"))
    ]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + empty + body


_BRANCH = compile(rb"branch=z9hG4bK[^;,\r\n]*")
_CSEQ = compile(rb"(CSeq[ \t]*:[ \t]*)([0-9]{1,9})", IGNORECASE)


def renew(data: bytes, rng: Random) -> bytes:
    """The same as a new request: with a branch of its own, and mostly the next CSeq."""
    data = _BRANCH.sub(b"branch=z9hG4bK%x" % rng.getrandbits(40), data, count=1)
    if rng.random() < 0.8:
        more = rng.choice((1, 1, 2, 100))
        data = _CSEQ.sub(lambda found: found[1] + b"%d" % (int(found[2]) + more), data, count=1)
    return data


def change_the_body(data: bytes, rng: Random) -> bytes:
    """Another SDP line, or one that stands there changed; the length stays right."""
    head, empty, body = data.partition(b"\r\n\r\n")
    lines = _lines(body)
    at = rng.randrange(len(lines))
    if rng.random() < 0.5:
        lines.insert(at, rng.choice(SDP_LINES))
    else:
        lines[at] = change_a_number(lines[at], rng)
    return fix_the_length(head + empty + b"\r\n".join(lines), rng)


def drop_a_header(data: bytes, rng: Random) -> bytes:
    """Take one line out of the head, not the first; the length stays right."""
    head, empty, body = data.partition(b"\r\n\r\n")
    lines = _lines(head)
    if len(lines) > 1:
        del lines[rng.randrange(1, len(lines))]
    return fix_the_length(b"\r\n".join(lines) + empty + body, rng)


GENTLE: tuple[Mutation, ...] = (
    *(renew, change_the_method, change_the_body, change_the_body, drop_a_header, add_a_line),
    *(change_a_number, change_a_value),
)
"""What leaves a message well formed more often than not."""
TEXT: tuple[Mutation, ...] = (
    *(flip_a_bit, cut, insert, insert, repeat, change_a_number, swap_lines, double_a_line),
    *(drop_a_line, add_a_line, add_a_line, change_a_value, change_a_value, change_the_method),
)
BINARY: tuple[Mutation, ...] = (flip_a_bit, flip_a_bit, cut, repeat)


def splice(one: bytes, other: bytes, rng: Random) -> bytes:
    """The beginning of one and the end of another."""
    return one[: rng.randrange(len(one) + 1)] + other[rng.randrange(len(other) + 1) :]


def mutate(corpus: Sequence[bytes], rng: Random, mutations: Sequence[Mutation] = TEXT) -> bytes:
    """One message of the corpus, damaged once or some times; now and then grown to the limit."""
    data = rng.choice(corpus)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))):
        data = rng.choice(mutations)(data, rng)
    if rng.random() < 0.08:
        data = splice(data, rng.choice(corpus), rng)
    if mutations is TEXT and rng.random() < 0.5:
        data = fix_the_length(data, rng)
    return data[:MAX_OCTETS]
