"""Requests outside of sessions: REGISTER, OPTIONS, SUBSCRIBE, NOTIFY, MESSAGE, PUBLISH.

Those of ours are sent here, tried again where they are challenged, and reported answered. Those of
peers go to the layers above.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from switch.errors import LocalProtocolError
from switch.sip.bodies import SDP, has_foreign_encoding
from switch.sip.client_digest import ClientCredentials, Provable
from switch.sip.events import (
    OutOfDialogRequest,
    RequestAnswered,
    RequestReceived,
    ResponseReceived,
    TransactionId,
    TransactionTimedOut,
    TransportFailed,
)
from switch.sip.flow import Flow
from switch.sip.message import Request, Response
from switch.sip.sessions import SessionTable

FOR_OTHERS: Final = frozenset({"REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH"})
"""Methods that are reported where they belong to no session."""
_OF_SESSIONS: Final = frozenset({"INVITE", "ACK", "CANCEL", "BYE", "PRACK"})
_NEEDED: Final = ("From", "To", "Call-ID", "CSeq")


class Asked(Struct, eq=False):
    """A request of ours that has no final answer yet."""

    id: TransactionId
    """Of its first transaction: the one that is known above."""
    request: Request
    flow: Flow
    provable: Provable | None
    """None: without credentials."""


def send(
    table: SessionTable,
    request: Request,
    flow: Flow,
    now: float,
    credentials: ClientCredentials | None,
) -> TransactionId:
    """Send a request; see `UserAgent.send_request`."""
    if request.method in _OF_SESSIONS:
        raise LocalProtocolError(f"a {request.method} belongs to a session")
    missing = [name for name in _NEEDED if name not in request.headers]
    if missing:
        raise LocalProtocolError(f"a {request.method} of ours lacks {', '.join(missing)}")
    if table.settings.user_agent and "User-Agent" not in request.headers:
        request.headers.put("User-Agent", table.settings.user_agent)
    provable = None
    if credentials is not None:
        provable = Provable(request, table.prover(credentials, flow))
        provable.prover.prove(request)
    transaction = table.endpoint.send_request(request, flow, now)
    table.asked[transaction] = Asked(transaction, request, flow, provable)
    return transaction


def receive(table: SessionTable, event: RequestReceived, now: float) -> None:
    """Report a request of a peer, or refuse it where its body cannot be read."""
    request = event.request
    if has_foreign_encoding(request):
        headers = (("Accept", SDP), ("Accept-Encoding", "identity"))
        table.respond(event.transaction, request, 415, now, headers=headers)
        return
    table.events.append(
        OutOfDialogRequest(transaction=event.transaction, request=request, flow=event.flow)
    )


def receive_answer(table: SessionTable, asked: Asked, event: ResponseReceived, now: float) -> None:
    """Take a response: only the final one counts, and a challenge is met first."""
    response = event.response
    if response.status < 200:
        return
    del table.asked[event.transaction]
    if asked.provable is not None and response.status in (401, 407):
        again = asked.provable.again(response, asked.request.cseq.seq + 1)
        if again is not None:
            asked.request = again
            table.asked[table.endpoint.send_request(again, asked.flow, now)] = asked
            return
    _report(table, asked, response.status, response.reason, response)


def receive_silence(
    table: SessionTable, asked: Asked, event: TransactionTimedOut | TransportFailed
) -> None:
    """Nothing came, or it could not be sent."""
    del table.asked[event.transaction]
    if isinstance(event, TransportFailed):
        _report(table, asked, 503, event.reason, None)
    else:
        _report(table, asked, 408, "Request Timeout", None)


def _report(
    table: SessionTable, asked: Asked, status: int, reason: str, response: Response | None
) -> None:
    table.events.append(
        RequestAnswered(
            transaction=asked.id,
            status=status,
            reason=reason,
            response=response,
            seq=asked.request.cseq.seq,
        )
    )
