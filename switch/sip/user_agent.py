"""The user agent: sessions on top of the endpoint's transactions (RFC 3261 sections 12 to 15).

Pure, like the endpoint. The shell calls `process` after the endpoint took in something or fired
timers, drains `next_event`, and calls `handle_timer` when `get_timer` says so. Commands on sessions
that are over or unknown do nothing: whoever commands may be later than a hang-up.
"""

from __future__ import annotations

from collections.abc import Callable

from switch.errors import LocalProtocolError, RemoteProtocolError
from switch.sip import (
    early,
    out_of_dialog,
    renegotiation,
    renegotiation_steps,
    session_record,
    session_timer_steps,
    usage,
    usage_steps,
)
from switch.sip.alarms import fire
from switch.sip.client_digest import ClientCredentials, Provable
from switch.sip.endpoint import Endpoint
from switch.sip.events import (
    AckReceived,
    CancelReceived,
    EndpointEvent,
    Failed,
    ReofferFailed,
    RequestReceived,
    ResponseReceived,
    SessionEvent,
    SessionId,
    TransactionId,
    TransactionTimedOut,
    TransportFailed,
)
from switch.sip.flow import Flow
from switch.sip.headers import Headers
from switch.sip.in_call import InCall
from switch.sip.message import Request, Response
from switch.sip.replaces import Replaces
from switch.sip.replacing import find
from switch.sip.requests import receive_ack, receive_cancel, receive_request
from switch.sip.responses import receive_response, receive_silence
from switch.sip.session import Alarm, Cause, ExtraHeaders, Session
from switch.sip.session_record import SessionRecord
from switch.sip.sessions import Client, Purpose, SessionTable
from switch.sip.uri import NameAddr, Uri
from switch.sip.user_agent_settings import UserAgentSettings
from switch.sip.writing import serialize

__all__ = ["UserAgent", "UserAgentSettings"]


