"""The life of a session: the INVITE usage of a dialog as a table (RFC 3261 sections 13 and 15).

House rules as in `machine.py`. The session is reported over (`REPORT_ENDED`, `REPORT_FAILED`) as soon
as nobody can bring it back; what the protocol still owes the peer is done in Cancelling and Leaving.
Later offers have a machine of their own, `renegotiation.py`: `NEGOTIATE` hands over to it.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where the INVITE and its dialog stand."""

    CALLING = "Calling"
    """UAC: no response yet."""
    PROCEEDING = "Proceeding"
    """UAC: provisional responses came."""
    CANCELLING = "Cancelling"
    """UAC: given up; the final response is awaited."""
    INVITED = "Invited"
    """UAS: no final response yet."""
    ACCEPTED = "Accepted"
    """UAS: the 2xx is retransmitted until its ACK comes."""
    LEAVING = "Leaving"
    """UAS: given up after the 2xx; a BYE may not go out before the ACK (section 15)."""
    CONFIRMED = "Confirmed"
    MORTAL = "Mortal"
    """Our BYE is out, its response awaited; the peer's may cross it (RFC 5407 section 2)."""
    TERMINATED = "Terminated"


REPORTED_OVER = frozenset({State.CANCELLING, State.LEAVING, State.MORTAL, State.TERMINATED})
"""Where the layers above know already that the session is over: they hear nothing more of it."""


