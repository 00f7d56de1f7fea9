"""Header fields: the ordered collection, their names, and the values with an inner form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from switch.sip.uri import HOST, TOKEN, Params, format_params, parse_params

_PRETTY = (
    "Accept",
    "Accept-Contact",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow",
    "Allow-Events",
    "Authentication-Info",
    "Authorization",
    "Call-ID",
    "Call-Info",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "Date",
    "Diversion",
    "Error-Info",
    "Event",
    "Expires",
    "From",
    "History-Info",
    "Identity",
    "In-Reply-To",
    "Max-Forwards",
    "MIME-Version",
    "Min-Expires",
    "Min-SE",
    "Organization",
    "P-Access-Network-Info",
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Path",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "RAck",
    "Reason",
    "Record-Route",
    "Refer-To",
    "Referred-By",
    "Remote-Party-ID",
    "Replaces",
    "Reply-To",
    "Require",
    "Retry-After",
    "Route",
    "RSeq",
    "Server",
    "Service-Route",
    "Session-Expires",
    "SIP-ETag",
    "SIP-If-Match",
    "Subject",
    "Subscription-State",
    "Supported",
    "Timestamp",
    "To",
    "Unsupported",
    "User-Agent",
    "User-to-User",
    "Via",
    "Warning",
    "WWW-Authenticate",
)

_COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
}
"""One-letter forms (RFC 3261 section 7.3.3 and the IANA registry)."""

SPLIT_AT_COMMAS = frozenset({"Via", "Contact", "Route", "Record-Route", "Path", "Service-Route"})
"""Each comma-separated element becomes a value of its own. For lists of words see `tokens`."""

SINGLE = frozenset(
    {
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Max-Forwards",
        "Content-Length",
        "Content-Type",
        "Expires",
        "Event",
        "Min-Expires",
        "Session-Expires",
        "Refer-To",
    }
)
"""Headers that may stand once only, in requests and responses (RFC 3261 section 7.3.1)."""

SINGLE_IN_REQUESTS = SINGLE | {
    "Content-Disposition",
    "Date",
    "Info-Package",
    "MIME-Version",
    "Min-SE",
    "Priority",
    "RAck",
    "Referred-By",
    "Reply-To",
    "SIP-If-Match",
    "Subscription-State",
    "Timestamp",
}
"""With others that are no lists: where one of them stands twice, whoever is on the way may go by the one and
we by the other (of Replaces see `switch.sip.replaces`).

