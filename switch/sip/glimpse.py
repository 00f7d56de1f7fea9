"""What can be told of a message from its octets, without reading it: for when there is no time.

`kind_of` looks at the first octets and, of an INVITE, for a tag in To. `glimpse` takes out of a request
what a stateless answer needs (RFC 3261 section 8.2.6.2). Neither checks what `switch.sip.parsing` checks;
where a request is written in an unusual way, `glimpse` gives None and the parser has to look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from zlib import crc32

from switch.sip.headers import Via
from switch.sip.transaction import MAGIC_COOKIE


class Kind(IntEnum):
    """How urgent a message is by itself."""

    GOING_ON = 0
    """Belongs to what is under way: a response, an ACK, CANCEL or BYE, anything within a dialog."""
    OTHER = 1
    """A request that asks for something new and is no INVITE: REGISTER, OPTIONS."""
    INVITE = 2
    """A new call."""


_GOING_ON: Final = frozenset(
    {b"ACK", b"BYE", b"CANCEL", b"PRACK", b"UPDATE", b"INFO", b"NOTIFY", b"REFER"}
)
"""Methods that come within dialogs only, or end something."""
_LONGEST_METHOD: Final = 16
_REFUSED_ACK: Final = re.compile(
    rb"\n(?:to|t)[ \t]*:[^\r\n]*;tag=(s[0-9a-f]{8})[ \t]*\r", re.IGNORECASE
)
_TAGGED_TO: Final = re.compile(rb"\n(?:to|t)[ \t]*:[^\r\n]*;[ \t]*tag[ \t]*=", re.IGNORECASE)
_MOST_OCTETS: Final = 8192
_LINES: Final = re.compile(
    r"\r\n(via|v|from|f|to|t|call-id|i|cseq)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE | re.ASCII
)
_FULL: Final = {"f": "from", "t": "to", "i": "call-id"}


def kind_of(data: bytes) -> Kind:
    """Judge a message by its first octets; empty lines before it do not count."""
    if data[:1] in b"\r\n":
        data = data.lstrip(b"\r\n")
    if data.startswith(b"SIP/"):
        return Kind.GOING_ON
    end = data.find(b" ", 0, _LONGEST_METHOD)
    method = data[:end]
    if end < 0 or method in _GOING_ON or _TAGGED_TO.search(data):
        return Kind.GOING_ON  # or nonsense, which is refused fast enough
    return Kind.INVITE if method == b"INVITE" else Kind.OTHER


def is_keepalive(data: bytes) -> bool:
    """Whether a datagram only keeps a way open: ends of lines (RFC 5626), or the zeros of older phones."""
    return data[:1] in b"\r\n\0" and not data.strip(b"\r\n\0")


def refused_tag(data: bytes) -> str:
    """Of an ACK, the To tag, if it is one that `Glimpse.tag` may have given; else empty."""
    found = _REFUSED_ACK.search(data) if data.startswith(b"ACK ") else None
    return "" if found is None else found[1].decode()


@dataclass(slots=True)
class Glimpse:
    """What the answer to a request repeats, as it came."""

    method: str
    vias: list[str]
    """The values, the topmost first."""
    via: Via
    """The topmost."""
    values: dict[str, str]
    """Of from, to, call-id and cseq."""

    @property
    def server_key(self) -> str | None:
        """As `switch.sip.transaction.server_key` has it; None where more of the request is needed."""
        branch = self.via.branch
        if branch is None or not branch.startswith(MAGIC_COOKIE) or branch == MAGIC_COOKIE:
            return None
        return f"{branch} {self.via.sent_by} {self.method}"

    @property
    def tag(self) -> str:
        """As `switch.sip.transaction.stateless_tag` has it."""
        text = f"{self.values['call-id']} {self.values['from']} {self.via.branch}"
        return f"s{crc32(text.encode()):08x}"


def glimpse(data: bytes) -> Glimpse | None:
    """Take out what an answer needs; None for what is no request or is written in an unusual way."""
    end = data.find(b"\r\n\r\n", 0, _MOST_OCTETS)
    if end < 0:
        return None
    try:
        text = data[:end].decode("ascii")
    except UnicodeDecodeError:
        return None
    start_line = text[: text.find("\r\n")]
    method, _, rest = start_line.partition(" ")
    if not rest.endswith(" SIP/2.0") or "\r\n " in text or "\r\n\t" in text:
        return None
    vias: list[str] = []
    values: dict[str, str] = {}
    for written, value in _LINES.findall(text):
        name = written.lower()
        if name in ("via", "v"):
            vias.append(value)
            continue
        name = _FULL.get(name, name)
        if name in values:
            return None
        values[name] = value.rstrip(" \t")
    if len(values) < 4 or not vias or "," in vias[0] or not _is_plain(vias, values):
        return None
    if not values["cseq"].endswith(f" {method}"):
        return None
    try:
        return Glimpse(method, vias, Via.parse(vias[0]), values)
    except ValueError:
        return None


def _is_plain(vias: list[str], values: dict[str, str]) -> bool:
    return "".join((*vias, *values.values())).isprintable() and all(values.values())
