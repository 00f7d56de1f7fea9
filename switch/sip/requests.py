"""What the user agent does with requests of peers: finds the session, or answers by itself."""

from __future__ import annotations

from switch.errors import RemoteProtocolError
from switch.sip import (
    early,
    out_of_dialog,
    referral_steps,
    referring_steps,
    renegotiation,
    renegotiation_steps,
    session_timer_steps,
    usage,
    usage_steps,
)
from switch.sip.bodies import SDP, accepts_sdp, has_foreign_encoding, sdp_in, settle_body
from switch.sip.dialog import Dialog
from switch.sip.events import (
    AckReceived,
    CancelReceived,
    DigitInfo,
    EndedBy,
    Invited,
    RequestReceived,
    SessionId,
)
from switch.sip.info_digits import DTMF, DTMF_RELAY, digit_in
from switch.sip.message import Request
from switch.sip.reason import reasons_in
from switch.sip.replaces import replaces_in
from switch.sip.replacing import find
from switch.sip.session import Alarm, Cause, ExtraHeaders, Session
from switch.sip.sessions import SessionTable

_MAX_EXPIRES_DIGITS = 7
_READS: ExtraHeaders = (("Accept", SDP), ("Accept-Encoding", "identity"))
"""Goes with 415."""
_DIGITS = (DTMF_RELAY, DTMF)
_DIGITS_READ: ExtraHeaders = (
    ("Accept", ", ".join(_DIGITS)),
    ("Accept-Encoding", "identity"),
    ("Recv-Info", ""),
)


def receive_request(table: SessionTable, event: RequestReceived, now: float) -> None:
    """Take a new request other than ACK and CANCEL."""
    request = event.request
    if request.method != "INVITE" and request.headers.values_of("Replaces") is not None:
        _answer(table, event, 400, now, reason="Bad Request: Replaces stands in INVITEs only")
    elif request.to.tag is not None:
        _receive_in_dialog(table, event, now)
    elif request.method == "INVITE":
        _receive_invite(table, event, now)
    elif request.method == "OPTIONS":
        _receive_options(table, event, now)
    elif request.method in out_of_dialog.FOR_OTHERS:
        out_of_dialog.receive(table, event, now)
    elif request.method in ("BYE", "INFO", "UPDATE", "PRACK"):
        _answer(table, event, 481, now)
    elif request.method == "REFER":
        _answer(table, event, 403, now, reason="REFER Within A Call Only")
    else:
        _answer(table, event, 405, now, (("Allow", _allow(table)),))


def receive_ack(table: SessionTable, event: AckReceived, now: float) -> None:
    """Take the ACK to a 2xx; one that fits nothing is dropped, as ACKs are never answered."""
    request = event.request
    session = table.by_dialog.get((request.call_id, request.to.tag or ""))
    if session is None or session.success is None or session.dialog is None:
        return
    if request.cseq.seq != session.success.seq or request.from_.tag != session.dialog.remote.tag:
        return
    cause = Cause(now=now, request=request, body=sdp_in(request))
    if session.success.has_offer and cause.body is None:
        cause.detail = "the ACK lacks the answer to our offer"
        usage_steps.step(table, session, usage.Input.ACK_WITHOUT_ANSWER, cause)
        return
    if not session.success.has_offer:
        cause.body = None  # the answer was ours; what stands here means nothing
    if session.state is usage.State.CONFIRMED:
        renegotiation_steps.step(table, session, renegotiation.Input.ACK, cause)
    else:
        usage_steps.step(table, session, usage.Input.ACK, cause)


def receive_cancel(table: SessionTable, event: CancelReceived, now: float) -> None:
    """Take the CANCEL of an INVITE or re-INVITE; the endpoint has answered it."""
    session = table.server_invites.get(event.transaction)
    if session is None:
        return
    cause = Cause(now=now, by=EndedBy.CANCELLED, detail=event.request.headers.get("Reason") or "")
    cause.reasons = reasons_in(event.request.headers)
    if event.transaction == session.transaction:
        usage_steps.step(table, session, usage.Input.CANCEL, cause)
    else:
        renegotiation_steps.step(table, session, renegotiation.Input.CANCEL, cause)


def _allow(table: SessionTable) -> str:
    return ", ".join(table.settings.allow)


def _capabilities(table: SessionTable) -> ExtraHeaders:
    supported = ", ".join(table.settings.supported)
    return (("Allow", _allow(table)), ("Accept", SDP), ("Supported", supported))


