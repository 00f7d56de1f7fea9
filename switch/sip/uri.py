"""URIs and name-addr values: From, To, Contact, Route (RFC 3261 sections 19.1 and 20.10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote

from msgspec import Struct, field

Params = Mapping[str, str | None]
"""Parameters by lower-case name; None where there is no `=`. Not to be changed in place."""

HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*))"
"""host = hostname / IPv4address / IPv6reference; `_` is no hostname but is seen in the field."""
TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"

_SIP_URI = re.compile(
    rf"(?:([^@<>\"\s]+)@)?({HOST})(?::([0-9]{{1,5}}))?(;[^?@<>\"\s]*)?(?:\?([^@<>\"\s]*))?"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_TEL = re.compile(r"([0-9A-Fa-f*#+().\-]+)(;[^@<>\"\s]*)?")
_OPAQUE = re.compile(r"[^<>\"\s]+")
_NAME_ADDR = re.compile(
    r'(?:"([^"\\]*(?:\\.[^"\\]*)*)"[ \t]*|([^<">,]*))<([^<>"\s]+)>[ \t]*(;.*)?', re.DOTALL
)
_ADDR_SPEC = re.compile(r"([^<>\"\s;?,]+)[ \t]*(;.*)?")
_PARAM = re.compile(
    rf"[ \t]*;[ \t]*({TOKEN})(?:[ \t]*=[ \t]*(\"[^\"\\]*(?:\\.[^\"\\]*)*\"|[^\s\";,<>]+))?"
)
_PLAIN_PARAMS = re.compile(rf"(?:;{TOKEN}(?:=[^\s\";,<>]+)?)+")
"""Without spaces and quotes, as nearly all are: these can simply be split."""
_PLAIN_NAME = re.compile(rf"{TOKEN}(?:[ ]{TOKEN})*")
_ESCAPED = re.compile(r"\\(.)")

_INVISIBLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_CACHED_LENGTH = 128
"""Longer URIs and addresses are not remembered: strangers choose them, memory is bounded."""

SUPPORTED_SCHEMES = frozenset({"sip", "sips", "tel"})
"""Of a Request-URI; others are answered with 416."""


def parse_params(text: str) -> dict[str, str | None]:
    """Parse `;name=value;flag`; quoted values keep their quotes.

    Raises ValueError where the text is no parameter list or a name comes twice
    (RFC 3261 section 7.3.1).
    """
    params: dict[str, str | None] = {}
    if _PLAIN_PARAMS.fullmatch(text):
        for piece in text[1:].split(";"):
            plain, equals, value = piece.partition("=")
            plain = plain.lower()
            if plain in params:
                raise ValueError(f"parameter {plain!r} comes twice")
            params[plain] = value if equals else None
        return params
    position, end = 0, len(text)
    match_at = _PARAM.match
    while position < end:
        found = match_at(text, position)
        if found is None:
            if text[position:].strip(" \t"):
                raise ValueError(f"not a parameter list: {text[:80]!r}")
            break
        name = found[1].lower()
        if name in params:
            raise ValueError(f"parameter {name!r} comes twice")
        params[name] = found[2]
        position = found.end()
    return params


def format_params(params: Params) -> str:
    """The parameters as they stand behind a URI or a header value."""
    text = ""
    for name, value in params.items():
        text += f";{name}" if value is None else f";{name}={value}"
    return text


def _unescaped(quoted: str) -> str:
    """Resolve the pairs of a quoted string; control characters are dropped, we never write them."""
    return _INVISIBLE.sub("", _ESCAPED.sub(r"\1", quoted))


def _refuse_invisible(text: str) -> None:
    """A backslash quotes control characters in a quoted name alone, from which `_unescaped` drops them."""
    if not text.isprintable() and _INVISIBLE.search(text):
        raise ValueError(f"control characters in an address: {text[:80]!r}")


class Uri(Struct, frozen=True):
    """A SIP, SIPS or tel URI in parts; of other schemes only `opaque` is known."""

    scheme: str = "sip"
    user: str | None = None
    """As it stands, escapes and all; see `username`. The number of a tel URI."""
    host: str = ""
    """Lower case; an IPv6 address in brackets; empty for tel and other schemes."""
    port: int | None = None
    params: Params = field(default_factory=dict)
    headers: str | None = None
    """What follows `?`."""
    opaque: str = ""
    """What follows the colon where the scheme is none of sip, sips, tel."""

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Parse an absolute URI; raises ValueError. Any scheme is taken."""
        return _parse_often_seen(text) if len(text) <= _CACHED_LENGTH else cls._parse(text)

    @classmethod
    def _parse(cls, text: str) -> Uri:
        name, colon, rest = text.partition(":")
        scheme = name.lower()
        if not colon:
            raise ValueError(f"URI without a scheme: {text[:80]!r}")
        if not text.isprintable():
            # It may become the Request-URI of a request of ours, where it could not stand.
            raise ValueError(f"characters in a URI that cannot be shown: {text[:80]!r}")
        if scheme in ("sip", "sips"):
            found = _SIP_URI.fullmatch(rest)
            if found is None:
                raise ValueError(f"not a SIP URI: {text[:80]!r}")
            user, host, port_text, params, headers = found.groups()
            port = int(port_text) if port_text else None
            if port is not None and not 0 < port < 65536:
                raise ValueError(f"port out of range in {text[:80]!r}")
            return cls(
                scheme, user, host.lower(), port, parse_params(params) if params else {}, headers
            )
        if scheme == "tel":
            found = _TEL.fullmatch(rest)
            if found is None:
                raise ValueError(f"not a tel URI: {text[:80]!r}")
            number, params = found.groups()
            return cls(scheme, number, "", None, parse_params(params) if params else {})
        if not _SCHEME.fullmatch(scheme) or not _OPAQUE.fullmatch(rest):
            raise ValueError(f"not a URI: {text[:80]!r}")
        return cls(scheme, opaque=rest)

    @property
    def username(self) -> str:
        """The user without password and escapes; empty where there is none."""
        if self.user is None:
            return ""
        name = self.user.partition(":")[0]
        return unquote(name) if "%" in name else name

    @property
    def transport(self) -> str | None:
        """The `transport` parameter in upper case, as in Via."""
        value = self.params.get("transport")
        return value.upper() if value else None

    def __str__(self) -> str:
        if self.opaque:
            return f"{self.scheme}:{self.opaque}"
        text = self.scheme + ":"
        if self.scheme == "tel":
            text += self.user or ""
        else:
            if self.user is not None:
                text += self.user + "@"
            text += self.host
            if self.port is not None:
                text += f":{self.port}"
        if self.params:
            text += format_params(self.params)
        if self.headers is not None:
            text += "?" + self.headers
        return text


