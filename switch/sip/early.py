"""Early dialogs: reliable provisional responses of both sides, and offers before the answer.

RFC 3262 (PRACK) and RFC 3311 (UPDATE). What waits for a PRACK of the peer has a table of its own,
`reliability.py`; what we acknowledge needs none, for a PRACK is a transaction like others.
"""

from __future__ import annotations

from typing import Final

from switch.sip import reliability, reliability_steps, usage, usage_steps
from switch.sip.bodies import SDP, sdp_in, settle_body
from switch.sip.dialog import Dialog
from switch.sip.events import EarlyAnswered, EndedBy, RequestReceived
from switch.sip.message import Request, Response
from switch.sip.rack import RAck, rseq_in
from switch.sip.session import Cause, Early, Session
from switch.sip.sessions import Purpose, SessionTable

_MAX_EARLY: Final = 8
"""Early dialogs of one INVITE that are kept."""
_MAX_RELIABLE: Final = 64
"""Reliable responses of one early dialog that are acknowledged."""


def dialog_for(session: Session, message: Request | Response) -> Dialog | None:
    """The early dialog of an INVITE of ours with the sender of `message`, made when first needed."""
    tag = message.from_.tag if isinstance(message, Request) else message.to.tag
    early = session.early.get(tag)
    if early is None:
        return None
    if early.dialog is None:
        early.dialog = Dialog.of_answered(session.invite, early.response, session.flow)
    return early.dialog


def is_settled_with(session: Session, request: Request) -> bool:
    """Whether an UPDATE may carry an offer: the first one is answered, the INVITE is not."""
    if session.state is usage.State.INVITED:
        return session.is_settled
    if session.state is not usage.State.PROCEEDING or not session.is_settled:
        return False
    return dialog_for(session, request) is session.early_dialog


# --- of a peer --------------------------------------------------------------------------------


def take_provisional(
    table: SessionTable, session: Session, response: Response, body: bytes | None, now: float
) -> bool:
    """Note a provisional response to our INVITE, and acknowledge a reliable one.

    False for one that is to be dropped: seen before, or beyond a gap (RFC 3262 section 4).
    """
    tag = response.to.tag
    early = session.early.get(tag)
    if early is None:
        if len(session.early) >= _MAX_EARLY:
            return False
        early = session.early[tag] = Early(response)
    rseq = rseq_in(response.headers) if session.invite.body else None  # see `UserAgent.invite`
    if rseq is not None and tag is not None:
        if early.rseq and (rseq != early.rseq + 1 or early.reliable >= _MAX_RELIABLE):
            return False
        early.rseq = rseq
        early.reliable += 1
    if early.answer is None:
        early.answer = body
    is_ours = session.state in (usage.State.CALLING, usage.State.PROCEEDING)
    if rseq is not None and tag is not None and is_ours:
        _send_prack(table, session, response, rseq, now)
        if body is not None and not session.is_settled:
            session.is_settled, session.early_dialog = True, early.dialog
    return True


def _send_prack(
    table: SessionTable, session: Session, response: Response, rseq: int, now: float
) -> None:
    dialog = dialog_for(session, response)
    if dialog is None:
        return
    prack = dialog.request("PRACK")
    prack.headers.put("RAck", str(RAck(rseq, response.cseq.seq, "INVITE")))
    table.send(session, dialog, prack, Purpose.PRACK, now)
    table.changed(session)


# --- of ours ----------------------------------------------------------------------------------


def receive_prack(
    table: SessionTable, session: Session, event: RequestReceived, now: float
) -> None:
    """Take the PRACK of a peer: 481 where it fits nothing, else 200 and on with the call."""
    request = event.request
    try:
        rack = RAck.parse(request.headers.get("RAck") or "")
    except ValueError as error:
        table.respond(event.transaction, request, 400, now, reason=f"Bad Request: {error}")
        return
    if not reliability_steps.fits(session, rack):
        table.respond(event.transaction, request, 481, now)
        return
    if not settle_body(request):
        table.respond(event.transaction, request, 415, now, headers=[("Accept", SDP)])
        return
    body = sdp_in(request)
    is_answer = awaits_answer(session)
    if is_answer and body is None:
        reason = "Bad Request: the PRACK lacks the answer to our offer"
        table.respond(event.transaction, request, 400, now, reason=reason)
        return
    is_last = session.held is not None
    reliability_steps.acknowledge(session)
    if body is None or is_answer:
        _accept_prack(table, session, event, body if is_answer else None, now)
    elif is_last or not session.is_settled:
        table.respond(event.transaction, request, 491, now)
    else:
        cause = Cause(now=now, request=request, transaction=event.transaction, body=body)
        usage_steps.step(table, session, usage.Input.EARLY_OFFER, cause)
    go_on(table, session, reliability.Input.PRACK, now)
    table.changed(session)


def awaits_answer(session: Session) -> bool:
    """Whether our offer stands in the response that waits for its PRACK."""
    response = session.reliable
    has_offer = response is not None and bool(response.body) and not session.invite.body
    return has_offer and not session.is_settled


def _accept_prack(
    table: SessionTable,
    session: Session,
    event: RequestReceived,
    answer: bytes | None,
    now: float,
) -> None:
    table.respond(event.transaction, event.request, 200, now, to_tag=session.local_tag)
    if answer is not None:
        table.events.append(EarlyAnswered(session=session.id, answer=answer))


def go_on(table: SessionTable, session: Session, given: reliability.Input, now: float) -> None:
    """Take a step of reliable responses, and what it means for the INVITE."""
    what = reliability_steps.Given(now)
    actions = reliability_steps.step(table, session, given, what)
    if reliability.Action.ANSWER_HELD in actions and session.held is not None:
        cause, session.held = session.held, None
        cause.now = now
        usage_steps.step(table, session, usage.Input.ANSWER, cause)
    elif reliability.Action.REFUSE in actions:
        cause = Cause(now=now, status=504, by=EndedBy.NO_ACK, detail="no PRACK to our 1xx")
        usage_steps.step(table, session, usage.Input.REJECT, cause)


def answer(table: SessionTable, session: Session, cause: Cause) -> None:
    """Accept an invitation: now, or when the SDP that is out is acknowledged."""
    if session.reliability is not reliability.State.IDLE:
        what = reliability_steps.Given(cause.now, cause=cause)
        actions = reliability_steps.step(table, session, reliability.Input.ANSWER, what)
        if reliability.Action.ANSWER not in actions:
            return
    usage_steps.step(table, session, usage.Input.ANSWER, cause)