def _answer(
    table: SessionTable,
    event: RequestReceived,
    status: int,
    now: float,
    headers: ExtraHeaders = (),
    reason: str | None = None,
) -> None:
    request = event.request
    table.respond(event.transaction, request, status, now, reason=reason, headers=headers)


def _refuses_content(table: SessionTable, event: RequestReceived, now: float) -> bool:
    """Answer a body that cannot be read with 415, a caller who cannot read ours with 406."""
    if not settle_body(event.request):
        _answer(table, event, 415, now, _READS)
    elif event.request.method != "OPTIONS" and not accepts_sdp(event.request):
        _answer(table, event, 406, now)
    else:
        return False
    return True


def _refuses_interval(table: SessionTable, event: RequestReceived, now: float) -> bool:
    """Answer a session interval that is too short with 422, one that cannot be read with 400."""
    if event.request.headers.values_of("Session-Expires") is None:
        return False
    try:
        headers = session_timer_steps.too_short(table, event.request)
    except RemoteProtocolError as error:
        _answer(table, event, error.status, now, reason=f"Bad Request: {error}")
        return True
    if headers:
        _answer(table, event, 422, now, headers)
    return bool(headers)


def _receive_invite(table: SessionTable, event: RequestReceived, now: float) -> None:
    request = event.request
    if _refuses_content(table, event, now):
        return
    if len(table.by_id) >= table.settings.max_sessions:
        pause = str(table.settings.retry_after_s)
        _answer(table, event, 503, now, (("Retry-After", pause),))
        return
    if _refuses_interval(table, event, now):
        return
    tag = table.new_token()
    try:
        replaces = replaces_in(request)
        dialog = Dialog.of_invited(request, tag, event.flow)
        if replaces is not None:
            find(table, replaces)
    except RemoteProtocolError as error:
        reason = f"Bad Request: {error}" if error.status == 400 else None
        _answer(table, event, error.status, now, reason=reason)
        return
    session = Session(
        id=SessionId(table.new_token()),
        is_caller=False,
        invite=request,
        transaction=event.transaction,
        local_tag=tag,
        flow=event.flow,
        state=usage.State.INVITED,
        dialog=dialog,
    )
    table.add(session)
    table.server_invites[event.transaction] = session
    table.start(session, Alarm.LIMIT, now + _patience(table, request))
    table.events.append(
        Invited(
            session=session.id,
            request=request,
            flow=event.flow,
            offer=sdp_in(request),
            replaces=replaces,
        )
    )


def _receive_options(table: SessionTable, event: RequestReceived, now: float) -> None:
    """Answer as an INVITE would be answered now (RFC 3261 section 11.2)."""
    if _refuses_content(table, event, now):
        return
    if table.takes_calls():
        _answer(table, event, 200, now, _capabilities(table))
    else:
        _answer(table, event, 503, now, (("Retry-After", str(table.settings.retry_after_s)),))


def _patience(table: SessionTable, request: Request) -> float:
    """How long an INVITE may stay unanswered: our limit, or the caller's Expires if shorter."""
    limit = table.settings.invite_limit_s
    expires = request.headers.get("Expires")
    if expires and expires.isascii() and expires.isdigit() and len(expires) <= _MAX_EXPIRES_DIGITS:
        return min(limit, float(expires))
    return limit


def _receive_in_dialog(table: SessionTable, event: RequestReceived, now: float) -> None:
    """Take a request with a To tag (RFC 3261 section 12.2.2)."""
    request = event.request
    session = table.by_dialog.get((request.call_id, request.to.tag or ""))
    if session is None or not _is_peer(session, request):
        if request.method == "NOTIFY" and _receive_late_notify(table, event, now):
            return
        if session is None and request.method in out_of_dialog.FOR_OTHERS:
            out_of_dialog.receive(table, event, now)  # its dialog may be of another kind
        else:
            _answer(table, event, 481, now)
        return
    dialog = session.dialog or early.dialog_for(session, request)
    if dialog is not None:
        if not dialog.is_newer(request):
            _answer(table, event, 500, now, reason="CSeq Out Of Order")
            return
        dialog.refresh_flow(request, event.flow)
    match request.method:
        case "BYE":
            detail = request.headers.get("Reason") or ""
            is_unanswered = session.state is usage.State.INVITED
            by = EndedBy.CANCELLED if is_unanswered else EndedBy.REMOTE_BYE
            cause = _cause(event, now)
            cause.by, cause.detail, cause.reasons = by, detail, reasons_in(request.headers)
            usage_steps.step(table, session, usage.Input.BYE, cause)
        case "INVITE":
            _receive_offer(table, session, event, now)
        case "UPDATE" if request.body:
            _receive_offer(table, session, event, now)
        case "PRACK":
            early.receive_prack(table, session, event, now)
        case "NOTIFY":
            _receive_notify(table, event, now)
        case _ if session.state in usage.REPORTED_OVER:
            _answer(table, event, 481, now)
        case "REFER":
            referral_steps.receive(table, session, event, now)
        case "SUBSCRIBE":
            referral_steps.receive_subscribe(table, session, event, now)
        case "MESSAGE":  # no 481: it would tell the peer to end the call (RFC 5057)
            _answer(table, event, 403, now, reason="MESSAGE Outside Of Calls Only")
        case "UPDATE":
            if not _refuses_interval(table, event, now):
                _refresh(table, session, event, now)
        case "OPTIONS":
            _answer(table, event, 200, now, _capabilities(table))
        case "INFO":
            _receive_info(table, session, event, now)
        case _:
            _answer(table, event, 405, now, (("Allow", _allow(table)),))


