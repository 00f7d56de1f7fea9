"""SIP messages as values (RFC 3261 section 7).

What `parsing.py` lets through can be read by the properties without a further check; `writing.py`
makes responses and octets. Why the codec is our own: docs/decisions/sip-message-codec.md.
"""

from __future__ import annotations

import re

from switch.errors import LocalProtocolError
from switch.sip.headers import CSeq, Headers, Via
from switch.sip.uri import TOKEN, NameAddr, Uri

METHOD = re.compile(TOKEN)
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
KNOWN_METHODS = frozenset(
    {
        *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "INFO", "UPDATE", "PRACK"),
        *("SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "REFER"),
    }
)
"""The registered ones. One we do not take is answered 405, any other method 501 (section 21.5.2)."""


class _MessageBase:
    """What requests and responses share: headers and a body."""

    __slots__ = ("body", "headers")

    headers: Headers
    body: bytes

    def _need(self, name: str) -> str:
        value = self.headers.get(name)
        if value is None:
            raise LocalProtocolError(
                f"the message has no {name}; only parsed messages must have it"
            )
        return value

    @property
    def top_via(self) -> Via:
        return self.vias[0]

    @property
    def vias(self) -> list[Via]:
        """Topmost first."""
        found: list[Via] | None = self.headers.parsed.get("Via")
        if found is None:
            self._need("Via")
            found = [Via.parse(value) for value in self.headers.get_all("Via")]
            self.headers.parsed["Via"] = found
        return found

    def _address(self, name: str) -> NameAddr:
        found = NameAddr.parse(self._need(name))
        self.headers.parsed[name] = found
        return found

    def _addresses(self, name: str) -> list[NameAddr]:
        found: list[NameAddr] | None = self.headers.parsed.get(name)
        if found is None:
            found = [NameAddr.parse(v) for v in self.headers.get_all(name) if v != "*"]
            self.headers.parsed[name] = found
        return found

    @property
    def from_(self) -> NameAddr:
        found: NameAddr | None = self.headers.parsed.get("From")
        return self._address("From") if found is None else found

    @property
    def to(self) -> NameAddr:
        found: NameAddr | None = self.headers.parsed.get("To")
        return self._address("To") if found is None else found

    @property
    def cseq(self) -> CSeq:
        found: CSeq | None = self.headers.parsed.get("CSeq")
        if found is None:
            found = CSeq.parse(self._need("CSeq"))
            self.headers.parsed["CSeq"] = found
        return found

    @property
    def call_id(self) -> str:
        values = self.headers.values_of("Call-ID")
        return values[0] if values else self._need("Call-ID")

    @property
    def contacts(self) -> list[NameAddr]:
        """Without `*`, which is seen by `headers.get("Contact") == "*"`."""
        return self._addresses("Contact")

    @property
    def record_routes(self) -> list[NameAddr]:
        """Topmost first."""
        return self._addresses("Record-Route")

    @property
    def routes(self) -> list[NameAddr]:
        """Topmost first."""
        return self._addresses("Route")

    @property
    def content_type(self) -> str | None:
        """The media type in lower case without parameters: `application/sdp`."""
        value = self.headers.get("Content-Type")
        return None if value is None else value.partition(";")[0].strip(" \t").lower()


class Request(_MessageBase):
    """A SIP request. Changing a header drops what was parsed from it."""

    __slots__ = ("_uri", "method", "uri")

    def __init__(
        self, method: str, uri: str, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        if not uri.isprintable() or " " in uri or not METHOD.fullmatch(method):
            raise ValueError(f"not a request line: {method!r} {uri!r}")
        self.method = method
        self.uri = uri
        self.headers = headers if headers is not None else Headers()
        self.body = body
        self._uri: tuple[str, Uri] | None = None

    @property
    def request_uri(self) -> Uri:
        """`uri` in parts."""
        if self._uri is None or self._uri[0] != self.uri:
            self._uri = (self.uri, Uri.parse(self.uri))
        return self._uri[1]

    def without_body(self) -> Request:
        """The same head; what is changed in it is changed in both."""
        return Request(self.method, self.uri, self.headers)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(_MessageBase):
    """A SIP response. Changing a header drops what was parsed from it."""

    __slots__ = ("reason", "status")

    def __init__(
        self, status: int, reason: str, headers: Headers | None = None, body: bytes = b""
    ) -> None:
        if not 100 <= status <= 699 or CONTROL.search(reason):
            raise ValueError(f"not a status line: {status} {reason!r}")
        self.status = status
        self.reason = reason
        self.headers = headers if headers is not None else Headers()
        self.body = body

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


Message = Request | Response
