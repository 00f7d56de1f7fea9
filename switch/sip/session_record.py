"""A session as a value that outlives the process, and the way back (see `switch.journal`).

A session comes back in the state it was in, with its transaction where it has one that the peer still
waits for. So nobody has to be told anything: an invitation that was ringing rings on, a 2xx without
ACK is sent until one comes, and in a confirmed dialog both sides may send requests as before.
"""

from __future__ import annotations

from typing import Final, cast

import msgspec

from switch.sip import session_timer, session_timer_steps, usage
from switch.sip.dialog import Dialog
from switch.sip.events import SessionId, TransactionId
from switch.sip.flow import Flow, Transport
from switch.sip.headers import Headers
from switch.sip.message import Request
from switch.sip.parsing import MalformedMessageError, parse
from switch.sip.session import Alarm, Early, PendingSuccess, Session
from switch.sip.sessions import Client, Purpose, SessionTable
from switch.sip.uri import NameAddr, Uri
from switch.sip.way_back import without_connection
from switch.sip.writing import make_response

FlowRecord = tuple[str, str, int, str, int]
"""Transport, remote host and port, local host and port. Connections do not outlive a process."""


class DialogRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of `Dialog`, addresses as text."""

    call_id: str
    local: str
    remote: str
    target: str
    routes: tuple[str, ...]
    flow: FlowRecord
    local_seq: int
    remote_seq: int | None
    connects: bool = False
    """We made its connection, or would have to."""


class EarlyRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An early dialog of an INVITE of ours, once requests have gone through it."""

    dialog: DialogRecord
    rseq: int
    """Of the last reliable response taken."""
    is_settled: bool
    """The first offer is answered here."""
    answer: bytes
    """The SDP of the answer; the 2xx need not repeat it."""


class SessionRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One session. The INVITE is kept apart: it is large, and never changes."""

    id: str
    is_caller: bool
    state: str
    local_tag: str
    flow: FlowRecord
    dialog: DialogRecord | None
    """None: our INVITE is not answered yet."""
    interval_s: int = 0
    """Of the session timer; 0: none runs."""
    we_refresh: bool = False
    min_se: int = 0
    takes_update: bool = False
    rseq: int = 0
    """Of the last reliable provisional response that we sent."""
    unacknowledged: int = 0
    is_settled: bool = False
    early: tuple[EarlyRecord, ...] = ()
    has_agreed: bool = True
    """The peer knows session timers."""

    @property
    def needs_invite(self) -> bool:
        """Whether it cannot be brought back in full without its INVITE."""
        return self.state != usage.State.CONFIRMED


NO_TRANSACTION: Final = TransactionId("")
PENDING: Final = frozenset({usage.State.INVITED, usage.State.CALLING, usage.State.PROCEEDING})
"""The states that cannot be brought back without the INVITE."""
_ACK_AGAIN_T1: Final = 8
"""So long a 2xx that may have had its ACK is sent again (three times). Then the dialog counts as
confirmed: some user agents do not acknowledge a second time, and their calls are not to end."""
_KEPT: Final = PENDING | {usage.State.ACCEPTED, usage.State.CONFIRMED}


def record_of(session: Session) -> SessionRecord | None:
    """Describe a session; None for one that the layers above know to be over."""
    if session.state not in _KEPT:
        return None
    # A 2xx that waits for a PRACK is decided; the process that follows sends it at once.
    state = session.state if session.held is None else usage.State.ACCEPTED
    return SessionRecord(
        session.id,
        session.is_caller,
        state,
        session.local_tag,
        flow_record(session.flow),
        None if session.dialog is None else _dialog_record(session, session.dialog),
        0 if session.timer is session_timer.State.OFF else session.interval_s,
        session.timer is not session_timer.State.THEIRS,
        session.min_se,
        session.takes_update,
        session.rseq,
        session.unacknowledged,
        session.is_settled,
        _early_records(session) if session.early else (),
        session.has_agreed,
    )


def _dialog_record(session: Session, dialog: Dialog) -> DialogRecord:
    """Most of a dialog never changes, and to write its addresses takes longer than all the rest."""
    made_of = (dialog.remote, dialog.target, dialog.flow, dialog.local_seq, dialog.remote_seq)
    if session.kept is not None and session.kept[0] == made_of:
        return cast("DialogRecord", session.kept[1])
    record = _written(dialog, connects=session.connects(dialog))
    session.kept = made_of, record
    return record


def _early_records(session: Session) -> tuple[EarlyRecord, ...]:
    return tuple(
        EarlyRecord(
            _written(early.dialog, connects=session.connects(early.dialog)),
            early.rseq,
            early.dialog is session.early_dialog,
            early.answer or b"",
        )
        for early in session.early.values()
        if early.dialog is not None
    )


def _written(dialog: Dialog, *, connects: bool) -> DialogRecord:
    local, remote = dialog.addresses()
    return DialogRecord(
        dialog.call_id,
        local,
        remote,
        str(dialog.target),
        tuple(str(route) for route in dialog.routes),
        flow_record(dialog.flow),
        dialog.local_seq,
        dialog.remote_seq,
        connects,
    )


def flow_record(flow: Flow) -> FlowRecord:
    """A flow without its connection."""
    return (flow.transport, *flow.remote, *flow.local)


def flow_of(record: FlowRecord) -> Flow:
    """The flow again. Raises ValueError."""
    transport, host, port, local_host, local_port = record
    return Flow(Transport(transport), (host, port), (local_host, local_port))


def restore(
    table: SessionTable,
    record: SessionRecord,
    invite: bytes | None,
    answer: bytes,
    now: float,
    *,
    may_lack_ack: bool,
) -> Session:
    """Bring a session back.

    `invite` is the INVITE as octets, `answer` the SDP of our 2xx to it. `may_lack_ack`: the 2xx was
    sent so lately that its ACK may still come.

    Raises:
        ValueError: the record makes no sense, or the session needs its INVITE and there is none.
    """
    state = usage.State(record.state)
    request = None if invite is None else _request(invite)
    if state is usage.State.ACCEPTED and (request is None or not may_lack_ack):
        state = usage.State.CONFIRMED
    dialog = None if record.dialog is None else _dialog(record.dialog)
    if (state in PENDING and request is None) or (dialog is None and not record.is_caller):
        raise ValueError(f"session {record.id}: {state.value}, but its INVITE is not there")
    if state is usage.State.CONFIRMED and dialog is None:
        raise ValueError(f"session {record.id}: confirmed without a dialog")
    if state in PENDING or state is usage.State.ACCEPTED:
        assert request is not None
        return _restore_pending(table, record, state, request, dialog, answer, now)
    assert dialog is not None
    session = _session(record, state, _stand_in(dialog), dialog)
    table.add(session)
    _limit_duration(table, session, now)
    session_timer_steps.resume(table, session, now, is_ours=record.we_refresh)
    return session


def _restore_pending(
    table: SessionTable,
    record: SessionRecord,
    state: usage.State,
    invite: Request,
    dialog: Dialog | None,
    answer: bytes,
    now: float,
) -> Session:
    endpoint, settings = table.endpoint, table.settings
    session = _session(record, state, invite, dialog)
    if record.is_caller:
        _restore_early(session, record)
        is_under_way = state is not usage.State.CALLING or session.flow.transport.is_reliable
        session.transaction = endpoint.resume_client(
            invite, session.flow, now, is_under_way=is_under_way
        )
        table.clients[session.transaction] = Client(session, Purpose.INVITE)
    else:
        is_answered = state is usage.State.ACCEPTED
        session.transaction = endpoint.resume_server(
            invite, session.flow, now, is_answered=is_answered
        )
        if is_answered:
            response = table.dialog_response(session, invite, 200, (), answer)
            has_offer = not invite.body
            t1 = settings.timers.t1_s
            session.success = PendingSuccess(
                session.transaction, response, has_offer, t1, may_be_acked=not has_offer
            )
            table.start(session, Alarm.RETRANSMIT, now + t1)
            patience_s = (64 if has_offer else _ACK_AGAIN_T1) * t1
            table.start(session, Alarm.NO_ACK, now + patience_s)
        else:
            table.server_invites[session.transaction] = session
    table.add(session)
    if state in PENDING:
        table.start(session, Alarm.LIMIT, now + settings.invite_limit_s)
    session_timer_steps.resume(table, session, now, is_ours=record.we_refresh)
    return session


def _restore_early(session: Session, record: SessionRecord) -> None:
    for kept in record.early:
        dialog = _dialog(kept.dialog)
        standing_in = make_response(session.invite, 180)  # only its dialog is asked for any more
        early = Early(standing_in, kept.answer or None, dialog, kept.rseq)
        session.early[dialog.remote.tag] = early
        if kept.is_settled:
            session.early_dialog = dialog


def _session(
    record: SessionRecord, state: usage.State, invite: Request, dialog: Dialog | None
) -> Session:
    flow = flow_of(record.flow)
    return Session(
        id=SessionId(record.id),
        is_caller=record.is_caller,
        invite=invite,
        transaction=NO_TRANSACTION,
        local_tag=record.local_tag,
        flow=flow if dialog is None or not flow.transport.is_reliable else dialog.flow,
        state=state,
        dialog=dialog,
        interval_s=record.interval_s,
        min_se=record.min_se,
        has_agreed=record.has_agreed,
        takes_update=record.takes_update,
        rseq=record.rseq,
        unacknowledged=record.unacknowledged,
        is_settled=record.is_settled,
    )


def _dialog(record: DialogRecord) -> Dialog:
    target = Uri.parse(record.target)
    routes = [NameAddr.parse(route) for route in record.routes]
    flow = flow_of(record.flow)
    return Dialog(
        call_id=record.call_id,
        local=NameAddr.parse(record.local),
        remote=NameAddr.parse(record.remote),
        target=target,
        routes=routes,
        flow=without_connection(flow, target, routes, is_ours=record.connects),
        local_seq=record.local_seq,
        remote_seq=record.remote_seq,
    )


def _stand_in(dialog: Dialog) -> Request:
    """For the INVITE of a dialog that stands: only its Call-ID is asked for any more."""
    own = [("Call-ID", dialog.call_id), ("CSeq", "1 INVITE")]
    return Request("INVITE", str(dialog.target), Headers(own))


def _request(data: bytes) -> Request:
    try:
        message = parse(data)
    except MalformedMessageError as error:
        raise ValueError(f"the INVITE kept is no message: {error}") from error
    if not isinstance(message, Request) or message.method != "INVITE":
        raise ValueError("what was kept as an INVITE is none")
    return message


def _limit_duration(table: SessionTable, session: Session, now: float) -> None:
    if table.settings.max_duration_s is not None:
        table.start(session, Alarm.LIMIT, now + table.settings.max_duration_s)
