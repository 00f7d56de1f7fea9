"""Applies the table of `reliability.py`: reliable provisional responses of ours (RFC 3262)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from switch.errors import LocalProtocolError
from switch.sip.message import Response
from switch.sip.rack import LARGEST, RAck, is_supported
from switch.sip.reliability import IGNORED, TRANSITIONS, Action, Input, State
from switch.sip.session import Alarm, Cause, Session
from switch.sip.sessions import SessionTable

log = logging.getLogger(__name__)

_FIRST_BELOW: Final = 1 << 30
"""RSeq begins anywhere below, and has room to grow."""


class Given(Struct):
    """What came with an input."""

    now: float
    response: Response | None = None
    """To be sent reliably."""
    cause: Cause | None = None
    """Of the 2xx."""


def is_wanted(table: SessionTable, session: Session, body: bytes | None) -> bool:
    """Whether a provisional response goes out reliably: where it must, and where it carries SDP."""
    headers = session.invite.headers
    return is_supported(headers, "Require") or (
        bool(body) and table.settings.prefers_reliable and is_supported(headers, "Supported")
    )


def is_out_of_order(session: Session, body: bytes | None) -> bool:
    """Where we have to make the offer, it stands in the first reliable response (RFC 3261 13.2.1)."""
    return not (body or session.invite.body or session.is_settled)


def fits(session: Session, rack: RAck) -> bool:
    """Whether a PRACK is about the response that waits for one."""
    is_of_invite = rack.seq == session.invite.cseq.seq and rack.method == "INVITE"
    return is_of_invite and rack.rseq == session.unacknowledged != 0


def step(table: SessionTable, session: Session, given: Input, what: Given) -> tuple[Action, ...]:
    """Take one input through the table; 2xx and 504 are left to the caller, who gets the actions."""
    state = session.reliability
    found = TRANSITIONS.get((state, given))
    if found is None:
        if (state, given) not in IGNORED:
            raise LocalProtocolError(f"1xx of {session.id}: no step for {given} in {state}")
        return ()
    session.reliability, actions = found
    log.debug("1xx of %s: %s --%s--> %s", session.id, state, given, session.reliability)
    for action in actions:
        _EFFECTS[action](table, session, what)
    return actions


def acknowledge(session: Session) -> None:
    """The PRACK fits: what stood in the response is agreed upon."""
    session.unacknowledged = 0
    if session.reliability in (State.SENT_SDP, State.HELD):
        session.is_settled = True


def _send(table: SessionTable, session: Session, what: Given) -> None:
    response = what.response
    if response is None:
        raise LocalProtocolError("this step needs a response")
    if session.rseq == 0 or session.rseq >= LARGEST:
        session.rseq = int(table.jitter() * _FIRST_BELOW)
    session.rseq += 1
    session.unacknowledged = session.rseq
    response.headers.set("Require", "100rel")
    response.headers.set("RSeq", str(session.rseq))
    session.reliable = response
    session.reliable_interval_s = table.settings.timers.t1_s
    table.send_response(session.transaction, response, what.now)
    table.start(session, Alarm.RING_AGAIN, what.now + session.reliable_interval_s)
    table.start(session, Alarm.NO_PRACK, what.now + 64 * session.reliable_interval_s)
    table.changed(session)


def _resend(table: SessionTable, session: Session, what: Given) -> None:
    if session.reliable is not None:
        table.send_response(session.transaction, session.reliable, what.now)
        session.reliable_interval_s *= 2
        table.start(session, Alarm.RING_AGAIN, what.now + session.reliable_interval_s)


def _queue(table: SessionTable, session: Session, what: Given) -> None:
    session.queued = what.response


def _stop(table: SessionTable, session: Session, what: Given) -> None:
    session.reliable = None
    table.stop(session, Alarm.RING_AGAIN)
    table.stop(session, Alarm.NO_PRACK)


def _send_queued(table: SessionTable, session: Session, what: Given) -> None:
    response, session.queued = session.queued, None
    if response is None:
        return
    if session.is_settled:  # what was agreed upon is not said again
        response = without_body(response)
    given = Input.RING_SDP if response.body else Input.RING
    step(table, session, given, Given(what.now, response))


def without_body(response: Response) -> Response:
    """The same without SDP."""
    headers = response.headers.copy()
    headers.remove("Content-Type")
    return Response(response.status, response.reason, headers)


def _hold(table: SessionTable, session: Session, what: Given) -> None:
    session.held = what.cause
    session.queued = None


def _left_to_the_caller(table: SessionTable, session: Session, what: Given) -> None:
    """The usage's business, which is above this module."""


_EFFECTS: dict[Action, Callable[[SessionTable, Session, Given], None]] = {
    Action.SEND: _send,
    Action.RESEND: _resend,
    Action.QUEUE: _queue,
    Action.STOP: _stop,
    Action.SEND_QUEUED: _send_queued,
    Action.HOLD: _hold,
    Action.ANSWER: _left_to_the_caller,
    Action.ANSWER_HELD: _left_to_the_caller,
    Action.REFUSE: _left_to_the_caller,
}
