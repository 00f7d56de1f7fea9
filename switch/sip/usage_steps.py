"""Applies the table of `usage.py` to a session and performs its actions."""

from __future__ import annotations

import logging
from collections.abc import Callable

from switch.errors import LocalProtocolError
from switch.sip import (
    referral_steps,
    reliability,
    reliability_steps,
    renegotiation,
    renegotiation_steps,
    session_timer,
    session_timer_steps,
)
from switch.sip.dialog import Dialog
from switch.sip.events import Answered, Confirmed, Ended, Failed, Progress, SessionChanged
from switch.sip.session import Alarm, Cause, Session, pairs
from switch.sip.sessions import Client, Purpose, SessionTable
from switch.sip.usage import IGNORED, TRANSITIONS, Action, Input, State

_OVER = (State.MORTAL, State.TERMINATED)

log = logging.getLogger(__name__)


def step(table: SessionTable, session: Session, given: Input, cause: Cause) -> None:
    """Take one input through the table; a session that is over rests, a terminated one is forgotten."""
    state = session.state
    found = TRANSITIONS.get((state, given))
    if found is None:
        if (state, given) not in IGNORED:
            raise LocalProtocolError(f"session {session.id}: no step for {given} in {state}")
        return
    session.state, actions = found
    log.debug("session %s: %s --%s--> %s", session.id, state, given, session.state)
    for action in actions:
        _EFFECTS[action](table, session, cause)
    if session.state in _OVER and state not in _OVER:
        renegotiation_steps.step(table, session, renegotiation.Input.TERMINATE, cause)
        if session.reliability is not reliability.State.IDLE:
            what = reliability_steps.Given(cause.now)
            reliability_steps.step(table, session, reliability.Input.FINISH, what)
        if session.timer is not session_timer.State.OFF:
            session_timer_steps.step(table, session, session_timer.Input.TERMINATE, cause.now)
        if table.referrals:
            referral_steps.session_over(table, session, cause.now)
        table.silence(session)
    if session.state is State.TERMINATED:
        table.forget(session)


def _send_ack(table: SessionTable, session: Session, cause: Cause) -> None:
    response = cause.need_response()
    table.send_ack(session, _begin_dialog(table, session, cause), response)
    session_timer_steps.agree_as_client(table, session, response, cause.now)


def _keep_offer(table: SessionTable, session: Session, cause: Cause) -> None:
    session.offered = cause.need_response()
    _begin_dialog(table, session, cause)
    session_timer_steps.agree_as_client(table, session, session.offered, cause.now)


def acknowledge(table: SessionTable, session: Session, answer: bytes | None) -> None:
    """Answer the offer of the 2xx; without an answer the BYE comes next."""
    response, session.offered = session.offered, None
    if response is not None:
        table.send_ack(session, session.need_dialog(), response, answer)


def _begin_dialog(table: SessionTable, session: Session, cause: Cause) -> Dialog:
    response = cause.need_response()
    early = session.early.get(response.to.tag)
    if early is None or early.dialog is not session.early_dialog:
        session.is_settled = False
    if session.early_dialog is not None and (early is None or early.dialog is None):
        # Another one than the callee with whom an offer may be open has answered.
        renegotiation_steps.step(table, session, renegotiation.Input.TERMINATE, cause)
    session.dialog = dialog = Dialog.of_answered(session.invite, response, session.flow)
    if early is not None and early.dialog is not None:
        dialog.local_seq = max(dialog.local_seq, early.dialog.local_seq)
        dialog.remote_seq = early.dialog.remote_seq
    session.early.clear()
    session.early_dialog = None
    return dialog


def _send_invite(table: SessionTable, session: Session, cause: Cause) -> None:
    session.invite = cause.need_request()
    session.early.clear()
    session.is_settled, session.early_dialog = False, None
    table.events.append(SessionChanged(session=session.id, invite=True))
    client = Client(session, Purpose.INVITE, None, session.attempt)
    table.start_client(client, session.invite, session.flow, cause.now)


def _send_bye(table: SessionTable, session: Session, cause: Cause) -> None:
    acknowledge(table, session, None)
    table.send_bye(session, session.need_dialog(), cause.now, cause.headers)


def _send_cancel(table: SessionTable, session: Session, cause: Cause) -> None:
    table.endpoint.cancel(session.transaction, cause.now, pairs(cause.headers))


def _send_provisional(table: SessionTable, session: Session, cause: Cause) -> None:
    body = None if session.is_settled else cause.body
    response = table.dialog_response(session, session.invite, cause.status, cause.headers, body)
    if not reliability_steps.is_wanted(table, session, body):
        session.provisional = response
        _resend_provisional(table, session, cause)
    elif not reliability_steps.is_out_of_order(session, body):
        session.provisional = response
        given = reliability.Input.RING_SDP if body else reliability.Input.RING
        what = reliability_steps.Given(cause.now, response)
        reliability_steps.step(table, session, given, what)
        table.start(session, Alarm.REFRESH, cause.now + table.settings.ringing_refresh_s)


def _resend_provisional(table: SessionTable, session: Session, cause: Cause) -> None:
    response = session.provisional
    if response is None:
        return
    if "RSeq" in response.headers:  # one that is acknowledged may not come again: a new one does
        bare = reliability_steps.without_body(response)
        what = reliability_steps.Given(cause.now, bare)
        reliability_steps.step(table, session, reliability.Input.RING, what)
    else:
        table.send_response(session.transaction, response, cause.now)
    table.start(session, Alarm.REFRESH, cause.now + table.settings.ringing_refresh_s)


