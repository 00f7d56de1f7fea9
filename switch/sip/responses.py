"""What the user agent does with responses to its requests, and with their absence."""

from __future__ import annotations

from switch.sip import (
    early,
    out_of_dialog,
    referral_steps,
    referring_steps,
    renegotiation,
    renegotiation_steps,
    session_timer,
    session_timer_steps,
    usage,
    usage_steps,
)
from switch.sip.bodies import sdp_in
from switch.sip.client_digest import repeated
from switch.sip.dialog import Dialog
from switch.sip.events import (
    EndedBy,
    ResponseReceived,
    TransactionId,
    TransactionTimedOut,
    TransportFailed,
)
from switch.sip.message import Request, Response
from switch.sip.refers import Referral, Referring
from switch.sip.session import Alarm, Cause, Session
from switch.sip.sessions import Client, Purpose, SessionTable
from switch.sip.timers import together

_CHALLENGES = (401, 407)
_UNANSWERED = (usage.State.CALLING, usage.State.PROCEEDING)
_OTHERS = frozenset(
    {Purpose.PRACK, Purpose.UPDATE, Purpose.REFRESH, Purpose.INFO, Purpose.REFER, Purpose.NOTIFY}
)
_PROBES = (Purpose.REINVITE, Purpose.REFRESH, Purpose.INFO)
"""Requests within a dialog that stands: whoever answers none of them is gone."""
_REFUSES_OFFER = (488, 606)
"""The session description is not acceptable, here or anywhere (RFC 3261 sections 21.4.26 and 21.6.4)."""
_GONE = (408, 481)
"""Responses to a request within a dialog that mean its end (RFC 3261 section 12.2.1.2)."""


def receive_response(table: SessionTable, event: ResponseReceived, now: float) -> None:
    """Take a response to a request of ours."""
    known = table.clients.get(event.transaction)
    if known is None:
        asked = table.asked.get(event.transaction)
        if asked is not None:
            out_of_dialog.receive_answer(table, asked, event, now)
        return
    session, purpose = known.session, known.purpose
    status = event.response.status
    if status in _CHALLENGES and _tries_again(table, known, event, now):
        return
    if status == 422 and _asks_for_more(table, session, purpose, event, now):
        return
    if status in _REFUSES_OFFER and _offers_otherwise(table, known, event, now):
        return
    if purpose in _OTHERS:
        if status >= 200:
            del table.clients[event.transaction]
            _receive_other(table, known, event.response, now)
        return
    if status >= 200 and purpose is Purpose.REINVITE:
        table.alarms.cancel((event.transaction, Alarm.UNANSWERED))
    is_bye = purpose in (Purpose.BYE, Purpose.FORK_BYE)
    if status >= 300 or (status >= 200 and is_bye):
        del table.clients[event.transaction]
    if is_bye:
        if status >= 200 and purpose is Purpose.BYE:
            usage_steps.step(table, session, usage.Input.BYE_DONE, Cause(now=now))
    elif 200 <= status < 300:
        _receive_success(table, session, purpose, event, now)
    elif purpose is Purpose.INVITE:
        _receive_invite_response(table, session, event.response, now)
    elif status >= 300:
        _receive_reinvite_failure(table, session, event.response, now)


def receive_silence(
    table: SessionTable, event: TransactionTimedOut | TransportFailed, now: float
) -> None:
    """No response came, or the request could not be sent: treated as 408 and 503.

    Silence ends the dialog. A request that could not be sent does not: the peer may be about to connect
    anew, after a restart of ours or by another network, and the session timer has a deadline for it.
    """
    known = table.clients.pop(event.transaction, None)
    if known is None:
        asked = table.asked.get(event.transaction)
        if asked is not None:
            out_of_dialog.receive_silence(table, asked, event)
        return
    table.alarms.cancel((event.transaction, Alarm.UNANSWERED))
    session, purpose = known.session, known.purpose
    cause = Cause(now=now, status=408, reason="Request Timeout", by=EndedBy.TIMEOUT)
    cause.detail = f"no response to our {purpose}"
    if isinstance(event, TransportFailed):
        cause.status, cause.reason = 503, "Service Unavailable"
        cause.by, cause.detail = EndedBy.TRANSPORT, event.reason
    if purpose is Purpose.INVITE:
        usage_steps.step(table, session, usage.Input.FAILURE, cause)
    elif purpose in _PROBES and cause.by is EndedBy.TIMEOUT:
        usage_steps.step(table, session, usage.Input.LOST, cause)
    elif purpose is Purpose.REFRESH:
        session_timer_steps.step(table, session, session_timer.Input.REFUSED, now)
    elif purpose in (Purpose.REINVITE, Purpose.UPDATE):
        renegotiation_steps.step(table, session, renegotiation.Input.FAILURE, cause)
    elif purpose is Purpose.BYE:
        usage_steps.step(table, session, usage.Input.BYE_DONE, cause)
    elif purpose is Purpose.REFER and isinstance(known.refer, Referring):
        referring_steps.fail(table, known.refer, cause.status, cause.reason or "", now)
    elif purpose is Purpose.NOTIFY and isinstance(known.refer, Referral):
        referral_steps.receive_answer(table, known.refer, cause.status, now)