class UserAgent(InCall):
    """All sessions of one endpoint.

    `new_token` gives unique, unguessable text for tags and Call-IDs; `contact` our Contact URI
    (without angle brackets) on a flow; `jitter` numbers from 0 to below 1, for pauses after glare.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        settings: UserAgentSettings,
        new_token: Callable[[], str],
        contact: Callable[[Flow], str],
        jitter: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self._endpoint = endpoint
        self._table = SessionTable(endpoint, settings, new_token, contact, jitter)

    @property
    def sessions_alive(self) -> int:
        """Sessions that are not terminated; some may be reported over and owe the peer something."""
        return len(self._table.by_id)

    @property
    def most_sessions(self) -> int:
        """How many may be; more are refused with 503."""
        return self._table.settings.max_sessions

    def takes_calls_while(self, is_open: Callable[[], bool]) -> None:
        """Answer OPTIONS outside of dialogs with 503 and Retry-After while `is_open` says no."""
        self._table.takes_calls = is_open

    # --- the shell's verbs ------------------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Whether `process` would find something."""
        return self._endpoint.has_event

    def process(self, now: float) -> None:
        """Take every event of the endpoint."""
        while (event := self._endpoint.next_event()) is not None:
            self._receive(event, now)

    def next_event(self) -> SessionEvent | None:
        """The oldest event not taken yet."""
        events = self._table.events
        return events.popleft() if events else None

    def get_timer(self) -> float | None:
        """When `handle_timer` wants to be called; the endpoint has its own."""
        return self._table.alarms.next_due()

    def handle_timer(self, now: float) -> None:
        """Fire every deadline due at `now`."""
        while (due := self._table.alarms.pop_due(now)) is not None:
            owner, alarm = due
            fire(self._table, owner, alarm, now)

    # --- commands ---------------------------------------------------------------------------

    def invite(
        self,
        *,
        request_uri: str,
        flow: Flow,
        from_: NameAddr,
        to: NameAddr,
        offer: bytes,
        headers: ExtraHeaders,
        now: float,
        credentials: ClientCredentials | None = None,
        offer_otherwise: Callable[[], bytes | None] | None = None,
    ) -> SessionId:
        """Call somebody. `Answered`, `Failed` or `Ended` follows, maybe after `Progress`.

        `credentials` answer challenges to the INVITE and to all later requests of the session. When the
        peer refuses the offer, `offer_otherwise` is asked once for another one.

        Raises:
            LocalProtocolError: the URI or a header is malformed.
        """
        table = self._table
        session_id = SessionId(table.new_token())
        if len(table.by_id) >= table.settings.max_sessions:
            reason = f"more than {table.settings.max_sessions} sessions"
            table.events.append(
                Failed(session=session_id, status=503, reason=reason, response=None)
            )
            return session_id
        tag = table.new_token()
        request = self._make_invite(request_uri, flow, from_.with_tag(tag), to, headers, offer)
        if not offer:
            # The offer would come in the first reliable response, and be answered in its PRACK.
            known = [word for word in table.settings.supported if word != "100rel"]
            request.headers.set("Supported", ", ".join(known))
        session = Session(
            id=session_id,
            is_caller=True,
            invite=request,
            transaction=session_record.NO_TRANSACTION,
            local_tag=tag,
            flow=flow,
            state=usage.State.CALLING,
            offer_otherwise=offer_otherwise,
        )
        session_timer_steps.ask_in(table, session, request)
        if credentials is not None:
            session.prover = table.prover(credentials, flow)
            session.prover.prove(request)
            session.attempt = Provable(request, session.prover)
        client = Client(session, Purpose.INVITE, None, session.attempt)
        table.start_client(client, request, flow, now)
        table.add(session)
        table.start(session, Alarm.LIMIT, now + table.settings.invite_limit_s)
        return session_id

    def ring(
        self,
        session: SessionId,
        now: float,
        status: int = 180,
        *,
        headers: ExtraHeaders = (),
        body: bytes | None = None,
    ) -> None:
        """Send a provisional response; it is repeated every minute until the final one.

        It goes out reliably (RFC 3262) where the peer requires that, and with SDP where it can.
        """
        if not 101 <= status <= 199:
            raise LocalProtocolError(f"{status} is no provisional status for ringing")
        cause = Cause(now=now, status=status, headers=headers, body=body)
        self._step(session, usage.Input.RING, cause)

    def answer(
        self, session: SessionId, answer_sdp: bytes, now: float, headers: ExtraHeaders = ()
    ) -> None:
        """Accept an invitation with our SDP, which is the offer when the INVITE had none."""
        found = self._table.by_id.get(session)
        if found is not None:
            early.answer(self._table, found, Cause(now=now, body=answer_sdp, headers=headers))

    def acknowledge(self, session: SessionId, answer: bytes, now: float) -> None:
        """Answer the offer of an `Answered` whose INVITE carried none: it goes out with the ACK.

        To be called at once; what cannot be answered is ended instead.
        """
        found = self._table.by_id.get(session)
        if found is not None:
            usage_steps.acknowledge(self._table, found, answer)

    def reject(
        self,
        session: SessionId,
        status: int,
        reason: str | None,
        now: float,
        headers: ExtraHeaders = (),
    ) -> None:
        """Refuse an invitation with a final status of 300-699; `Ended` follows."""
        if not 300 <= status <= 699:
            raise LocalProtocolError(f"{status} is no status to reject with")
        cause = Cause(now=now, status=status, reason=reason, headers=headers, detail="rejected")
        self._step(session, usage.Input.REJECT, cause)

    def end(self, session: SessionId, now: float, *, reason_header: str | None = None) -> None:
        """End a session by CANCEL, 480 or BYE, whatever its state asks for; `Ended` follows at once."""
        headers = [("Reason", reason_header)] if reason_header else []
        self._step(session, usage.Input.END, Cause(now=now, headers=headers))

    def reoffer(self, session: SessionId, sdp: bytes, now: float) -> None:
        """Send a re-INVITE; `ReofferAnswered` or `ReofferFailed` follows.

        Before the INVITE is answered it is an UPDATE, where reliable responses settled the first offer.
        """
        found = self._table.by_id.get(session)
        if found is None or found.state in usage.REPORTED_OVER:
            return
        is_early = found.state in (usage.State.PROCEEDING, usage.State.INVITED)
        if found.state is not usage.State.CONFIRMED and not (is_early and found.is_settled):
            self._table.events.append(ReofferFailed(session=session, status=491))
            return
        cause = Cause(now=now, body=sdp)
        renegotiation_steps.step(self._table, found, renegotiation.Input.REOFFER, cause)

    def accept_reoffer(self, session: SessionId, sdp: bytes, now: float) -> None:
        """Accept the peer's offer; where it had none, `sdp` is ours and the answer comes later."""
        self._renegotiate(session, renegotiation.Input.ACCEPT, Cause(now=now, body=sdp))

    def refuse_reoffer(self, session: SessionId, status: int, now: float) -> None:
        """Refuse the peer's offer with 300-699; the session goes on as before."""
        if not 300 <= status <= 699:
            raise LocalProtocolError(f"{status} is no status to refuse with")
        self._renegotiate(session, renegotiation.Input.REFUSE, Cause(now=now, status=status))

    def find_session(self, replaces: Replaces, *, takes_invited: bool = False) -> SessionId | None:
        """The session that `Invited.replaces` means; None where it is gone by now.

        For that of a REFER `takes_invited`: its sender may mean a call of its own that still rings.
        """
        try:
            return find(self._table, replaces, takes_invited=takes_invited).id
        except RemoteProtocolError:
            return None

    def respond(self, transaction: TransactionId, response: Response, now: float) -> None:
        """Answer an `OutOfDialogRequest`; a missing To tag is added."""
        if response.status > 100 and response.to.tag is None:
            response.headers.set("To", str(response.to.with_tag(self._table.new_token())))
        self._table.send_response(transaction, response, now)

    def send_request(
        self,
        request: Request,
        flow: Flow,
        now: float,
        *,
        credentials: ClientCredentials | None = None,
    ) -> TransactionId:
        """Send a request outside of sessions; `RequestAnswered` with the id returned follows.

        For REGISTER, OPTIONS, SUBSCRIBE, NOTIFY, MESSAGE, PUBLISH and the like. The request has From
        with a tag, To, Call-ID and CSeq, and a Contact where its method needs one. A challenge is
        answered with `credentials`, under the next CSeq number.

        Raises:
            LocalProtocolError: the method belongs to sessions, or a header is missing.
        """
        return out_of_dialog.send(self._table, request, flow, now, credentials)

    # --- over a restart ---------------------------------------------------------------------

    def record(self, session: SessionId) -> SessionRecord | None:
        """What another process needs to go on with a session; None when it is over."""
        found = self._table.by_id.get(session)
        return None if found is None else session_record.record_of(found)

    def session(self, session: SessionId) -> Session | None:
        """A session to look at (see `session_facts`); None when it is over."""
        return self._table.by_id.get(session)

    def invite_octets(self, session: SessionId) -> bytes | None:
        """The INVITE of a session, which goes with its record until the session is confirmed."""
        found = self._table.by_id.get(session)
        if found is None:
            return None
        sent = self._endpoint.sent(found.transaction) if found.is_caller else b""
        return sent or serialize(found.invite)

    def restore(
        self,
        record: SessionRecord,
        invite: bytes | None,
        answer: bytes,
        now: float,
        *,
        may_lack_ack: bool,
        credentials: ClientCredentials | None = None,
    ) -> None:
        """Go on with a session of an earlier process (see `session_record.restore`).

        `credentials` are those of `invite`: no record keeps a password.

        Raises:
            ValueError: the record is of no use.
        """
        session = session_record.restore(
            self._table, record, invite, answer, now, may_lack_ack=may_lack_ack
        )
        if credentials is not None:
            session.prover = self._table.prover(credentials, session.flow)
            client = self._table.clients.get(session.transaction)
            if session.is_caller and client is not None:  # its INVITE may be challenged yet
                session.attempt = client.provable = Provable(session.invite, session.prover)

    # --- inner workings ---------------------------------------------------------------------

    def _make_invite(
        self,
        request_uri: str,
        flow: Flow,
        from_: NameAddr,
        to: NameAddr,
        headers: ExtraHeaders,
        offer: bytes,
    ) -> Request:
        own = {
            "From": str(from_),
            "To": str(to),
            "Call-ID": self._table.new_token(),
            "CSeq": "1 INVITE",
        }
        try:
            Uri.parse(request_uri)
            request = Request("INVITE", request_uri, Headers.of_named(own))
            return self._table.complete(request, flow, headers, offer)
        except ValueError as error:
            raise LocalProtocolError(f"cannot invite {request_uri[:80]!r}: {error}") from error

    def _receive(self, event: EndpointEvent, now: float) -> None:
        table = self._table
        match event:
            case RequestReceived():
                receive_request(table, event, now)
            case AckReceived():
                receive_ack(table, event, now)
            case CancelReceived():
                receive_cancel(table, event, now)
            case ResponseReceived():
                receive_response(table, event, now)
            case TransactionTimedOut() | TransportFailed():
                receive_silence(table, event, now)

    def _step(self, session: SessionId, given: usage.Input, cause: Cause) -> None:
        found = self._table.by_id.get(session)
        if found is not None:
            usage_steps.step(self._table, found, given, cause)

    def _renegotiate(self, session: SessionId, given: renegotiation.Input, cause: Cause) -> None:
        found = self._table.by_id.get(session)
        if found is not None:
            renegotiation_steps.step(self._table, found, given, cause)
