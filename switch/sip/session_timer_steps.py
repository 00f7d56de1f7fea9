"""Agrees upon session intervals and applies the table of `session_timer.py` (RFC 4028)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from switch.errors import LocalProtocolError
from switch.sip.events import RefreshDue
from switch.sip.message import Request, Response
from switch.sip.session import Alarm, Session
from switch.sip.session_expires import (
    LEAST_S,
    SessionExpires,
    asked_by,
    expires_in,
    least_in,
    supports_timer,
)
from switch.sip.session_timer import IGNORED, TRANSITIONS, Action, Input, State
from switch.sip.sessions import Purpose, SessionTable
from switch.sip.words import has_word

log = logging.getLogger(__name__)

_RETRY_S: Final = 10.0
_SPREAD_S: Final = 60.0
"""Over which the sessions of an earlier process are refreshed."""
_FOR_NOW: Final = (491, 500, 503)
"""What refuses an UPDATE of one moment, and not all of them (RFC 3311 section 5.2)."""
_MOST_RAISES: Final = 3
"""Times that one request of ours is told that its interval is too short."""


def step(table: SessionTable, session: Session, given: Input, now: float) -> bool:
    """Take one input through the table; True where the session is to end now."""
    state = session.timer
    found = TRANSITIONS.get((state, given))
    if found is None:
        if (state, given) not in IGNORED:
            raise LocalProtocolError(f"timer of {session.id}: no step for {given} in {state}")
        return False
    session.timer, actions = found
    if log.isEnabledFor(logging.DEBUG):
        log.debug("timer of %s: %s --%s--> %s", session.id, state, given, session.timer)
    for action in actions:
        _EFFECTS[action](table, session, now)
    return Action.EXPIRE in actions


def due(session: Session) -> Input:
    """How a refresh that is due is done."""
    return Input.DUE if session.takes_update else Input.DUE_BY_REINVITE


def refused(table: SessionTable, session: Session, now: float) -> None:
    """Take it that the peer answered a refresh, and did not accept it.

    A session without an agreed interval does not end for want of refreshes (RFC 4028 section 7.2).
    """
    step(table, session, Input.REFUSED if session.has_agreed else Input.DECLINED, now)


def update_refused(table: SessionTable, session: Session, status: int, now: float) -> None:
    """Take it that an UPDATE was refused: for now, or for good, where a re-INVITE may do."""
    if status in _FOR_NOW:
        refused(table, session, now)
    else:
        session.takes_update = False
        step(table, session, Input.NOT_TAKEN, now)


# --- as a server ------------------------------------------------------------------------------


def too_short(table: SessionTable, request: Request) -> list[tuple[str, str]]:
    """The headers of a 422 to a peer's INVITE or UPDATE; empty where it needs none.

    Raises:
        RemoteProtocolError: 400, when the interval cannot be read.
    """
    asked = asked_by(request)
    least = table.settings.session_min_s
    if asked is None or not table.settings.session_interval_s or asked.interval_s >= least:
        return []
    return [("Min-SE", str(least))] if supports_timer(request.headers) else []


def agree_as_server(
    table: SessionTable, session: Session, request: Request, response: Response, now: float
) -> None:
    """Decide upon the interval with which we accept `request`, and say so in `response`."""
    ours = table.settings.session_interval_s
    if not ours:
        return
    headers = request.headers
    is_supported = supports_timer(headers)
    try:
        asked, least = expires_in(headers), least_in(headers)
    except ValueError:
        return  # it was refused where it could be
    interval = max(ours, least)
    refresher = "uac" if is_supported else "uas"
    if asked is not None:
        interval = max(min(asked.interval_s, interval), least)
        if is_supported and asked.refresher is not None:
            refresher = asked.refresher
    elif session.timer is not State.OFF and is_supported:
        refresher = "uas" if session.timer is not State.THEIRS else "uac"
    response.headers.put("Session-Expires", str(SessionExpires(interval, refresher)))
    if refresher == "uac":
        response.headers.put("Require", "timer")
    _note_allow(session, request)
    session.has_agreed = is_supported
    _agreed(table, session, interval, now, is_ours=refresher == "uas")


# --- as a client ------------------------------------------------------------------------------


def ask_in(table: SessionTable, session: Session, request: Request) -> None:
    """Say in an INVITE or UPDATE of ours what interval we want, and in a dialog who refreshes."""
    if not table.settings.session_interval_s:
        return
    least = max(session.min_se, table.settings.session_min_s)
    interval = max(session.interval_s or table.settings.session_interval_s, least)
    refresher = None
    if session.timer is not State.OFF:
        refresher = "uas" if session.timer is State.THEIRS else "uac"
    request.headers.put("Session-Expires", str(SessionExpires(interval, refresher)))
    if least > LEAST_S:
        request.headers.put("Min-SE", str(least))


def agree_as_client(table: SessionTable, session: Session, response: Response, now: float) -> None:
    """Take the interval out of a 2xx to our INVITE or UPDATE.

    A peer that knows nothing of session timers is refreshed by us, so that its end is noticed.
    """
    ours = table.settings.session_interval_s
    if not ours:
        return
    _note_allow(session, response)
    session.raises = 0
    try:
        agreed = expires_in(response.headers)
    except ValueError:
        agreed = None
    session.has_agreed = agreed is not None
    if agreed is None:
        _agreed(table, session, max(ours, session.min_se), now, is_ours=True)
        return
    # Whoever refreshes later than it said loses the session, whatever we would have liked.
    interval = max(agreed.interval_s, LEAST_S)
    _agreed(table, session, interval, now, is_ours=agreed.refresher != "uas")


def raises(table: SessionTable, session: Session, response: Response) -> bool:
    """Take the Min-SE of a 422; False where the request need not be tried again."""
    try:
        least = least_in(response.headers)
    except ValueError:
        return False
    session.raises += 1
    known = max(session.min_se, session.interval_s or table.settings.session_interval_s)
    if "Min-SE" not in response.headers or session.raises > _MOST_RAISES or least <= known:
        return False
    session.min_se = least
    return True


def _note_allow(session: Session, message: Request | Response) -> None:
    if message.headers.values_of("Allow") is not None:
        session.takes_update = has_word(message.headers, "Allow", "update")


def _agreed(
    table: SessionTable, session: Session, interval_s: int, now: float, *, is_ours: bool
) -> None:
    session.interval_s = interval_s
    step(table, session, Input.WE_REFRESH if is_ours else Input.PEER_REFRESHES, now)


def resume(table: SessionTable, session: Session, now: float, *, is_ours: bool) -> None:
    """Go on with what an earlier process agreed upon.

    It is not known when the last refresh was, so ours comes soon, not for all sessions at once; the
    peer gets a whole interval.
    """
    if session.interval_s and table.settings.session_interval_s:
        _agreed(table, session, session.interval_s, now, is_ours=is_ours)
        if is_ours:
            pause = _RETRY_S + table.jitter() * _SPREAD_S
            table.start(session, Alarm.SESSION, now + min(pause, session.interval_s / 2))


# --- effects ----------------------------------------------------------------------------------


def _start_refresh(table: SessionTable, session: Session, now: float) -> None:
    table.start(session, Alarm.SESSION, now + session.interval_s / 2)


def _start_expiry(table: SessionTable, session: Session, now: float) -> None:
    table.start(session, Alarm.EXPIRY, now + session.interval_s - _margin(session))


def _start_rest(table: SessionTable, session: Session, now: float) -> None:
    table.start(session, Alarm.EXPIRY, now + session.interval_s / 2 - _margin(session))


def _margin(session: Session) -> float:
    """So long before the end of the interval the BYE is sent (RFC 4028 section 10)."""
    return min(32.0, session.interval_s / 3)


def _start_retry(table: SessionTable, session: Session, now: float) -> None:
    table.start(session, Alarm.SESSION, now + _RETRY_S)


def _stop_refresh(table: SessionTable, session: Session, now: float) -> None:
    table.stop(session, Alarm.SESSION)


def _stop_expiry(table: SessionTable, session: Session, now: float) -> None:
    table.stop(session, Alarm.EXPIRY)


def _send_update(table: SessionTable, session: Session, now: float) -> None:
    dialog = session.need_dialog()
    update = table.complete(dialog.request("UPDATE"), dialog.flow, (), None)
    ask_in(table, session, update)
    table.send(session, dialog, update, Purpose.REFRESH, now)
    table.changed(session)


def _report_due(table: SessionTable, session: Session, now: float) -> None:
    table.events.append(RefreshDue(session=session.id))


def _expire(table: SessionTable, session: Session, now: float) -> None:
    """Whoever made the step ends the session."""


_EFFECTS: dict[Action, Callable[[SessionTable, Session, float], None]] = {
    Action.START_REFRESH: _start_refresh,
    Action.START_EXPIRY: _start_expiry,
    Action.START_REST: _start_rest,
    Action.START_RETRY: _start_retry,
    Action.STOP_REFRESH: _stop_refresh,
    Action.STOP_EXPIRY: _stop_expiry,
    Action.SEND_UPDATE: _send_update,
    Action.REPORT_DUE: _report_due,
    Action.EXPIRE: _expire,
}