def _tries_again(table: SessionTable, client: Client, event: ResponseReceived, now: float) -> bool:
    """Send a challenged request again, with credentials (RFC 3261 section 22.2)."""
    session, dialog, provable = client.session, client.dialog, client.provable
    if provable is None or (session.state is usage.State.CANCELLING and dialog is None):
        return False
    seq = session.invite.cseq.seq + 1 if dialog is None else dialog.local_seq + 1
    again = provable.again(event.response, seq)
    if again is None:
        return False
    del table.clients[event.transaction]
    table.alarms.cancel((event.transaction, Alarm.UNANSWERED))
    if dialog is None:
        cause = Cause(now=now, request=again)
        usage_steps.step(table, session, usage.Input.AGAIN, cause)
    else:
        dialog.local_seq = seq
        table.start_client(client, again, table.way(session, dialog), now)
    return True


def _asks_for_more(
    table: SessionTable, session: Session, purpose: Purpose, event: ResponseReceived, now: float
) -> bool:
    """Send an INVITE or UPDATE again with the longer interval that a 422 asks for (RFC 4028)."""
    is_ours = session.state in (*_UNANSWERED, usage.State.CONFIRMED)
    if not is_ours or not session_timer_steps.raises(table, session, event.response):
        return False
    if purpose is Purpose.INVITE:
        again = repeated(session.invite, session.invite.cseq.seq + 1)
        session_timer_steps.ask_in(table, session, again)
        _invite_again(table, session, event.transaction, again, now)
    elif purpose is Purpose.REINVITE:
        del table.clients[event.transaction]
        table.alarms.cancel((event.transaction, Alarm.UNANSWERED))
        renegotiation_steps.step(table, session, renegotiation.Input.AGAIN, Cause(now=now))
    elif purpose is Purpose.REFRESH:
        del table.clients[event.transaction]
        session_timer_steps.step(table, session, session_timer.Input.REFUSED, now)
        session_timer_steps.step(table, session, session_timer_steps.due(session), now)
    else:
        return False
    return True


def _offers_otherwise(
    table: SessionTable, client: Client, event: ResponseReceived, now: float
) -> bool:
    """Send an INVITE whose offer was refused again with another one, once."""
    session = client.session
    if client.purpose is not Purpose.INVITE or session.state not in _UNANSWERED:
        return False
    other, session.offer_otherwise = session.offer_otherwise, None
    offer = None if other is None else other()
    if offer is None:
        return False
    again = repeated(session.invite, session.invite.cseq.seq + 1)
    again.body = offer
    _invite_again(table, session, event.transaction, again, now)
    return True


def _invite_again(
    table: SessionTable, session: Session, refused: TransactionId, again: Request, now: float
) -> None:
    if session.attempt is not None:
        session.attempt.request = again
        session.attempt.prover.prove(again)
    del table.clients[refused]
    usage_steps.step(table, session, usage.Input.AGAIN, Cause(now=now, request=again))


def _receive_other(table: SessionTable, client: Client, response: Response, now: float) -> None:
    """Take the final response to a request that is neither INVITE nor BYE."""
    match client.purpose:
        case Purpose.UPDATE:
            _receive_updated(table, client.session, response, now)
        case Purpose.REFRESH:
            _receive_refreshed(table, client.session, response, now)
        case Purpose.REFER if isinstance(client.refer, Referring):
            referring_steps.receive_answer(table, client.refer, response, now)
        case Purpose.INFO if response.status in _GONE:
            cause = Cause(now=now, response=response, status=response.status, by=EndedBy.TIMEOUT)
            cause.detail = f"{response.status} to our INFO"
            usage_steps.step(table, client.session, usage.Input.LOST, cause)
        case Purpose.NOTIFY if isinstance(client.refer, Referral):
            referral_steps.receive_answer(table, client.refer, response.status, now)


def _receive_updated(table: SessionTable, session: Session, response: Response, now: float) -> None:
    """Take the final response to an UPDATE that carries an offer."""
    if response.status >= 300:
        _receive_reinvite_failure(table, session, response, now)
        return
    if session.dialog is not None or session.early_dialog is not None:
        session.current_dialog().refresh_target(response)
    cause = Cause(now=now, response=response, body=sdp_in(response), status=488)
    given = renegotiation.Input.SUCCESS
    if cause.body is None:
        given = renegotiation.Input.SUCCESS_WITHOUT_ANSWER
    renegotiation_steps.step(table, session, given, cause)