_parse_often_seen = lru_cache(maxsize=2048)(Uri._parse)
"""The messages of one call name the same few URIs again and again."""


class NameAddr(Struct, frozen=True):
    """A URI with an optional name before it and header parameters behind it."""

    uri: Uri
    display_name: str | None = None
    """Without quotes and backslashes."""
    params: Params = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Parse name-addr or addr-spec; raises ValueError.

        Without angle brackets every parameter belongs to the header, none to the URI
        (RFC 3261 section 20).
        """
        return _address_often_seen(text) if len(text) <= _CACHED_LENGTH else cls._parse(text)

    @classmethod
    def _parse(cls, text: str) -> NameAddr:
        found = _NAME_ADDR.fullmatch(text)
        if found is not None:
            quoted, plain, uri, params = found.groups()
            if quoted is not None:
                name: str | None = _unescaped(quoted) if "\\" in quoted else quoted
            else:
                _refuse_invisible(plain)
                name = plain.strip(" \t") or None
        else:
            found = _ADDR_SPEC.fullmatch(text)
            if found is None:
                raise ValueError(f"not an address: {text[:80]!r}")
            uri, params = found.groups()
            name = None
        if params:
            _refuse_invisible(params)
        return cls(Uri.parse(uri), name, parse_params(params) if params else {})

    @property
    def tag(self) -> str | None:
        return self.params.get("tag")

    def with_tag(self, tag: str | None) -> NameAddr:
        """The same address with another tag, or with none."""
        params = {name: value for name, value in self.params.items() if name != "tag"}
        if tag is not None:
            params["tag"] = tag
        return NameAddr(self.uri, self.display_name, params)

    def __str__(self) -> str:
        text = f"<{self.uri}>"
        name = self.display_name
        if name:
            if not _PLAIN_NAME.fullmatch(name):
                name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text = f"{name} {text}"
        return text + format_params(self.params) if self.params else text


_address_often_seen = lru_cache(maxsize=2048)(NameAddr._parse)
"""From, To and Contact stand in every message of a call as in the one before."""
