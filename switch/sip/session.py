"""One session as the user agent keeps it: the facts beside the two machines' states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from switch.errors import LocalProtocolError
from switch.sip import reliability, renegotiation, session_timer, usage
from switch.sip.client_digest import Provable, Prover
from switch.sip.dialog import Dialog
from switch.sip.events import EndedBy, SessionId, TransactionId
from switch.sip.flow import Flow
from switch.sip.message import Request, Response
from switch.sip.reason import Reason

ExtraHeaders = Mapping[str, str] | Sequence[tuple[str, str]]
"""Headers of the caller's own; pairs where a name comes twice (challenges)."""


class Alarm(StrEnum):
    """What a session, or a transaction of one, has deadlines for."""

    LIMIT = "limit"
    REFRESH = "ringing again"
    RETRANSMIT = "2xx again"
    NO_ACK = "no ACK"
    RETRY = "re-INVITE again"
    RING_AGAIN = "1xx again"
    NO_PRACK = "no PRACK"
    SESSION = "refresh the session"
    EXPIRY = "not refreshed"
    REFER = "REFER expired"
    """Of a REFER."""
    LINGER = "no more 2xx"
    """Of a transaction: an INVITE of ours got a 2xx, more of them may come (forks, retransmissions)."""
    UNANSWERED = "re-INVITE unanswered"
    """Of a transaction: RFC 3261 sets no timer once a provisional response came, so a peer that stops
    there would keep our re-INVITE for ever."""


class PendingSuccess(Struct):
    """A 2xx of ours that is sent again until its ACK comes (RFC 3261 section 13.3.1.4)."""

    transaction: TransactionId
    response: Response
    has_offer: bool
    """The ACK must carry the answer."""
    interval_s: float
    may_be_acked: bool = False
    """An earlier process sent it, and may have had its ACK, or was gone when that came."""

    @property
    def seq(self) -> int:
        return self.response.cseq.seq


class PeerOffer(Struct):
    """A re-INVITE or UPDATE of the peer that waits for our final response."""

    transaction: TransactionId
    request: Request
    has_offer: bool


class Early(Struct, eq=False):
    """An early dialog of an INVITE of ours: one callee that rings."""

    response: Response
    """The first provisional one."""
    answer: bytes | None = None
    """The first SDP: some peers leave it out of the 2xx."""
    dialog: Dialog | None = None
    """Once a request within it went out or came in."""
    rseq: int = 0
    """Of the last reliable response taken; 0: none was."""
    reliable: int = 0
    """How many were taken."""


class Session(Struct, eq=False):
    """One INVITE usage. Mutable, compared by identity; changed by the steps only."""

    id: SessionId
    is_caller: bool
    """True when we sent the INVITE; then we own the Call-ID."""
    invite: Request
    transaction: TransactionId
    """Of the INVITE."""
    local_tag: str
    flow: Flow
    """The INVITE's; the dialog has its own once there is one."""
    state: usage.State
    offer_state: renegotiation.State = renegotiation.State.STABLE
    dialog: Dialog | None = None
    """UAS: from the INVITE on. UAC: from the 2xx on."""
    provisional: Response | None = None
    """The last one we sent."""
    reliability: reliability.State = reliability.State.IDLE
    rseq: int = 0
    """Of the last reliable provisional response that we sent."""
    unacknowledged: int = 0
    """Its number until its PRACK comes, then 0."""
    reliable: Response | None = None
    """It, while it is sent again and again."""
    reliable_interval_s: float = 0.0
    queued: Response | None = None
    """To be sent reliably next."""
    held: Cause | None = None
    """The 2xx that waits for a PRACK."""
    is_settled: bool = False
    """The first offer is answered for good, though the INVITE is not: by reliable responses."""
    early_dialog: Dialog | None = None
    """UAC: the early dialog in which it was."""
    early: dict[str | None, Early] = field(default_factory=dict)
    """UAC: what provisional responses began, by To tag."""
    success: PendingSuccess | None = None
    acks: dict[tuple[int, str | None], Request] = field(default_factory=dict)
    """ACKs by CSeq number and To tag, for retransmitted 2xx."""
    offered: Response | None = None
    """UAC: the 2xx whose offer our ACK is to answer."""
    peer_offer: PeerOffer | None = None
    offer: bytes = b""
    """Of our re-INVITE under way."""
    offer_otherwise: Callable[[], bytes | None] | None = None
    """Gives another offer for our INVITE when the first is refused; None: there is none."""
    glare_retries: int = 0
    prover: Prover | None = None
    """Answers challenges to our requests; None: they are final."""
    attempt: Provable | None = None
    """Our INVITE, where it may be challenged."""
    proofs: tuple[tuple[str, str], ...] = ()
    """The credentials of our latest INVITE or re-INVITE: its ACK has the same (RFC 3261 section 13.2.2.4)."""
    timer: session_timer.State = session_timer.State.OFF
    interval_s: int = 0
    """Agreed upon; 0: nothing yet."""
    min_se: int = 0
    """The least interval that the peer, or a proxy, has told us to ask for."""
    raises: int = 0
    """How often it did since the last 2xx."""
    has_agreed: bool = True
    """The peer knows session timers; if not, the interval is ours alone, and binds nobody."""
    takes_update: bool = False
    """The peer's Allow says so, and it has not refused one since."""
    was_referred: bool = False
    """A REFER came: the news of later ones bear an id."""
    kept: tuple[tuple[object, ...], object] | None = None
    """The dialog as it was last put on record, behind what it was made of (`session_record`)."""

    def need_dialog(self) -> Dialog:
        """The dialog, in steps that cannot come before it."""
        if self.dialog is None:
            raise LocalProtocolError("this step needs a dialog")
        return self.dialog

    def current_dialog(self) -> Dialog:
        """The dialog, or the early one whose offer is settled, in steps that need one of them."""
        found = self.dialog or self.early_dialog
        if found is None:
            raise LocalProtocolError("this step needs a dialog, which may be early")
        return found

    def connects(self, dialog: Dialog) -> bool:
        """Whether the dialog's way was a flow without a connection when we began to use it.

        What comes back on the connection that was made for our INVITE has the number of it.
        """
        first, flow = self.flow, dialog.flow
        return not flow.connection or (
            self.is_caller
            and not first.connection
            and (first.transport, first.remote) == (flow.transport, flow.remote)
        )

    @property
    def dialog_key(self) -> tuple[str, str]:
        return self.invite.call_id, self.local_tag


class Cause(Struct, kw_only=True):
    """What came with an input: the actions take from it what they need."""

    now: float
    request: Request | None = None
    transaction: TransactionId | None = None
    """Of `request`."""
    response: Response | None = None
    status: int = 0
    reason: str | None = None
    headers: ExtraHeaders = ()
    body: bytes | None = None
    """SDP."""
    by: EndedBy = EndedBy.LOCAL
    detail: str = ""
    reasons: tuple[Reason, ...] = ()

    def need_request(self) -> Request:
        """The request, in steps that a request of the peer makes."""
        if self.request is None:
            raise LocalProtocolError("this step needs a request")
        return self.request

    def need_response(self) -> Response:
        """The response, in steps that a response of the peer makes."""
        if self.response is None:
            raise LocalProtocolError("this step needs a response")
        return self.response


def pairs(headers: ExtraHeaders) -> list[tuple[str, str]]:
    """Extra headers in the form that messages take."""
    if not headers:
        return []
    return list(headers.items() if isinstance(headers, Mapping) else headers)