def _send_success(table: SessionTable, session: Session, cause: Cause) -> None:
    body = None if session.is_settled else cause.body
    response = table.dialog_response(session, session.invite, 200, cause.headers, body)
    session_timer_steps.agree_as_server(table, session, session.invite, response, cause.now)
    has_offer = not session.invite.body and not session.is_settled
    table.stop(session, Alarm.REFRESH)
    table.send_success(session, session.transaction, response, cause.now, has_offer=has_offer)


def _resend_success(table: SessionTable, session: Session, cause: Cause) -> None:
    table.resend_success(session, cause.now)


def _final(
    table: SessionTable, session: Session, cause: Cause, status: int, reason: str | None = None
) -> None:
    table.respond(
        session.transaction,
        session.invite,
        status,
        cause.now,
        reason=reason,
        headers=cause.headers,
        to_tag=session.local_tag,
    )


def _send_failure(table: SessionTable, session: Session, cause: Cause) -> None:
    _final(table, session, cause, cause.status, cause.reason)


def _send_unavailable(table: SessionTable, session: Session, cause: Cause) -> None:
    _final(table, session, cause, 480)


def _send_terminated(table: SessionTable, session: Session, cause: Cause) -> None:
    _final(table, session, cause, 487)


def _stop_success(table: SessionTable, session: Session, cause: Cause) -> None:
    table.stop_success(session, cause.now)


def _stop_limit(table: SessionTable, session: Session, cause: Cause) -> None:
    table.stop(session, Alarm.LIMIT)


def _limit_duration(table: SessionTable, session: Session, cause: Cause) -> None:
    if table.settings.max_duration_s is not None:
        table.start(session, Alarm.LIMIT, cause.now + table.settings.max_duration_s)


def _answer(table: SessionTable, cause: Cause, status: int) -> None:
    if cause.transaction is not None:
        table.respond(cause.transaction, cause.need_request(), status, cause.now)


def _accept_bye(table: SessionTable, session: Session, cause: Cause) -> None:
    _answer(table, cause, 200)


def _refuse_offer_later(table: SessionTable, session: Session, cause: Cause) -> None:
    if cause.transaction is not None:
        table.refuse_later(cause.transaction, cause.need_request(), cause.now)


def _refuse_offer_pending(table: SessionTable, session: Session, cause: Cause) -> None:
    _answer(table, cause, 491)


def _refuse_gone(table: SessionTable, session: Session, cause: Cause) -> None:
    _answer(table, cause, 481)


def _negotiate(table: SessionTable, session: Session, cause: Cause) -> None:
    is_update = cause.need_request().method != "INVITE"
    given = renegotiation.Input.UPDATE if is_update else renegotiation.Input.REINVITE
    renegotiation_steps.step(table, session, given, cause)


def _report_progress(table: SessionTable, session: Session, cause: Cause) -> None:
    response = cause.need_response()
    if response.status > 100:
        event = Progress(session=session.id, status=response.status, body=cause.body)
        table.events.append(event)


def _report_answered(table: SessionTable, session: Session, cause: Cause) -> None:
    table.events.append(
        Answered(
            session=session.id,
            answer=cause.body or b"",
            response=cause.need_response(),
            is_settled=session.is_settled,
        )
    )


def _report_confirmed(table: SessionTable, session: Session, cause: Cause) -> None:
    table.events.append(Confirmed(session=session.id, body=cause.body))


def _report_failed(table: SessionTable, session: Session, cause: Cause) -> None:
    event = Failed(
        session=session.id,
        status=cause.status,
        reason=cause.reason or "",
        response=cause.response,
    )
    table.events.append(event)


def _report_ended(table: SessionTable, session: Session, cause: Cause) -> None:
    event = Ended(session=session.id, by=cause.by, detail=cause.detail, reasons=cause.reasons)
    table.events.append(event)


_EFFECTS: dict[Action, Callable[[SessionTable, Session, Cause], None]] = {
    Action.SEND_INVITE: _send_invite,
    Action.SEND_ACK: _send_ack,
    Action.KEEP_OFFER: _keep_offer,
    Action.SEND_BYE: _send_bye,
    Action.SEND_CANCEL: _send_cancel,
    Action.SEND_PROVISIONAL: _send_provisional,
    Action.RESEND_PROVISIONAL: _resend_provisional,
    Action.SEND_SUCCESS: _send_success,
    Action.RESEND_SUCCESS: _resend_success,
    Action.SEND_FAILURE: _send_failure,
    Action.SEND_UNAVAILABLE: _send_unavailable,
    Action.SEND_TERMINATED: _send_terminated,
    Action.STOP_SUCCESS: _stop_success,
    Action.STOP_LIMIT: _stop_limit,
    Action.LIMIT_DURATION: _limit_duration,
    Action.ACCEPT_BYE: _accept_bye,
    Action.REFUSE_OFFER_LATER: _refuse_offer_later,
    Action.REFUSE_OFFER_PENDING: _refuse_offer_pending,
    Action.REFUSE_GONE: _refuse_gone,
    Action.NEGOTIATE: _negotiate,
    Action.REPORT_PROGRESS: _report_progress,
    Action.REPORT_ANSWERED: _report_answered,
    Action.REPORT_CONFIRMED: _report_confirmed,
    Action.REPORT_FAILED: _report_failed,
    Action.REPORT_ENDED: _report_ended,
}
