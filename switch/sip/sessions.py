"""All sessions of a user agent, their deadlines, and how their messages get out."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from switch.sip.bodies import SDP
from switch.sip.client_digest import ClientCredentials, Provable, Prover, credentials_in
from switch.sip.deadlines import Deadlines
from switch.sip.dialog import Dialog
from switch.sip.endpoint import Endpoint
from switch.sip.events import ReferId, SessionChanged, SessionEvent, SessionId, TransactionId
from switch.sip.flow import Flow
from switch.sip.message import Request, Response
from switch.sip.refers import Referral, Referring
from switch.sip.secured import contact_for
from switch.sip.session import Alarm, ExtraHeaders, PendingSuccess, Session, pairs
from switch.sip.user_agent_settings import UserAgentSettings
from switch.sip.way_back import without_connection
from switch.sip.writing import make_response

if TYPE_CHECKING:
    from switch.sip.out_of_dialog import Asked

Owner = Session | TransactionId | Referral | Referring
"""What has deadlines."""
_MAX_PROVERS: Final = 1_000
"""Peers whose nonces are remembered; of others each request is challenged anew."""


class Purpose(StrEnum):
    """Why a client transaction of a session was started."""

    INVITE = "INVITE"
    REINVITE = "re-INVITE"
    PRACK = "PRACK"
    UPDATE = "UPDATE"
    """With an offer."""
    REFRESH = "UPDATE without an offer"
    INFO = "INFO"
    REFER = "REFER"
    NOTIFY = "NOTIFY"
    BYE = "BYE"
    FORK_BYE = "BYE to a fork"


_OF_SESSIONS = (*(Alarm.LIMIT, Alarm.REFRESH, Alarm.RETRANSMIT, Alarm.NO_ACK, Alarm.RETRY),)
"""Those of session timers and of reliable responses are stopped by their tables."""


class Client(Struct, eq=False):
    """A request of a session that has no final answer."""

    session: Session
    purpose: Purpose
    dialog: Dialog | None = None
    """None: the INVITE."""
    provable: Provable | None = None
    """It may be challenged, and is tried again."""
    refer: Referral | Referring | None = None
    """Of a NOTIFY or REFER."""


class SessionTable:
    """What the steps work on. `jitter` gives numbers from 0 to below 1."""

    __slots__ = (
        "_allow",
        "_contact",
        "_provers",
        "_supported",
        "alarms",
        "asked",
        "by_dialog",
        "by_id",
        "clients",
        "endpoint",
        "events",
        "jitter",
        "new_token",
        "referrals",
        "referrings",
        "server_invites",
        "settings",
        "takes_calls",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        settings: UserAgentSettings,
        new_token: Callable[[], str],
        contact: Callable[[Flow], str],
        jitter: Callable[[], float],
    ) -> None:
        self.endpoint = endpoint
        self.settings = settings
        self.new_token = new_token
        self.jitter = jitter
        self.takes_calls: Callable[[], bool] = lambda: True
        """Whether there is any use in calling us; asked when OPTIONS comes outside of a dialog."""
        self._contact = contact
        self._allow = ", ".join(settings.allow)
        self._supported = ", ".join(settings.supported)
        self.events: deque[SessionEvent] = deque()
        self.by_id: dict[SessionId, Session] = {}
        self.by_dialog: dict[tuple[str, str], Session] = {}
        """By Call-ID and our tag."""
        self.server_invites: dict[TransactionId, Session] = {}
        """INVITEs and re-INVITEs of peers that have no final response: they can be cancelled."""
        self.clients: dict[TransactionId, Client] = {}
        self.referrals: dict[ReferId, Referral] = {}
        """REFERs of peers that are not over."""
        self.referrings: dict[tuple[str, str], list[Referring]] = {}
        """REFERs of ours that are not over, by the dialog they were sent in."""
        self.asked: dict[TransactionId, Asked] = {}
        """Requests of ours outside of sessions that are not answered."""
        self._provers: OrderedDict[tuple[str, str | None, tuple[str, int]], Prover] = OrderedDict()
        self.alarms: Deadlines[tuple[Owner, Alarm]] = Deadlines()
        """All in one heap: it is looked at in every turn."""

    # --- sessions ---------------------------------------------------------------------------

    def add(self, session: Session) -> None:
        self.by_id[session.id] = session
        self.by_dialog[session.dialog_key] = session

    def silence(self, session: Session) -> None:
        """The session is over: no deadline and no CANCEL concerns it any more."""
        self.server_invites.pop(session.transaction, None)
        for alarm in _OF_SESSIONS:
            self.alarms.cancel((session, alarm))

    def forget(self, session: Session) -> None:
        """The session is terminated; what its transactions still bring is answered without it."""
        self.by_id.pop(session.id, None)
        self.by_dialog.pop(session.dialog_key, None)

    def changed(self, session: Session) -> None:
        """What is on record of the session is not true any more, and no other event says so."""
        if session.id in self.by_id:
            self.events.append(SessionChanged(session=session.id))

    def start(self, session: Session, alarm: Alarm, when: float) -> None:
        self.alarms.set((session, alarm), when)

    def stop(self, session: Session, alarm: Alarm) -> None:
        self.alarms.cancel((session, alarm))

    # --- requests ---------------------------------------------------------------------------

    def prover(self, credentials: ClientCredentials, flow: Flow) -> Prover:
        """What proves these credentials to the peer at the end of `flow`."""
        key = credentials.username, credentials.realm, flow.remote
        found = self._provers.pop(key, None)
        if found is None or found.credentials != credentials:
            found = Prover(credentials, self.new_token)
        self._provers[key] = found
        if len(self._provers) > _MAX_PROVERS:
            self._provers.popitem(last=False)
        return found

    def complete(
        self, request: Request, flow: Flow, headers: ExtraHeaders, body: bytes | None
    ) -> Request:
        """Add what every INVITE of ours carries."""
        own = request.headers
        own.put("Allow", self._allow)
        own.put("Supported", self._supported)
        if self.settings.user_agent:
            own.put("User-Agent", self.settings.user_agent)
        for name, value in pairs(headers):
            own.set(name, value)
        own.put("Contact", f"<{contact_for(request, flow, self._contact(flow))}>")
        if body:
            own.put("Content-Type", SDP)
            request.body = body
        return request

    def send(
        self,
        session: Session,
        dialog: Dialog,
        request: Request,
        purpose: Purpose,
        now: float,
        refer: Referral | Referring | None = None,
    ) -> Client:
        """Send a request within a dialog."""
        client = Client(session, purpose, dialog, None, refer)
        if session.prover is not None:
            session.prover.prove(request)
            client.provable = Provable(request, session.prover)
        self.start_client(client, request, self.way(session, dialog), now)
        return client

    def way(self, session: Session, dialog: Dialog) -> Flow:
        """The way to the peer; where its connection is gone, one by which it can be connected to."""
        flow = dialog.flow
        if not self.endpoint.lives(flow):
            is_ours = session.connects(dialog)
            dialog.flow = without_connection(flow, dialog.target, dialog.routes, is_ours=is_ours)
        return dialog.flow

    def start_client(self, client: Client, request: Request, flow: Flow, now: float) -> None:
        """Send a request that is complete."""
        transaction = self.endpoint.send_request(request, flow, now)
        self.clients[transaction] = client
        if client.purpose in (Purpose.INVITE, Purpose.REINVITE):
            client.session.proofs = credentials_in(request)
        if client.dialog is None:
            client.session.transaction = transaction
        if client.purpose is Purpose.REINVITE:
            self.alarms.set((transaction, Alarm.UNANSWERED), now + self.settings.invite_limit_s)

    def send_ack(
        self, session: Session, dialog: Dialog, response: Response, answer: bytes | None = None
    ) -> None:
        """Acknowledge a 2xx and keep the ACK for its retransmissions."""
        seq = response.cseq.seq
        ack = dialog.request("ACK", seq)
        for name, value in session.proofs:
            ack.headers.add(name, value)
        if answer:
            ack.headers.put("Content-Type", SDP)
            ack.body = answer
        session.acks[seq, response.to.tag] = ack
        self.endpoint.send_ack(ack, self.way(session, dialog))

    def send_bye(
        self,
        session: Session,
        dialog: Dialog,
        now: float,
        headers: ExtraHeaders = (),
        purpose: Purpose = Purpose.BYE,
    ) -> None:
        bye = dialog.request("BYE")
        for name, value in pairs(headers):
            bye.headers.set(name, value)
        self.send(session, dialog, bye, purpose, now)

    # --- responses --------------------------------------------------------------------------

    def respond(
        self,
        transaction: TransactionId,
        request: Request,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: ExtraHeaders = (),
        to_tag: str | None = None,
    ) -> None:
        """Answer a request without a body."""
        response = make_response(
            request, status, reason, to_tag=to_tag or self.new_token(), headers=pairs(headers)
        )
        self.send_response(transaction, response, now)

    def send_response(self, transaction: TransactionId, response: Response, now: float) -> None:
        if self.settings.user_agent and response.status >= 200:
            response.headers.put("Server", self.settings.user_agent)
        self.endpoint.respond(transaction, response, now)

    def dialog_response(
        self,
        session: Session,
        request: Request,
        status: int,
        headers: ExtraHeaders,
        body: bytes | None,
    ) -> Response:
        """A 1xx or 2xx that makes or refreshes the dialog (RFC 3261 section 12.1.1)."""
        flow = session.dialog.flow if session.dialog else session.flow
        response = make_response(request, status, to_tag=session.local_tag, headers=pairs(headers))
        own = response.headers
        for route in request.headers.values_of("Record-Route") or ():
            own.add("Record-Route", route)
        own.put("Contact", f"<{contact_for(request, flow, self._contact(flow))}>")
        if status >= 200:
            own.put("Allow", self._allow)
            own.put("Supported", self._supported)
        if body:
            own.put("Content-Type", SDP)
            response.body = body
        return response

    def send_success(
        self,
        session: Session,
        transaction: TransactionId,
        response: Response,
        now: float,
        *,
        has_offer: bool,
    ) -> None:
        """Send a 2xx to an INVITE and repeat it until `stop_success`."""
        timers = self.settings.timers
        session.success = PendingSuccess(transaction, response, has_offer, timers.t1_s)
        self.server_invites.pop(transaction, None)
        self.send_response(transaction, response, now)
        self.start(session, Alarm.RETRANSMIT, now + timers.t1_s)
        self.start(session, Alarm.NO_ACK, now + 64 * timers.t1_s)

    def resend_success(self, session: Session, now: float) -> None:
        success = session.success
        if success is None:
            return
        self.endpoint.respond(success.transaction, success.response, now)
        success.interval_s = min(2 * success.interval_s, self.settings.timers.t2_s)
        self.start(session, Alarm.RETRANSMIT, now + success.interval_s)

    def stop_success(self, session: Session, now: float) -> None:
        if session.success is not None:
            self.endpoint.acknowledged(session.success.transaction, now)
        session.success = None
        self.stop(session, Alarm.RETRANSMIT)
        self.stop(session, Alarm.NO_ACK)

    def refuse_later(self, transaction: TransactionId, request: Request, now: float) -> None:
        """500 with a Retry-After of 0 to 10 seconds (section 14.2)."""
        pause = str(int(self.jitter() * 11))
        self.respond(transaction, request, 500, now, headers=[("Retry-After", pause)])