A response with two is taken, and the first one counts: to drop it would end a call that could go on. Subject,
Organization, User-Agent and Server are no lists either. But only people read them, and gateways and session
border controllers on the way put theirs beside the one that is there, so they are left alone.
"""

_CANONICAL: dict[str, str] = {}
KNOWN_SPELLINGS: Mapping[str, str] = _CANONICAL
"""The canonical name of each spelling seen so far; of others `canonical_name` knows it."""
for _name in _PRETTY:
    _CANONICAL[_name] = _CANONICAL[_name.lower()] = _name
for _letter, _name in _COMPACT.items():
    _CANONICAL[_letter] = _CANONICAL[_letter.upper()] = _name
_KNOWN = len(_CANONICAL)
_MAX_LEARNT = 1024
"""Spellings remembered beyond the known ones; strangers choose header names, memory is bounded."""

_TOKEN = re.compile(TOKEN)
_CSEQ = re.compile(rf"([0-9]{{1,10}})[ \t]+({TOKEN})")
_VIA = re.compile(
    rf"[Ss][Ii][Pp][ \t]*/[ \t]*2\.0[ \t]*/[ \t]*({TOKEN})[ \t]+({HOST})"
    r"(?:[ \t]*:[ \t]*([0-9]{1,5}))?[ \t]*(;.*)?"
)


def canonical_name(name: str) -> str:
    """The usual spelling of a header name, compact forms expanded; ValueError if no token."""
    known = _CANONICAL.get(name)
    if known is not None:
        return known
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"not a header name: {name[:80]!r}")
    canonical = _CANONICAL.get(name.lower())
    if canonical is None:
        canonical = "-".join([part.capitalize() for part in name.split("-")])
    if len(_CANONICAL) < _KNOWN + _MAX_LEARNT and len(name) <= 64:
        _CANONICAL[name] = canonical
    return canonical


def split_commas(text: str) -> list[str]:
    """Split at commas outside of quotes and angle brackets; empty elements are dropped."""
    if '"' not in text and "<" not in text:
        return [part for piece in text.split(",") if (part := piece.strip(" \t"))]
    parts: list[str] = []
    start, quoted, bracketed, escaped = 0, False, False, False
    for position, letter in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            if letter == "\\":
                escaped = True
            elif letter == '"':
                quoted = False
        elif letter == '"':
            quoted = True
        elif letter == "<":
            bracketed = True
        elif letter == ">":
            bracketed = False
        elif letter == "," and not bracketed:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [part for piece in parts if (part := piece.strip(" \t"))]


def _refuse_line_breaks(name: str, value: str) -> None:
    if "\r" in value or "\n" in value or "\0" in value:
        raise ValueError(f"line break or NUL in the value of {name}")


class Headers:
    """Header fields in order, case-insensitive, each with one or more values.

    Values of the same name keep their order and stand together where the name stood first; the
    order of different names means nothing in SIP (RFC 3261 section 7.3.1). The values of a name are a
    tuple: an answer shares those of its request.
    """

    __slots__ = ("_values", "parsed")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        self.parsed: dict[str, Any] = {}
        """What `switch.sip.message` made of the values, by canonical name; a change drops it."""
        for name, value in items:
            self.add(name, value)

    @classmethod
    def of_canonical(
        cls, values: dict[str, tuple[str, ...]], parsed: dict[str, Any] | None = None
    ) -> Headers:
        """Take over values by canonical name, checked by the caller, and what is parsed of them."""
        headers = cls.__new__(cls)
        headers._values = values
        headers.parsed = {} if parsed is None else parsed
        return headers

    @classmethod
    def of_named(cls, values: Mapping[str, str]) -> Headers:
        """One value each, the names in their canonical spelling. Raises ValueError at a line break."""
        for name, value in values.items():
            _refuse_line_breaks(name, value)
        return cls.of_canonical({name: (value,) for name, value in values.items()})

    def _lines(self, name: str) -> Sequence[str]:
        values = self._values.get(name)
        if values is not None:
            return values
        return self._values.get(_CANONICAL.get(name) or canonical_name(name), ())

    def get(self, name: str) -> str | None:
        """The first value, or None."""
        values = self._lines(name)
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        """Every value, topmost first, in a list of the caller's own."""
        return list(self._lines(name))

    def values_of(self, canonical: str) -> tuple[str, ...] | None:
        """The values of a name in its canonical spelling."""
        return self._values.get(canonical)

    def tokens(self, name: str) -> list[str]:
        """The words of a comma-separated list over all its lines: Allow, Require, Supported."""
        return [word for value in self._lines(name) for word in split_commas(value)]

    def set(self, name: str, value: str) -> None:
        """Make `value` the only one."""
        _refuse_line_breaks(name, value)
        self.put(_CANONICAL.get(name) or canonical_name(name), value)

    def put(self, canonical: str, value: str) -> None:
        """As `set`, for a name in its canonical spelling and a value known to have no line break."""
        self._values[canonical] = (value,)
        if self.parsed:
            self.parsed.pop(canonical, None)

    def add(self, name: str, value: str) -> None:
        """Put `value` below those of the same name."""
        _refuse_line_breaks(name, value)
        key = canonical_name(name)
        self._values[key] = (*self._values.get(key, ()), value)
        self.parsed.pop(key, None)

    def prepend(self, name: str, value: str) -> None:
        """Put `value` above those of the same name; a new name becomes the first header."""
        _refuse_line_breaks(name, value)
        key = canonical_name(name)
        if key in self._values:
            self._values[key] = (value, *self._values[key])
        else:
            self._values = {key: (value,), **self._values}
        self.parsed.pop(key, None)

    def replace_top(self, name: str, value: str) -> None:
        """Change the first value, which must exist; those below stay (our mark on a Via)."""
        _refuse_line_breaks(name, value)
        key = canonical_name(name)
        self._values[key] = (value, *self._values[key][1:])
        self.parsed.pop(key, None)

    def put_first(self, canonical: str, value: str) -> None:
        """As `put`, for a name that is not there yet: it becomes the first header."""
        self._values = {canonical: (value,), **self._values}

    def remove(self, name: str) -> None:
        """Remove every value; nothing happens where there is none."""
        key = canonical_name(name)
        self._values.pop(key, None)
        self.parsed.pop(key, None)

    def __contains__(self, name: str) -> bool:
        return name in self._values or (
            (_CANONICAL.get(name) or canonical_name(name)) in self._values
        )

    def __len__(self) -> int:
        """Number of values, which is the number of lines on the wire."""
        return sum(map(len, self._values.values()))

    def __eq__(self, other: object) -> bool:
        return self._values == other._values if isinstance(other, Headers) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({list(self.items())!r})"

    def items(self) -> Iterator[tuple[str, str]]:
        """Pairs of canonical name and value, one a line."""
        for name, values in self._values.items():
            for value in values:
                yield name, value

    def grouped(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Canonical names with their values."""
        return self._values.items()

    def copy(self) -> Headers:
        return Headers.of_canonical(dict(self._values), dict(self.parsed))


class CSeq(Struct, frozen=True):
    """Sequence number and method (RFC 3261 section 20.16)."""

    seq: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Parse `314159 INVITE`; raises ValueError, also for numbers of 2**31 and more."""
        return _cseq_often_seen(text) if len(text) <= _CACHED_CSEQ else cls._parse(text)

    @classmethod
    def _parse(cls, text: str) -> CSeq:
        found = _CSEQ.fullmatch(text)
        if found is None:
            raise ValueError(f"not a CSeq: {text[:80]!r}")
        seq = int(found[1])
        if seq >= 1 << 31:
            raise ValueError(f"CSeq number {seq} is not below 2**31")
        return cls(seq, found[2])

    def __str__(self) -> str:
        return f"{self.seq} {self.method}"


_CACHED_CSEQ = 20
_cseq_often_seen = lru_cache(maxsize=512)(CSeq._parse)
"""Most calls count from 1."""


class Via(Struct, frozen=True):
    """One hop of the way a request took (RFC 3261 section 20.42, RFC 3581)."""

    transport: str
    """In upper case: UDP, TCP, TLS, WS, WSS."""
    host: str
    port: int | None = None
    params: Params = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Via:
        """Parse one Via value; raises ValueError."""
        found = _VIA.fullmatch(text)
        if found is None:
            raise ValueError(f"not a Via: {text[:80]!r}")
        transport, host, port_text, params = found.groups()
        port = int(port_text) if port_text else None
        if port is not None and not 0 < port < 65536:
            raise ValueError(f"port out of range in Via: {text[:80]!r}")
        return cls(transport.upper(), host, port, parse_params(params) if params else {})

    @property
    def branch(self) -> str | None:
        return self.params.get("branch")

    @property
    def received(self) -> str | None:
        return self.params.get("received")

    @property
    def sent_by(self) -> str:
        """`host:port` in lower case, the default port made explicit: part of the transaction key."""
        return f"{self.host.lower()}:{self.port or (5061 if self.transport == 'TLS' else 5060)}"

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{format_params(self.params)}"
