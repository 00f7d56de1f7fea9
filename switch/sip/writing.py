"""SIP messages made and written: responses to requests, octets of both (RFC 3261 sections 7 and 8.2.6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from switch.sip.headers import Headers
from switch.sip.message import Message, Request, Response

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    428: "Use Identity Header",
    436: "Bad Identity Info",
    437: "Unsupported Credential",
    438: "Invalid Identity Header",
    469: "Bad Info Package",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}
"""Usual phrases by status (RFC 3261 section 21)."""

_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")
"""From the request into its responses (RFC 3261 section 8.2.6.2)."""


def serialize(message: Message) -> bytes:
    """The octets of a message; Content-Length is written anew from the body."""
    if isinstance(message, Request):
        text = f"{message.method} {message.uri} SIP/2.0\r\n"
    else:
        text = f"SIP/2.0 {message.status} {message.reason}\r\n"
    for name, values in message.headers.grouped():
        if name != "Content-Length":
            for value in values:
                text += f"{name}: {value}\r\n"
    body = message.body
    return f"{text}Content-Length: {len(body)}\r\n\r\n".encode() + body


def make_response(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str | None = None,
    headers: Headers | Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str | None = None,
) -> Response:
    """A response to `request`: Via, From, To, Call-ID and CSeq copied (RFC 3261 8.2.6.2).

    `to_tag` is set where the request's To has no tag, not even an empty one. `headers` come on top;
    Record-Route is the business of the dialog layer.
    """
    values: dict[str, tuple[str, ...]] = {}
    parsed: dict[str, Any] = {}
    source, known = request.headers.values_of, request.headers.parsed
    for name in _COPIED:
        found = source(name)
        if found:
            values[name] = found
            if name in known:
                parsed[name] = known[name]
    if to_tag is not None and "To" in values and "tag" not in request.to.params:
        values["To"] = (f"{values['To'][0]};tag={to_tag}",)
        parsed.pop("To", None)
    answer_headers = Headers.of_canonical(values, parsed)
    for name, value in headers.items() if isinstance(headers, Headers) else headers:
        answer_headers.add(name, value)
    if content_type is not None:
        answer_headers.set("Content-Type", content_type)
    return Response(
        status, REASONS.get(status, "") if reason is None else reason, answer_headers, body
    )
