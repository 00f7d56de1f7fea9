"""Which new requests an endpoint takes at all (RFC 3261 section 8.2); others are answered at once."""

from __future__ import annotations

from collections.abc import Sequence

from switch.sip.message import KNOWN_METHODS, Request, Response
from switch.sip.transaction import stateless_tag
from switch.sip.writing import make_response

DEFAULT_ALLOW = (
    *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER"),
    *("REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH"),
)
"""The methods that the user agent knows, as its Allow header has them."""
DEFAULT_SUPPORTED = ("100rel", "replaces", "timer", "norefersub", "nosub")
"""The extensions that it knows, as its Supported header has them."""

OF_REGISTER = frozenset({"path", "outbound"})
"""Extensions that the registrar knows (RFC 3327, RFC 5626); elsewhere they mean nothing to us."""


class Admission:
    """Methods and extensions that the layers above know, and the answers to all others.

    The answers have no transaction: a retransmitted request gets the same answer anew
    (section 8.2.7).
    """

    __slots__ = ("allow", "allow_header", "retry_after_s", "supported")

    def __init__(self, allow: Sequence[str], supported: Sequence[str], retry_after_s: int) -> None:
        self.allow = frozenset(allow)
        self.supported = frozenset(word.lower() for word in supported)
        self.retry_after_s = retry_after_s
        self.allow_header = ("Allow", ", ".join(allow))

    def bad_method(self, request: Request) -> Response | None:
        """With Allow: 405 to a method that we do not take, 501 to one that nobody knows."""
        if request.method in self.allow:
            return None
        status = 405 if request.method in KNOWN_METHODS else 501
        return answer(request, status, self.allow_header)

    def bad_extension(self, request: Request) -> Response | None:
        """420 with Unsupported where the request requires what we lack (section 8.2.2.3)."""
        if "Require" not in request.headers:
            return None
        words = request.headers.tokens("Require")
        known = self.supported | OF_REGISTER if request.method == "REGISTER" else self.supported
        unknown = [word for word in words if word.lower() not in known]
        if not unknown:
            return None
        return answer(request, 420, ("Unsupported", ", ".join(unknown)))

    def no_room(self, request: Request) -> Response:
        """503 with Retry-After."""
        return answer(request, 503, ("Retry-After", str(self.retry_after_s)))


def answer(request: Request, status: int, *headers: tuple[str, str]) -> Response:
    """A response without a transaction; `request` must have a To that can be read."""
    return make_response(request, status, to_tag=stateless_tag(request), headers=headers)