class Input(StrEnum):
    """What can happen: from the peer, from above, from the clock."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    SUCCESS_WITHOUT_ANSWER = "2xx without SDP"
    SUCCESS_WITH_OFFER = "2xx with an offer"
    """Our INVITE carried none: the ACK has to wait for our answer."""
    FAILURE = "300-699"
    """Also a time-out (408) and a transport error (503)."""
    AGAIN = "401, 407, 422, 488 that can be met"
    """The INVITE is tried again; for the layers above nothing has happened."""
    ACK = "ACK"
    ACK_WITHOUT_ANSWER = "ACK without SDP"
    """Our 2xx carried the offer."""
    CANCEL = "CANCEL"
    BYE = "BYE"
    OFFER = "re-INVITE or UPDATE"
    CROSSING_OFFER = "UPDATE with an offer, ours in a 1xx being open"
    EARLY_OFFER = "UPDATE or PRACK with an offer, the first one being answered"
    BYE_DONE = "BYE answered"
    """Or timed out, or not sent."""
    LOST = "408 or 481 in the dialog"
    """Also a transport error."""
    RING = "ring"
    ANSWER = "answer"
    REJECT = "reject"
    END = "end"
    REFRESH = "Timer: ringing again"
    LIMIT = "Timer: limit"
    RETRANSMIT = "Timer: 2xx again"
    NO_ACK = "Timer: no ACK"
    EXPIRED = "Timer: not refreshed"
    """Of the session timer, which has a table of its own."""


class Action(StrEnum):
    """What a step makes the user agent do."""

    SEND_INVITE = "send INVITE again"
    SEND_ACK = "send ACK"
    KEEP_OFFER = "keep the offer"
    """`UserAgent.acknowledge` answers it."""
    SEND_BYE = "send BYE"
    SEND_CANCEL = "send CANCEL"
    SEND_PROVISIONAL = "send 1xx"
    RESEND_PROVISIONAL = "send 1xx again"
    SEND_SUCCESS = "send 2xx"
    RESEND_SUCCESS = "send 2xx again"
    SEND_FAILURE = "send 300-699"
    SEND_UNAVAILABLE = "send 480"
    SEND_TERMINATED = "send 487"
    STOP_SUCCESS = "stop 2xx"
    STOP_LIMIT = "stop limit"
    LIMIT_DURATION = "start duration limit"
    ACCEPT_BYE = "200 to BYE"
    REFUSE_OFFER_LATER = "500 to offer"
    """With Retry-After (section 14.2)."""
    REFUSE_OFFER_PENDING = "491 to offer"
    REFUSE_GONE = "481 to request"
    NEGOTIATE = "negotiate"
    REPORT_PROGRESS = "report Progress"
    REPORT_ANSWERED = "report Answered"
    REPORT_CONFIRMED = "report Confirmed"
    REPORT_FAILED = "report Failed"
    REPORT_ENDED = "report Ended"


S, G, A = State, Input, Action  # G: what is given

_CALLING_OR_PROCEEDING: dict[Input, tuple[State, tuple[Action, ...]]] = {
    G.PROVISIONAL: (S.PROCEEDING, (A.REPORT_PROGRESS,)),
    G.SUCCESS: (S.CONFIRMED, (A.STOP_LIMIT, A.SEND_ACK, A.LIMIT_DURATION, A.REPORT_ANSWERED)),
    G.SUCCESS_WITHOUT_ANSWER: (
        S.MORTAL,
        (A.STOP_LIMIT, A.SEND_ACK, A.SEND_BYE, A.REPORT_FAILED),
    ),
    G.SUCCESS_WITH_OFFER: (
        S.CONFIRMED,
        (A.STOP_LIMIT, A.KEEP_OFFER, A.LIMIT_DURATION, A.REPORT_ANSWERED),
    ),
    G.FAILURE: (S.TERMINATED, (A.STOP_LIMIT, A.REPORT_FAILED)),
    G.AGAIN: (S.CALLING, (A.SEND_INVITE,)),
    G.END: (S.CANCELLING, (A.STOP_LIMIT, A.SEND_CANCEL, A.REPORT_ENDED)),
    G.LIMIT: (S.CANCELLING, (A.SEND_CANCEL, A.REPORT_FAILED)),
    # Callees may not send BYE before the 2xx (section 15); its 2xx was overtaken, or it is confused.
    G.BYE: (S.CANCELLING, (A.STOP_LIMIT, A.ACCEPT_BYE, A.SEND_CANCEL, A.REPORT_ENDED)),
    G.OFFER: (S.PROCEEDING, (A.REFUSE_OFFER_PENDING,)),
}

TRANSITIONS: dict[tuple[State, Input], tuple[State, tuple[Action, ...]]] = {
    **{(S.CALLING, given): step for given, step in _CALLING_OR_PROCEEDING.items()},
    **{(S.PROCEEDING, given): step for given, step in _CALLING_OR_PROCEEDING.items()},
    (S.PROCEEDING, G.EARLY_OFFER): (S.PROCEEDING, (A.NEGOTIATE,)),
    (S.INVITED, G.EARLY_OFFER): (S.INVITED, (A.NEGOTIATE,)),
    (S.CALLING, G.OFFER): (S.CALLING, (A.REFUSE_OFFER_PENDING,)),
    # The 2xx crossed our CANCEL (section 15): accept it, then leave.
    (S.CANCELLING, G.SUCCESS): (S.MORTAL, (A.SEND_ACK, A.SEND_BYE)),
    (S.CANCELLING, G.SUCCESS_WITHOUT_ANSWER): (S.MORTAL, (A.SEND_ACK, A.SEND_BYE)),
    (S.CANCELLING, G.SUCCESS_WITH_OFFER): (S.MORTAL, (A.SEND_ACK, A.SEND_BYE)),
    (S.CANCELLING, G.FAILURE): (S.TERMINATED, ()),
    (S.CANCELLING, G.BYE): (S.CANCELLING, (A.ACCEPT_BYE,)),
    (S.CANCELLING, G.OFFER): (S.CANCELLING, (A.REFUSE_GONE,)),
    (S.INVITED, G.RING): (S.INVITED, (A.SEND_PROVISIONAL,)),
    (S.INVITED, G.REFRESH): (S.INVITED, (A.RESEND_PROVISIONAL,)),
    (S.INVITED, G.ANSWER): (S.ACCEPTED, (A.STOP_LIMIT, A.SEND_SUCCESS)),
    (S.INVITED, G.REJECT): (S.TERMINATED, (A.STOP_LIMIT, A.SEND_FAILURE, A.REPORT_ENDED)),
    (S.INVITED, G.END): (S.TERMINATED, (A.STOP_LIMIT, A.SEND_UNAVAILABLE, A.REPORT_ENDED)),
    (S.INVITED, G.CANCEL): (S.TERMINATED, (A.STOP_LIMIT, A.SEND_TERMINATED, A.REPORT_ENDED)),
    (S.INVITED, G.BYE): (
        S.TERMINATED,
        (A.STOP_LIMIT, A.ACCEPT_BYE, A.SEND_TERMINATED, A.REPORT_ENDED),
    ),
    (S.INVITED, G.LIMIT): (S.TERMINATED, (A.SEND_TERMINATED, A.REPORT_ENDED)),
    (S.INVITED, G.OFFER): (S.INVITED, (A.REFUSE_OFFER_LATER,)),
    (S.INVITED, G.CROSSING_OFFER): (S.INVITED, (A.REFUSE_OFFER_PENDING,)),
    (S.ACCEPTED, G.ACK): (S.CONFIRMED, (A.STOP_SUCCESS, A.LIMIT_DURATION, A.REPORT_CONFIRMED)),
    (S.ACCEPTED, G.ACK_WITHOUT_ANSWER): (
        S.MORTAL,
        (A.STOP_SUCCESS, A.SEND_BYE, A.REPORT_ENDED),
    ),
    (S.ACCEPTED, G.RETRANSMIT): (S.ACCEPTED, (A.RESEND_SUCCESS,)),
    (S.ACCEPTED, G.NO_ACK): (S.MORTAL, (A.STOP_SUCCESS, A.SEND_BYE, A.REPORT_ENDED)),
    (S.ACCEPTED, G.BYE): (S.TERMINATED, (A.STOP_SUCCESS, A.ACCEPT_BYE, A.REPORT_ENDED)),
    (S.ACCEPTED, G.END): (S.LEAVING, (A.REPORT_ENDED,)),
    (S.ACCEPTED, G.OFFER): (S.ACCEPTED, (A.REFUSE_OFFER_PENDING,)),
    (S.LEAVING, G.ACK): (S.MORTAL, (A.STOP_SUCCESS, A.SEND_BYE)),
    (S.LEAVING, G.ACK_WITHOUT_ANSWER): (S.MORTAL, (A.STOP_SUCCESS, A.SEND_BYE)),
    (S.LEAVING, G.RETRANSMIT): (S.LEAVING, (A.RESEND_SUCCESS,)),
    (S.LEAVING, G.NO_ACK): (S.MORTAL, (A.STOP_SUCCESS, A.SEND_BYE)),
    (S.LEAVING, G.BYE): (S.TERMINATED, (A.STOP_SUCCESS, A.ACCEPT_BYE)),
    (S.LEAVING, G.OFFER): (S.LEAVING, (A.REFUSE_GONE,)),
    (S.CONFIRMED, G.OFFER): (S.CONFIRMED, (A.NEGOTIATE,)),
    (S.CONFIRMED, G.BYE): (S.TERMINATED, (A.STOP_LIMIT, A.ACCEPT_BYE, A.REPORT_ENDED)),
    (S.CONFIRMED, G.END): (S.MORTAL, (A.STOP_LIMIT, A.SEND_BYE, A.REPORT_ENDED)),
    (S.CONFIRMED, G.LIMIT): (S.MORTAL, (A.SEND_BYE, A.REPORT_ENDED)),
    (S.CONFIRMED, G.EXPIRED): (S.MORTAL, (A.STOP_LIMIT, A.SEND_BYE, A.REPORT_ENDED)),
    # Of a re-INVITE: without its ACK, or with a 408 or 481, the dialog is not there any more.
    (S.CONFIRMED, G.NO_ACK): (S.MORTAL, (A.STOP_LIMIT, A.SEND_BYE, A.REPORT_ENDED)),
    (S.CONFIRMED, G.ACK_WITHOUT_ANSWER): (
        S.MORTAL,
        (A.STOP_LIMIT, A.SEND_BYE, A.REPORT_ENDED),
    ),
    (S.CONFIRMED, G.LOST): (S.MORTAL, (A.STOP_LIMIT, A.SEND_BYE, A.REPORT_ENDED)),
    (S.MORTAL, G.BYE): (S.MORTAL, (A.ACCEPT_BYE,)),
    (S.MORTAL, G.OFFER): (S.MORTAL, (A.REFUSE_GONE,)),
    (S.MORTAL, G.BYE_DONE): (S.TERMINATED, ()),
    (S.TERMINATED, G.BYE): (S.TERMINATED, (A.REFUSE_GONE,)),
    (S.TERMINATED, G.OFFER): (S.TERMINATED, (A.REFUSE_GONE,)),
}

_UAC = (S.CALLING, S.PROCEEDING, S.CANCELLING)
_UAS = (S.INVITED, S.ACCEPTED, S.LEAVING)
_OVER = "the session is over; commands and news may be late"
_NOT_UAC = "only a response to our INVITE brings it, and that has got its final one"
_NOT_UAS = "only the peer's INVITE brings it"
_DECIDED = "the final response is sent"
_CROSSED = "sent before the peer got our 2xx"
_STOPPED = "runs in another state only"
_NO_REQUEST = "no request of ours within the dialog is under way"


def _ignore(
    states: tuple[State, ...], inputs: tuple[Input, ...], why: str
) -> dict[tuple[State, Input], str]:
    return {(state, given): why for state in states for given in inputs}


IGNORED: dict[tuple[State, Input], str] = {
    **_ignore(
        (*_UAS, S.CONFIRMED),
        (
            *(G.PROVISIONAL, G.SUCCESS, G.SUCCESS_WITHOUT_ANSWER, G.SUCCESS_WITH_OFFER),
            *(G.FAILURE, G.AGAIN),
        ),
        _NOT_UAC,
    ),
    **_ignore(_UAC, (G.ACK, G.ACK_WITHOUT_ANSWER, G.CANCEL), _NOT_UAS),
    **_ignore(_UAC, (G.RING, G.ANSWER, G.REJECT), "we called, the peer answers"),
    **_ignore(_UAC, (G.REFRESH, G.RETRANSMIT, G.NO_ACK), _STOPPED),
    **_ignore((*_UAC, *_UAS), (G.LOST,), _NO_REQUEST),
    **_ignore((*_UAC, *_UAS), (G.EXPIRED,), "no interval is shorter than the wait for an ACK"),
    **_ignore((S.CANCELLING,), (G.PROVISIONAL,), "the endpoint sends the CANCEL held back"),
    **_ignore((S.CANCELLING,), (G.AGAIN,), "given up: a challenge ends it, as any failure"),
    **_ignore(
        (S.CALLING, S.CANCELLING, S.ACCEPTED, S.LEAVING, S.CONFIRMED),
        (G.EARLY_OFFER,),
        "is an offer like others, or comes too late",
    ),
    **_ignore(
        (*_UAC, S.ACCEPTED, S.LEAVING, S.CONFIRMED),
        (G.CROSSING_OFFER,),
        "our offer in a 1xx is open before our 2xx only",
    ),
    **_ignore((S.CANCELLING, S.LEAVING), (G.END,), "is ending"),
    **_ignore((S.CANCELLING, S.ACCEPTED, S.LEAVING), (G.LIMIT,), _STOPPED),
    **_ignore((S.INVITED,), (G.ACK, G.ACK_WITHOUT_ANSWER), "nothing to acknowledge yet"),
    **_ignore((S.INVITED,), (G.RETRANSMIT, G.NO_ACK), _STOPPED),
    **_ignore((S.ACCEPTED, S.LEAVING, S.CONFIRMED), (G.CANCEL,), _CROSSED),
    **_ignore((S.ACCEPTED, S.LEAVING, S.CONFIRMED), (G.RING, G.ANSWER, G.REJECT), _DECIDED),
    **_ignore((S.ACCEPTED, S.LEAVING, S.CONFIRMED), (G.REFRESH,), _STOPPED),
    **_ignore((S.CONFIRMED,), (G.ACK,), "retransmitted, or of a re-INVITE"),
    **_ignore((S.CONFIRMED,), (G.RETRANSMIT,), "of a re-INVITE, which has its own machine"),
    **_ignore(
        tuple(state for state in State if state not in (S.MORTAL, S.TERMINATED)),
        (G.BYE_DONE,),
        "no BYE of ours is under way",
    ),
    **_ignore(
        (S.MORTAL,),
        tuple(given for given in Input if given not in (G.BYE, G.OFFER, G.BYE_DONE)),
        _OVER,
    ),
    **_ignore(
        (S.TERMINATED,), tuple(given for given in Input if given not in (G.BYE, G.OFFER)), _OVER
    ),
}
