"""Applies the table of `renegotiation.py` to a session and performs its actions."""

from __future__ import annotations

import logging
from collections.abc import Callable

from switch.errors import LocalProtocolError
from switch.sip import session_timer, session_timer_steps, usage
from switch.sip.bodies import SDP
from switch.sip.events import EndedBy, ReofferAnswered, ReofferFailed, ReofferReceived
from switch.sip.renegotiation import IGNORED, TRANSITIONS, Action, Input
from switch.sip.session import Alarm, Cause, PeerOffer, Session
from switch.sip.sessions import Purpose, SessionTable

log = logging.getLogger(__name__)

_OWNER_PAUSE_S = (2.1, 4.0)
_OTHER_PAUSE_S = (0.0, 2.0)
"""How long the owner of the Call-ID and the other side wait after a 491 (section 14.1)."""


def step(table: SessionTable, session: Session, given: Input, cause: Cause) -> None:
    """Take one input through the table."""
    state = session.offer_state
    found = TRANSITIONS.get((state, given))
    if found is None:
        if (state, given) not in IGNORED:
            raise LocalProtocolError(f"offers of {session.id}: no step for {given} in {state}")
        return
    session.offer_state, actions = found
    log.debug("offers of %s: %s --%s--> %s", session.id, state, given, session.offer_state)
    for action in actions:
        _EFFECTS[action](table, session, cause)


def _note_peer_offer(session: Session, cause: Cause) -> None:
    request, transaction = cause.need_request(), cause.transaction
    if transaction is None:
        raise LocalProtocolError("an offer without a transaction")
    session.peer_offer = PeerOffer(transaction, request, cause.body is not None)


def _peer_offer(session: Session) -> PeerOffer:
    if session.peer_offer is None:
        raise LocalProtocolError("the peer has no offer open")
    return session.peer_offer


def _send_offer(table: SessionTable, session: Session, cause: Cause) -> None:
    """By re-INVITE; by UPDATE while the INVITE is not answered (RFC 3311 section 5.1)."""
    dialog = session.current_dialog()
    if cause.body is not None:
        session.offer, session.glare_retries = cause.body, 0
    is_early = session.state is not usage.State.CONFIRMED
    method, purpose = ("UPDATE", Purpose.UPDATE) if is_early else ("INVITE", Purpose.REINVITE)
    offer = table.complete(dialog.request(method), dialog.flow, (), session.offer)
    if is_early:
        table.changed(session)
    else:
        session_timer_steps.ask_in(table, session, offer)
    table.send(session, dialog, offer, purpose, cause.now)


def _send_ack(table: SessionTable, session: Session, cause: Cause) -> None:
    if cause.need_response().cseq.method != "INVITE":
        return
    table.send_ack(session, session.need_dialog(), cause.need_response())
    session_timer_steps.agree_as_client(table, session, cause.need_response(), cause.now)


def _start_retry(table: SessionTable, session: Session, cause: Cause) -> None:
    low, high = _OWNER_PAUSE_S if session.is_caller else _OTHER_PAUSE_S
    session.glare_retries += 1
    pause = round(low + table.jitter() * (high - low), 2)  # in units of 10 ms
    table.start(session, Alarm.RETRY, cause.now + pause)


def _stop_retry(table: SessionTable, session: Session, cause: Cause) -> None:
    table.stop(session, Alarm.RETRY)


def _send_success(table: SessionTable, session: Session, cause: Cause) -> None:
    offer = _peer_offer(session)
    session.need_dialog().refresh_target(offer.request)  # only now: a refused one changes nothing
    response = table.dialog_response(session, offer.request, 200, cause.headers, cause.body)
    session_timer_steps.agree_as_server(table, session, offer.request, response, cause.now)
    session.peer_offer = None
    table.send_success(
        session, offer.transaction, response, cause.now, has_offer=not offer.has_offer
    )


