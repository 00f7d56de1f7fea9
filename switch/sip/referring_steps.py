"""Sends REFERs and takes what the peer tells of them, by the table of `referring.py` (RFC 3515)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from switch.errors import LocalProtocolError
from switch.sip.bodies import has_foreign_encoding
from switch.sip.events import ReferId, ReferProgress, RequestReceived, TransactionId
from switch.sip.message import Request, Response
from switch.sip.referring import IGNORED, TRANSITIONS, Action, Input
from switch.sip.refers import Referring
from switch.sip.session import Alarm, ExtraHeaders, Session
from switch.sip.sessions import Purpose, SessionTable
from switch.sip.sipfrag import SIPFRAG, status_in
from switch.sip.uri import NameAddr

_LIFE_S: Final = 240.0
"""A peer that tells nothing for so long has forgotten."""
_MOST_NOTIFIES: Final = 64
"""Of one REFER; a peer that sends more is told that its subscription is gone."""


class News(Struct):
    """What came with an input."""

    now: float
    status: int
    reason: str
    request: Request | None = None
    transaction: TransactionId | None = None


def send(
    table: SessionTable,
    session: Session,
    refer_to: NameAddr,
    headers: ExtraHeaders,
    now: float,
    *,
    wants_news: bool,
) -> ReferId:
    """Send a REFER within a confirmed session."""
    dialog = session.need_dialog()
    request = table.complete(dialog.request("REFER"), dialog.flow, headers, None)
    request.headers.set("Refer-To", str(refer_to))
    if not wants_news:
        request.headers.set("Refer-Sub", "false")
    referring = Referring(ReferId(table.new_token()), session, dialog, request)
    table.referrings.setdefault(session.dialog_key, []).append(referring)
    referring.provable = table.send(
        session, dialog, request, Purpose.REFER, now, referring
    ).provable
    table.changed(session)
    return referring.id


def receive_answer(
    table: SessionTable, referring: Referring, response: Response, now: float
) -> None:
    """Take the final answer to a REFER."""
    news = News(now, response.status, response.reason)
    if response.status >= 300:
        given = Input.FAILED
    elif (response.headers.get("Refer-Sub") or "").lower().startswith("false"):
        given = Input.ACCEPTED_QUIETLY
    else:
        given = Input.ACCEPTED
    step(table, referring, given, news)


def fail(table: SessionTable, referring: Referring, status: int, reason: str, now: float) -> None:
    """No answer came to a REFER, or it could not be sent."""
    step(table, referring, Input.FAILED, News(now, status, reason))


def expire(table: SessionTable, referring: Referring, now: float) -> None:
    """The peer has told nothing for long."""
    step(table, referring, Input.EXPIRED, News(now, 408, "No Final News"))


def find(table: SessionTable, request: Request) -> Referring | None:
    """The REFER of ours that a NOTIFY is about."""
    known = table.referrings.get((request.call_id, request.to.tag or ""))
    if known is None or request.from_.tag != known[0].dialog.remote.tag:
        return None
    event = (request.headers.get("Event") or "").replace(" ", "").lower()
    name, _, identity = event.partition(";id=")
    if name != "refer":
        return None
    if not identity:
        return known[0] if len(known) == 1 else None
    return next((one for one in known if str(one.seq) == identity), None)


def receive_notify(
    table: SessionTable, referring: Referring, event: RequestReceived, now: float
) -> None:
    """Take a NOTIFY about a REFER of ours; its order in the dialog is checked."""
    request = event.request
    referring.notifies += 1
    told = None if has_foreign_encoding(request) else status_in(request.body)
    if referring.notifies > _MOST_NOTIFIES:
        table.respond(event.transaction, request, 481, now)
        return
    if request.content_type != SIPFRAG or told is None:
        headers = [("Accept", SIPFRAG)]
        status = 400 if request.content_type == SIPFRAG else 415
        table.respond(event.transaction, request, status, now, headers=headers)
        return
    state = (request.headers.get("Subscription-State") or "").partition(";")[0].strip(" \t")
    is_last = state.lower() == "terminated"
    if is_last and told[0] < 200:
        told = 408, "No Final News"
    news = News(now, *told, request, event.transaction)
    step(table, referring, Input.LAST_NEWS if is_last else Input.NEWS, news)


def step(table: SessionTable, referring: Referring, given: Input, news: News) -> None:
    """Take one input through the table."""
    state = referring.state
    found = TRANSITIONS.get((state, given))
    if found is None:
        if (state, given) not in IGNORED:
            raise LocalProtocolError(f"REFER {referring.id}: no step for {given} in {state}")
        return
    referring.state, actions = found
    for action in actions:
        _EFFECTS[action](table, referring, news)


def _report(table: SessionTable, referring: Referring, news: News) -> None:
    _progress(table, referring, news, is_over=False)


def _report_over(table: SessionTable, referring: Referring, news: News) -> None:
    _progress(table, referring, news, is_over=True)


def _progress(table: SessionTable, referring: Referring, news: News, *, is_over: bool) -> None:
    table.events.append(
        ReferProgress(
            session=referring.session.id,
            refer=referring.id,
            status=news.status,
            reason=news.reason,
            is_over=is_over,
        )
    )


def _accept_notify(table: SessionTable, referring: Referring, news: News) -> None:
    if news.request is not None and news.transaction is not None:
        table.respond(news.transaction, news.request, 200, news.now)


def _start_expiry(table: SessionTable, referring: Referring, news: News) -> None:
    table.alarms.set((referring, Alarm.REFER), news.now + _LIFE_S)


def _forget(table: SessionTable, referring: Referring, news: News) -> None:
    table.alarms.cancel((referring, Alarm.REFER))
    key = referring.session.dialog_key
    left = [one for one in table.referrings.get(key, ()) if one is not referring]
    if left:
        table.referrings[key] = left
    else:
        table.referrings.pop(key, None)


_EFFECTS: dict[Action, Callable[[SessionTable, Referring, News], None]] = {
    Action.REPORT: _report,
    Action.REPORT_OVER: _report_over,
    Action.ACCEPT_NOTIFY: _accept_notify,
    Action.START_EXPIRY: _start_expiry,
    Action.FORGET: _forget,
}