def _receive_refreshed(
    table: SessionTable, session: Session, response: Response, now: float
) -> None:
    """Take the final response to an UPDATE that refreshes the session."""
    if session.state is not usage.State.CONFIRMED:
        return
    if response.status < 300:
        session.need_dialog().refresh_target(response)
        session_timer_steps.agree_as_client(table, session, response, now)
    elif response.status in _GONE:
        cause = Cause(now=now, response=response, status=response.status, by=EndedBy.TIMEOUT)
        cause.detail = f"{response.status} to our UPDATE"
        usage_steps.step(table, session, usage.Input.LOST, cause)
    else:
        session_timer_steps.update_refused(table, session, response.status, now)


def _receive_invite_response(
    table: SessionTable, session: Session, response: Response, now: float
) -> None:
    cause = Cause(now=now, response=response, body=sdp_in(response))
    if response.status >= 200:
        cause.status, cause.reason = response.status, response.reason
        usage_steps.step(table, session, usage.Input.FAILURE, cause)
        return
    if response.status > 100 and not early.take_provisional(
        table, session, response, cause.body, now
    ):
        return  # a reliable one that came before, or has come before its time
    usage_steps.step(table, session, usage.Input.PROVISIONAL, cause)


def _receive_success(
    table: SessionTable, session: Session, purpose: Purpose, event: ResponseReceived, now: float
) -> None:
    """A 2xx to an INVITE: the first, one again, or one of another fork (section 13.2.2.4)."""
    response = event.response
    seq, tag = response.cseq.seq, response.to.tag
    ack = session.acks.get((seq, tag))
    if ack is not None:
        flow = table.way(session, session.dialog) if session.dialog else session.flow
        table.endpoint.send_ack(ack, flow)
        return
    is_fork = any(acked == seq for acked, _ in session.acks)
    _linger(table, event.transaction, now)
    if purpose is Purpose.REINVITE:
        _receive_reinvite_success(table, session, response, now)
    elif is_fork:
        if len(session.acks) < _MAX_FORKS:
            fork = Dialog.of_answered(session.invite, response, session.flow)
            table.send_ack(session, fork, response)
            table.send_bye(session, fork, now, purpose=Purpose.FORK_BYE)
    else:
        rung = session.early.get(tag)
        answer = sdp_in(response) or (None if rung is None else rung.answer)
        cause = Cause(now=now, response=response, body=answer)
        given = usage.Input.SUCCESS
        if not session.invite.body:
            cause.body = answer = sdp_in(response)
            given = usage.Input.SUCCESS_WITH_OFFER
        if answer is None:
            given = usage.Input.SUCCESS_WITHOUT_ANSWER
            cause.status, cause.reason = 488, "No Answer To Our Offer"
        usage_steps.step(table, session, given, cause)


_MAX_FORKS = 16
"""Answers to one INVITE that are dealt with; a peer that sends more of them is no proxy."""


def _linger(table: SessionTable, transaction: TransactionId, now: float) -> None:
    if transaction in table.clients:
        until = together(now + 64 * table.settings.timers.t1_s)
        table.alarms.set((transaction, Alarm.LINGER), until)


def _receive_reinvite_success(
    table: SessionTable, session: Session, response: Response, now: float
) -> None:
    dialog = session.dialog
    if dialog is None or response.to.tag != dialog.remote.tag:
        return
    if session.state is not usage.State.CONFIRMED:
        table.send_ack(session, dialog, response)  # the session ended meanwhile; the BYE is out
        return
    dialog.refresh_target(response)
    cause = Cause(now=now, response=response, body=sdp_in(response), status=488)
    given = renegotiation.Input.SUCCESS
    if cause.body is None:
        given = renegotiation.Input.SUCCESS_WITHOUT_ANSWER
    _forget_old_acks(session, response.cseq.seq)
    renegotiation_steps.step(table, session, given, cause)


def _forget_old_acks(session: Session, seq: int) -> None:
    """A session may be renegotiated for days: only the last two INVITEs may get 2xx again."""
    seqs = sorted({acked for acked, _ in session.acks})
    for old in seqs[:-1]:
        if old != seq:
            for key in [key for key in session.acks if key[0] == old]:
                del session.acks[key]


def _receive_reinvite_failure(
    table: SessionTable, session: Session, response: Response, now: float
) -> None:
    status = response.status
    cause = Cause(now=now, response=response, status=status)
    if status in _GONE and session.state is usage.State.CONFIRMED:
        cause.by, cause.detail = EndedBy.TIMEOUT, f"{status} to our re-INVITE"
        usage_steps.step(table, session, usage.Input.LOST, cause)
        return
    is_glare = status == 491 and session.glare_retries < table.settings.max_glare_retries
    given = renegotiation.Input.GLARE if is_glare else renegotiation.Input.FAILURE
    renegotiation_steps.step(table, session, given, cause)
