"""What the endpoint (transactions) and the user agent (sessions) report.

Two levels, two unions: `EndpointEvent` speaks of transactions and is consumed by the user agent
alone; `SessionEvent` speaks of sessions and is what `switch.calls` and `switch.registrar` see.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

from msgspec import Struct

from switch.sip.flow import Flow
from switch.sip.message import Request, Response
from switch.sip.reason import Reason
from switch.sip.replaces import Replaces
from switch.sip.uri import NameAddr

TransactionId = NewType("TransactionId", str)
SessionId = NewType("SessionId", str)
"""One INVITE dialog usage, from the first INVITE to its end."""
ReferId = NewType("ReferId", str)
"""One REFER, received or sent."""


# --- transactions -------------------------------------------------------------------------------


class RequestReceived(Struct, frozen=True, kw_only=True):
    """A new request other than ACK and CANCEL; it must be answered with `Endpoint.respond`."""

    transaction: TransactionId
    request: Request
    flow: Flow


class CancelReceived(Struct, frozen=True, kw_only=True):
    """The peer cancelled an INVITE that we have not answered. The CANCEL is answered already."""

    transaction: TransactionId
    """Of the INVITE."""
    request: Request


class AckReceived(Struct, frozen=True, kw_only=True):
    """The ACK to a 2xx; it belongs to a dialog, not to a transaction."""

    request: Request
    flow: Flow


class ResponseReceived(Struct, frozen=True, kw_only=True):
    """A response to a request of ours; a retransmitted 2xx to an INVITE comes again (RFC 6026)."""

    transaction: TransactionId
    response: Response
    flow: Flow


class TransactionTimedOut(Struct, frozen=True, kw_only=True):
    """No final answer in time (Timer B or F: treat as 408), or no ACK (Timer H)."""

    transaction: TransactionId
    timer: str


class TransportFailed(Struct, frozen=True, kw_only=True):
    """The message could not be sent (treat as 503)."""

    transaction: TransactionId
    reason: str


EndpointEvent = (
    RequestReceived
    | CancelReceived
    | AckReceived
    | ResponseReceived
    | TransactionTimedOut
    | TransportFailed
)


# --- sessions -----------------------------------------------------------------------------------


class EndedBy(StrEnum):
    """Who or what ended a session that had not failed before."""

    LOCAL = "local"
    REMOTE_BYE = "remote-bye"
    CANCELLED = "cancelled"
    """The caller gave up before the answer."""
    NO_ACK = "no-ack"
    """The 2xx was never acknowledged."""
    TIMEOUT = "timeout"
    """A request within the dialog was not answered (408, 481)."""
    TRANSPORT = "transport"


class Invited(Struct, frozen=True, kw_only=True):
    """A peer invites us. 100 is sent; answer with ring, answer, reject or end."""

    session: SessionId
    request: Request
    flow: Flow
    offer: bytes | None
    """SDP; None: the peer wants our offer in the 2xx (delayed offer)."""
    replaces: Replaces | None = None
    """The session that this one is to replace: it stands, as `UserAgent.find_session` tells. Whoever
    accepts the invitation ends that one; who may do so is for the layers above to judge."""


class Progress(Struct, frozen=True, kw_only=True):
    """A provisional response (101-199) to our INVITE."""

    session: SessionId
    status: int
    body: bytes | None
    """SDP of early media, if any."""


class EarlyAnswered(Struct, frozen=True, kw_only=True):
    """The peer answered the offer that stood in our reliable provisional response.

    The 2xx that follows carries no SDP then, and neither does its ACK.
    """

    session: SessionId
    answer: bytes


class Answered(Struct, frozen=True, kw_only=True):
    """Our INVITE was answered with 2xx; the ACK is sent."""

    session: SessionId
    answer: bytes
    response: Response
    is_settled: bool = False
    """The same callee answered our offer by a reliable response: there may have been more offers since."""


class Confirmed(Struct, frozen=True, kw_only=True):
    """Our 2xx was acknowledged. `body` is the answer when the offer stood in the 2xx."""

    session: SessionId
    body: bytes | None


class Failed(Struct, frozen=True, kw_only=True):
    """Our INVITE got a final non-2xx answer, timed out (408) or could not be sent (503)."""

    session: SessionId
    status: int
    reason: str
    response: Response | None
    """None when nothing came."""


class ReofferReceived(Struct, frozen=True, kw_only=True):
    """A re-INVITE or UPDATE. Answer with accept_reoffer or refuse_reoffer."""

    session: SessionId
    offer: bytes | None


class ReofferAnswered(Struct, frozen=True, kw_only=True):
    """Our re-INVITE was accepted."""

    session: SessionId
    answer: bytes


class ReofferFailed(Struct, frozen=True, kw_only=True):
    """Our re-INVITE was refused; the session goes on as before. 491 was retried before this."""

    session: SessionId
    status: int


class Ended(Struct, frozen=True, kw_only=True):
    """The session is over; its id will not be seen again."""

    session: SessionId
    by: EndedBy
    detail: str = ""
    reasons: tuple[Reason, ...] = ()
    """Of the peer's BYE or CANCEL (RFC 3326)."""


