"""Takes REFERs, applies the table of `referral.py` and tells the peer how it goes (RFC 3515)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from switch.errors import LocalProtocolError
from switch.sip import usage
from switch.sip.events import ReferId, Referred, RequestReceived
from switch.sip.message import Request
from switch.sip.referral import IGNORED, TRANSITIONS, Action, Input, State, wants_news
from switch.sip.refers import Referral
from switch.sip.replaces import Replaces
from switch.sip.session import Alarm, Session
from switch.sip.sessions import Purpose, SessionTable
from switch.sip.sipfrag import SIPFRAG, fragment
from switch.sip.uri import NameAddr

_ANSWER_WITHIN_S: Final = 20.0
"""A peer waits 32 s for the answer to its REFER (Timer F)."""
_LIFE_S: Final = 180.0
"""Of a subscription: longer than anybody lets a phone ring."""
_MOST_AT_ONCE: Final = 4
"""REFERs of one session that are not over."""


def receive(table: SessionTable, session: Session, event: RequestReceived, now: float) -> None:
    """Take a REFER within a session."""
    request = event.request
    if session.state not in (usage.State.CONFIRMED, usage.State.ACCEPTED):
        table.respond(event.transaction, request, 491, now)
        return
    of_session = [one for one in table.referrals.values() if one.session is session]
    if len(of_session) >= _MOST_AT_ONCE:
        table.refuse_later(event.transaction, request, now)
        return
    try:
        refer_to, replaces, referred_by = _wanted(request)
    except ValueError as error:
        reason = f"Bad Request: {error}"
        table.respond(event.transaction, request, 400, now, reason=reason)
        return
    refusal = _refusal(refer_to)
    if refusal:
        table.respond(event.transaction, request, refusal, now)
        return
    dialog = session.need_dialog()
    event_id = f";id={request.cseq.seq}" if session.was_referred else ""
    session.was_referred = True
    referral = Referral(
        ReferId(table.new_token()),
        session,
        dialog,
        request,
        event.transaction,
        f"refer{event_id}",
        now + _ANSWER_WITHIN_S,
    )
    dialog.refresh_target(request)
    table.referrals[referral.id] = referral
    table.alarms.set((referral, Alarm.REFER), referral.expires_at)
    table.events.append(
        Referred(
            session=session.id,
            refer=referral.id,
            refer_to=refer_to,
            replaces=replaces,
            referred_by=referred_by,
            wants_news=wants_news(request),
            request=request,
        )
    )


def receive_subscribe(
    table: SessionTable, session: Session, event: RequestReceived, now: float
) -> None:
    """Take a SUBSCRIBE to the news of a REFER: it prolongs nothing, but may end it."""
    request = event.request
    wanted = _event_of(request)
    if wanted.partition(";")[0] != "refer":
        headers = [("Allow-Events", "refer")]
        table.respond(event.transaction, request, 489, now, headers=headers)
        return
    for referral in table.referrals.values():
        if referral.session is session and referral.state is State.ACTIVE:
            if referral.event != wanted:
                continue
            left = max(0, round(referral.expires_at - now))
            is_end = request.headers.get("Expires") == "0"
            headers = [("Expires", "0" if is_end else str(left))]
            table.respond(event.transaction, request, 200, now, headers=headers)
            if is_end:
                step(table, referral, Input.UNSUBSCRIBE, now)
            return
    table.respond(event.transaction, request, 481, now)


def receive_answer(table: SessionTable, referral: Referral, status: int, now: float) -> None:
    """Take the final answer to a NOTIFY, or 408 and 503 for none."""
    if status >= 300:
        step(table, referral, Input.GONE, now)


def session_over(table: SessionTable, session: Session, now: float) -> None:
    """Answer what the layers above have not decided upon."""
    for referral in [one for one in table.referrals.values() if one.session is session]:
        step(table, referral, Input.SESSION_OVER, now)


def step(table: SessionTable, referral: Referral, given: Input, now: float) -> None:
    """Take one input through the table."""
    state = referral.state
    found = TRANSITIONS.get((state, given))
    if found is None:
        if (state, given) not in IGNORED:
            raise LocalProtocolError(f"REFER {referral.id}: no step for {given} in {state}")
        return
    referral.state, actions = found
    for action in actions:
        _EFFECTS[action](table, referral, now)


def _wanted(request: Request) -> tuple[NameAddr, Replaces | None, NameAddr | None]:
    """Whom to call, in place of what, and who says so. Raises ValueError."""
    written = request.headers.get("Refer-To")
    if not written:
        raise ValueError("REFER without Refer-To")
    refer_to = NameAddr.parse(written)
    by = request.headers.get("Referred-By")
    return refer_to, Replaces.of_uri(refer_to.uri), None if by is None else NameAddr.parse(by)


def _refusal(refer_to: NameAddr) -> int:
    """The status for those whom we could not call; 0 where we could."""
    uri = refer_to.uri
    if uri.scheme not in ("sip", "sips", "tel"):
        return 416
    if (uri.params.get("method") or "INVITE").upper() != "INVITE":
        return 603
    return 0


def _event_of(request: Request) -> str:
    return (request.headers.get("Event") or "").replace(" ", "").replace("\t", "")


def _answer(table: SessionTable, referral: Referral, status: int, now: float) -> None:
    table.respond(referral.transaction, referral.request, status, now)


def _send_accepted(table: SessionTable, referral: Referral, now: float) -> None:
    response = table.dialog_response(referral.session, referral.request, 202, (), None)
    table.send_response(referral.transaction, response, now)


def _send_quietly(table: SessionTable, referral: Referral, now: float) -> None:
    headers = (("Refer-Sub", "false"),)
    response = table.dialog_response(referral.session, referral.request, 200, headers, None)
    table.send_response(referral.transaction, response, now)


def _send_failure(table: SessionTable, referral: Referral, now: float) -> None:
    _answer(table, referral, referral.status, now)


def _send_unavailable(table: SessionTable, referral: Referral, now: float) -> None:
    _answer(table, referral, 480, now)


def _send_terminated(table: SessionTable, referral: Referral, now: float) -> None:
    _answer(table, referral, 487, now)


def _start_expiry(table: SessionTable, referral: Referral, now: float) -> None:
    referral.expires_at = now + _LIFE_S
    table.alarms.set((referral, Alarm.REFER), referral.expires_at)


def _send_news(table: SessionTable, referral: Referral, now: float) -> None:
    left = max(1, round(referral.expires_at - now))
    _notify(table, referral, f"active;expires={left}", now)


def _send_last(table: SessionTable, referral: Referral, now: float) -> None:
    why = "noresource" if referral.status >= 200 else "timeout"
    _notify(table, referral, f"terminated;reason={why}", now)


def _notify(table: SessionTable, referral: Referral, state: str, now: float) -> None:
    dialog = referral.dialog
    body = fragment(referral.status, referral.reason)
    notify = table.complete(dialog.request("NOTIFY"), dialog.flow, (), None)
    notify.headers.put("Event", referral.event)
    notify.headers.put("Subscription-State", state)
    notify.headers.put("Content-Type", f"{SIPFRAG};version=2.0")
    notify.body = body
    table.send(referral.session, dialog, notify, Purpose.NOTIFY, now, referral)
    table.changed(referral.session)


def _forget(table: SessionTable, referral: Referral, now: float) -> None:
    table.referrals.pop(referral.id, None)
    table.alarms.cancel((referral, Alarm.REFER))


_EFFECTS: dict[Action, Callable[[SessionTable, Referral, float], None]] = {
    Action.SEND_ACCEPTED: _send_accepted,
    Action.SEND_QUIETLY: _send_quietly,
    Action.SEND_FAILURE: _send_failure,
    Action.SEND_UNAVAILABLE: _send_unavailable,
    Action.SEND_TERMINATED: _send_terminated,
    Action.SEND_TRYING: _send_news,
    Action.SEND_NEWS: _send_news,
    Action.SEND_LAST: _send_last,
    Action.START_EXPIRY: _start_expiry,
    Action.FORGET: _forget,
}