def _send_success_to_update(table: SessionTable, session: Session, cause: Cause) -> None:
    offer = _peer_offer(session)
    session.current_dialog().refresh_target(offer.request)  # only now, as above
    response = table.dialog_response(session, offer.request, 200, cause.headers, cause.body)
    if session.state is usage.State.CONFIRMED:
        session_timer_steps.agree_as_server(table, session, offer.request, response, cause.now)
    session.peer_offer = None
    table.send_response(offer.transaction, response, cause.now)


def _resend_success(table: SessionTable, session: Session, cause: Cause) -> None:
    table.resend_success(session, cause.now)


def _stop_success(table: SessionTable, session: Session, cause: Cause) -> None:
    table.stop_success(session, cause.now)


def _answer_peer_offer(table: SessionTable, session: Session, status: int, now: float) -> None:
    offer = _peer_offer(session)
    session.peer_offer = None
    table.server_invites.pop(offer.transaction, None)
    headers = [("Accept", SDP)] if status == 415 else []
    table.respond(offer.transaction, offer.request, status, now, headers=headers)


def _send_failure(table: SessionTable, session: Session, cause: Cause) -> None:
    _answer_peer_offer(table, session, cause.status, cause.now)


def _send_terminated(table: SessionTable, session: Session, cause: Cause) -> None:
    _answer_peer_offer(table, session, 487, cause.now)


def _refuse_later(table: SessionTable, session: Session, cause: Cause) -> None:
    if cause.transaction is not None:
        table.refuse_later(cause.transaction, cause.need_request(), cause.now)


def _refuse_pending(table: SessionTable, session: Session, cause: Cause) -> None:
    if cause.transaction is not None:
        table.respond(cause.transaction, cause.need_request(), 491, cause.now)


def _report_offer(table: SessionTable, session: Session, cause: Cause) -> None:
    _note_peer_offer(session, cause)
    if cause.need_request().method == "INVITE" and cause.transaction is not None:
        table.server_invites[cause.transaction] = session
    table.events.append(ReofferReceived(session=session.id, offer=cause.body))


def _report_answer(table: SessionTable, session: Session, cause: Cause) -> None:
    table.events.append(ReofferAnswered(session=session.id, answer=cause.body or b""))


def _report_answer_in_ack(table: SessionTable, session: Session, cause: Cause) -> None:
    if cause.body is not None:
        _report_answer(table, session, cause)


def _report_failure(table: SessionTable, session: Session, cause: Cause) -> None:
    if cause.by is EndedBy.TRANSPORT:  # nobody refused it, and nobody has shown to be there
        session_timer_steps.step(table, session, session_timer.Input.REFUSED, cause.now)
    else:
        session_timer_steps.refused(table, session, cause.now)
    table.events.append(ReofferFailed(session=session.id, status=cause.status))


def _report_busy(table: SessionTable, session: Session, cause: Cause) -> None:
    session_timer_steps.refused(table, session, cause.now)
    table.events.append(ReofferFailed(session=session.id, status=491))


_EFFECTS: dict[Action, Callable[[SessionTable, Session, Cause], None]] = {
    Action.SEND_OFFER: _send_offer,
    Action.SEND_ACK: _send_ack,
    Action.START_RETRY: _start_retry,
    Action.STOP_RETRY: _stop_retry,
    Action.SEND_SUCCESS: _send_success,
    Action.SEND_SUCCESS_TO_UPDATE: _send_success_to_update,
    Action.RESEND_SUCCESS: _resend_success,
    Action.STOP_SUCCESS: _stop_success,
    Action.SEND_FAILURE: _send_failure,
    Action.SEND_TERMINATED: _send_terminated,
    Action.REFUSE_LATER: _refuse_later,
    Action.REFUSE_PENDING: _refuse_pending,
    Action.REPORT_OFFER: _report_offer,
    Action.REPORT_ANSWER: _report_answer,
    Action.REPORT_ANSWER_IN_ACK: _report_answer_in_ack,
    Action.REPORT_FAILURE: _report_failure,
    Action.REPORT_BUSY: _report_busy,
}
