"""Which body of a message is for us: a bare one, or a part of a multipart (RFC 3261 section 8.2.3, RFC 5621).

The only type read here is SDP. `settle_body` leaves a message with the SDP that was in it or with no
body at all, so that nothing above need know of wrappings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from switch.sip.message import Request, Response
from switch.sip.uri import parse_params

SDP = "application/sdp"
_MULTIPART = "multipart/"
_MAX_PARTS = 16
_MAX_DEPTH = 3
_MAX_PART_HEAD = 4_096
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{1,70}")
_FOLD = re.compile(r"\r\n[ \t]+")
_READABLE = frozenset({"", "binary", "8bit", "7bit"})
"""Content-Transfer-Encodings that change nothing."""


class _UnusableError(Exception):
    """The body, or a part that must be understood, is of a kind that we do not read."""


def settle_body(message: Request | Response) -> bool:
    """Reduce the body to its SDP, or to nothing where it may be ignored; False where neither may be.

    A part of another type in a multipart makes it unusable only when it says `handling=required`
    itself. That is milder than the default (RFC 3261 section 20.11): a location or an ISUP part that
    nobody here reads is no reason to refuse a caller.
    """
    if not message.body:
        return True
    headers = message.headers
    written = headers.get("Content-Type") or ""
    encoding = (headers.get("Content-Encoding") or "identity").lower()
    try:
        if encoding != "identity":
            raise _UnusableError
        if _type_of(written) == SDP:
            return True
        found = _sdp_of(written, message.body, 0)
    except _UnusableError:
        if _handling(headers.get("Content-Disposition") or "") != "optional":
            return False
        found = None
    message.body = found or b""
    if found:
        headers.set("Content-Type", SDP)
    else:
        headers.remove("Content-Type")
    return True


def sdp_in(message: Request | Response) -> bytes | None:
    """The SDP of a message; None where it has none or another body. See `settle_body`."""
    if not message.body or (message.content_type != SDP and not settle_body(message)):
        return None
    return message.body or None


def accepts_sdp(request: Request) -> bool:
    """True unless the request's Accept leaves SDP out (RFC 3261 section 20.1)."""
    if "Accept" not in request.headers:
        return True
    types = {_type_of(value) for value in request.headers.tokens("Accept")}
    return not types.isdisjoint((SDP, "application/*", "*/*"))


def has_foreign_encoding(request: Request) -> bool:
    """True for a body that is compressed or otherwise encoded; we know `identity` only."""
    encoding = request.headers.get("Content-Encoding")
    return encoding is not None and bool(request.body) and encoding.lower() != "identity"


def _type_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip(" \t").lower()


def _handling(disposition: str) -> str:
    return _param(disposition, "handling").lower()


def _param(value: str, name: str) -> str:
    """A parameter of a header value without its quotes; empty where there is none."""
    _, semicolon, rest = value.partition(";")
    try:
        found = parse_params(semicolon + rest).get(name) or ""
    except ValueError:
        return ""
    return found[1:-1] if found.startswith('"') else found


def _sdp_of(content_type: str, body: bytes, depth: int) -> bytes | None:
    """The first SDP in a multipart, None where it has none; raises _UnusableError."""
    if not _type_of(content_type).startswith(_MULTIPART) or depth == _MAX_DEPTH:
        raise _UnusableError
    boundary = _param(content_type, "boundary")
    if not _BOUNDARY.fullmatch(boundary):
        raise _UnusableError
    sdp: bytes | None = None
    for headers, content in _parts(body, boundary):
        kind = headers.get("content-type", "text/plain")
        try:
            found = _content_of(kind, headers, content, depth)
        except _UnusableError:
            if _handling(headers.get("content-disposition", "")) == "required":
                raise
            continue
        sdp = sdp or found
    return sdp


def _content_of(kind: str, headers: dict[str, str], content: bytes, depth: int) -> bytes | None:
    if headers.get("content-transfer-encoding", "").lower() not in _READABLE:
        raise _UnusableError
    if _type_of(kind) == SDP:
        return content
    return _sdp_of(kind, content, depth + 1)


def _parts(body: bytes, boundary: str) -> Iterator[tuple[dict[str, str], bytes]]:
    """Headers by lower-case name, and content, of each part (RFC 2046 section 5.1.1)."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode(), _MAX_PARTS + 1)
    if len(pieces) < 2 or len(pieces) > _MAX_PARTS + 1:
        raise _UnusableError
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return
        piece = piece.lstrip(b" \t")
        head, empty_line, content = piece.partition(b"\r\n\r\n")
        if not piece.startswith(b"\r\n") or not empty_line or len(head) > _MAX_PART_HEAD:
            raise _UnusableError
        headers = {}
        for line in _FOLD.sub(" ", head.decode("utf-8", "replace")).split("\r\n"):
            name, _, value = line.partition(":")
            headers[name.strip(" \t").lower()] = value.strip(" \t")
        yield headers, content
