"""What the deadlines of a session mean: inputs of its tables."""

from __future__ import annotations

from switch.sip import (
    early,
    referral,
    referral_steps,
    referring_steps,
    reliability,
    renegotiation,
    renegotiation_steps,
    session_timer,
    session_timer_steps,
    usage,
    usage_steps,
)
from switch.sip.events import EndedBy
from switch.sip.reason import Reason
from switch.sip.refers import Referral, Referring
from switch.sip.session import Alarm, Cause, Session
from switch.sip.sessions import Owner, SessionTable


def fire(table: SessionTable, owner: Owner, alarm: Alarm, now: float) -> None:
    """Give a deadline to the table that it belongs to."""
    match owner:
        case Session():
            _fire(table, owner, alarm, now)
        case Referral():
            referral_steps.step(table, owner, referral.Input.EXPIRED, now)
        case Referring():
            referring_steps.expire(table, owner, now)
        case _ if alarm is Alarm.LINGER:  # no other 2xx can come to this INVITE
            table.clients.pop(owner, None)
        case _:  # a re-INVITE that nobody answers: a final response or silence follows
            table.endpoint.cancel(owner, now)


def _fire(table: SessionTable, session: Session, alarm: Alarm, now: float) -> None:
    match alarm:
        case Alarm.RETRY:
            renegotiation_steps.step(table, session, renegotiation.Input.RETRY, Cause(now=now))
        case Alarm.RETRANSMIT if session.state is usage.State.CONFIRMED:
            renegotiation_steps.step(table, session, renegotiation.Input.RETRANSMIT, Cause(now=now))
        case Alarm.RING_AGAIN:
            early.go_on(table, session, reliability.Input.RETRANSMIT, now)
        case Alarm.NO_PRACK:
            early.go_on(table, session, reliability.Input.GIVE_UP, now)
        case Alarm.SESSION:
            session_timer_steps.step(table, session, session_timer_steps.due(session), now)
        case Alarm.EXPIRY:
            given = session_timer.Input.EXPIRED
            if session_timer_steps.step(table, session, given, now):
                usage_steps.step(table, session, usage.Input.EXPIRED, _expired(now))
        case Alarm.NO_ACK if session.success is not None and session.success.may_be_acked:
            usage_steps.step(table, session, usage.Input.ACK, Cause(now=now))
        case _:
            usage_steps.step(table, session, _USAGE_INPUTS[alarm], _alarm(session, alarm, now))


_USAGE_INPUTS = {
    Alarm.LIMIT: usage.Input.LIMIT,
    Alarm.REFRESH: usage.Input.REFRESH,
    Alarm.RETRANSMIT: usage.Input.RETRANSMIT,
    Alarm.NO_ACK: usage.Input.NO_ACK,
}


def _expired(now: float) -> Cause:
    """What is to be said when nobody refreshed the session (RFC 4028 section 10)."""
    reason = Reason(protocol="SIP", cause=408, text="Session timer expired")
    return Cause(
        now=now,
        headers=(("Reason", str(reason)),),
        by=EndedBy.TIMEOUT,
        detail="the session was not refreshed",
    )


def _alarm(session: Session, alarm: Alarm, now: float) -> Cause:
    """What is to be said when a deadline ends the session."""
    cause = Cause(now=now, status=408, reason="Request Timeout")
    if alarm is Alarm.NO_ACK:
        cause.by, cause.detail = EndedBy.NO_ACK, "no ACK to our 2xx"
    elif session.state is usage.State.INVITED:
        cause.by, cause.detail = EndedBy.CANCELLED, "the invitation expired"
    elif alarm is Alarm.LIMIT:
        cause.detail = "longest duration reached"
    return cause