class DigitInfo(Struct, frozen=True, kw_only=True):
    """The peer sent a digit by INFO."""

    session: SessionId
    digit: str
    """0-9, *, #, A-D."""
    duration_ms: int


class SessionChanged(Struct, frozen=True, kw_only=True):
    """What `UserAgent.record` tells of the session is another by now; nothing else happened."""

    session: SessionId
    invite: bool = False
    """Its INVITE as well: it was sent again, with credentials or another interval."""


class RefreshDue(Struct, frozen=True, kw_only=True):
    """The session must be refreshed by a re-INVITE: call `reoffer` with the sound as it is (RFC 4028).

    That is so where the peer does not take UPDATE. Without an answer the session ends in time.
    """

    session: SessionId


class Referred(Struct, frozen=True, kw_only=True):
    """The peer asks us to call somebody (RFC 3515): `accept_refer` or `refuse_refer`."""

    session: SessionId
    refer: ReferId
    refer_to: NameAddr
    """Whom to call; headers in its URI are for the INVITE."""
    replaces: Replaces | None
    """Out of `refer_to`: attended transfer, to one whom the peer talks to already."""
    referred_by: NameAddr | None
    """Who says that he refers (RFC 3892); not proved."""
    wants_news: bool
    """`notify_refer` is of use; it does no harm otherwise (RFC 4488)."""
    request: Request


class ReferProgress(Struct, frozen=True, kw_only=True):
    """How the peer fares with whom we referred it to."""

    session: SessionId
    refer: ReferId
    status: int
    """Of the INVITE that it sent; 202: it will tell; 300-699 also where it refused to be referred."""
    reason: str
    is_over: bool
    """Nothing more will be heard of this one."""


class OutOfDialogRequest(Struct, frozen=True, kw_only=True):
    """A REGISTER, SUBSCRIBE, NOTIFY, MESSAGE or PUBLISH that belongs to no session.

    It may belong to a dialog of another kind. Answer it with `UserAgent.respond`.
    """

    transaction: TransactionId
    request: Request
    flow: Flow


class RequestAnswered(Struct, frozen=True, kw_only=True):
    """What became of a request of `UserAgent.send_request`; comes exactly once for each."""

    transaction: TransactionId
    """The id that `send_request` returned, however often the request was tried."""
    status: int
    """Final. 408: nothing came; 503: it could not be sent."""
    reason: str
    response: Response | None
    """None where nothing came."""
    seq: int
    """The CSeq number that was used last: in a dialog the next request has a higher one."""


SessionEvent = (
    Invited
    | Progress
    | EarlyAnswered
    | Answered
    | Confirmed
    | Failed
    | ReofferReceived
    | ReofferAnswered
    | ReofferFailed
    | Ended
    | DigitInfo
    | SessionChanged
    | RefreshDue
    | Referred
    | ReferProgress
    | OutOfDialogRequest
    | RequestAnswered
)
