"""Requests and responses that follow from another message: 100, ACK to a failure, CANCEL."""

from __future__ import annotations

from collections.abc import Sequence

from switch.sip.headers import Headers
from switch.sip.message import Request, Response
from switch.sip.writing import make_response


def make_trying(invite: Request) -> Response:
    """The 100 to an INVITE, its Timestamp copied (RFC 3261 section 8.2.6.1)."""
    trying = make_response(invite, 100)
    timestamp = invite.headers.get("Timestamp")
    if timestamp is not None:
        trying.headers.set("Timestamp", timestamp)
    return trying


def make_failure_ack(invite: Request, response: Response) -> Request:
    """The ACK to a 300-699 answer, of the INVITE's own transaction (section 17.1.1.3)."""
    return _same_transaction(invite, "ACK", response.headers.get("To") or "")


def make_cancel(invite: Request, headers: Sequence[tuple[str, str]] = ()) -> Request:
    """The CANCEL of a pending INVITE (section 9.1), with headers of its own: a Reason (RFC 3326)."""
    cancel = _same_transaction(invite, "CANCEL", invite.headers.get("To") or "")
    for name, value in headers:
        cancel.headers.set(name, value)
    return cancel


def _same_transaction(invite: Request, method: str, to: str) -> Request:
    source = invite.headers
    headers = Headers()
    headers.add("Via", source.get_all("Via")[0])
    for route in source.get_all("Route"):
        headers.add("Route", route)
    headers.add("Max-Forwards", "70")
    headers.add("From", source.get("From") or "")
    headers.add("To", to)
    headers.add("Call-ID", invite.call_id)
    headers.add("CSeq", f"{invite.cseq.seq} {method}")
    return Request(method, invite.uri, headers)