def _receive_late_notify(table: SessionTable, event: RequestReceived, now: float) -> bool:
    """Take the NOTIFY about a REFER of ours whose session is over; False: it is about none."""
    referring = referring_steps.find(table, event.request)
    if referring is None:
        return False
    if referring.dialog.is_newer(event.request):
        referring_steps.receive_notify(table, referring, event, now)
    else:
        _answer(table, event, 500, now, reason="CSeq Out Of Order")
    return True


def _receive_notify(table: SessionTable, event: RequestReceived, now: float) -> None:
    referring = referring_steps.find(table, event.request)
    if referring is not None:
        referring_steps.receive_notify(table, referring, event, now)
        return
    name = (event.request.headers.get("Event") or "").partition(";")[0].strip(" \t").lower()
    if name == "refer":
        _answer(table, event, 481, now)
    else:
        _answer(table, event, 489, now, (("Allow-Events", "refer"),))


def _receive_info(
    table: SessionTable, session: Session, event: RequestReceived, now: float
) -> None:
    """Take a digit; of other contents none is known here (RFC 6086 section 4.2.2)."""
    request = event.request
    if "Info-Package" in request.headers:
        _answer(table, event, 469, now, (("Recv-Info", ""),))
    elif not request.body:
        _answer(table, event, 200, now)  # it asks whether we are alive
    elif request.content_type not in _DIGITS or has_foreign_encoding(request):
        _answer(table, event, 415, now, _DIGITS_READ)
    else:
        try:
            digit = digit_in(request.content_type, request.body)
        except ValueError as error:
            _answer(table, event, 400, now, reason=f"Bad Request: {error}")
            return
        _answer(table, event, 200, now)
        if digit is not None:
            table.events.append(DigitInfo(session=session.id, digit=digit[0], duration_ms=digit[1]))


def _is_peer(session: Session, request: Request) -> bool:
    """True when the From tag is the dialog's; before our call is answered any may be."""
    return session.dialog is None or session.dialog.remote.tag == request.from_.tag


def _cause(event: RequestReceived, now: float) -> Cause:
    return Cause(
        now=now, request=event.request, transaction=event.transaction, body=sdp_in(event.request)
    )


def _receive_offer(
    table: SessionTable, session: Session, event: RequestReceived, now: float
) -> None:
    if session.state not in usage.REPORTED_OVER:
        if _refuses_content(table, event, now) or _refuses_interval(table, event, now):
            return
        if event.request.method == "UPDATE" and not event.request.body:
            _refresh(table, session, event, now)
            return
    given = usage.Input.OFFER
    if event.request.method == "UPDATE":
        if early.is_settled_with(session, event.request):
            given = usage.Input.EARLY_OFFER
        elif session.state is usage.State.INVITED and early.awaits_answer(session):
            given = usage.Input.CROSSING_OFFER
    usage_steps.step(table, session, given, _cause(event, now))


def _refresh(table: SessionTable, session: Session, event: RequestReceived, now: float) -> None:
    """An UPDATE without an offer changes the target, and refreshes the session (RFC 4028)."""
    dialog = session.dialog or early.dialog_for(session, event.request)
    if dialog is not None:
        dialog.refresh_target(event.request)
    response = table.dialog_response(session, event.request, 200, (), None)
    if session.state is usage.State.CONFIRMED:
        session_timer_steps.agree_as_server(table, session, event.request, response, now)
    table.send_response(event.transaction, response, now)
