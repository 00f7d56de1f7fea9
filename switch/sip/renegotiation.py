"""Offers after the first: re-INVITE and UPDATE as a table (RFC 3261 section 14, RFC 6337, RFC 3311).

At most one offer is open in a dialog. This machine runs while the usage is Confirmed, and before that
once reliable responses have answered the first offer.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Whose offer is open."""

    STABLE = "Stable"
    OFFERING = "Offering"
    """Our re-INVITE is under way, or our UPDATE while the INVITE is not answered."""
    WAITING = "Waiting"
    """Ours met the peer's (491); it is tried again after a pause (section 14.1)."""
    OFFERED = "Offered"
    """The peer's re-INVITE waits for our final response."""
    OFFERED_BY_UPDATE = "Offered by UPDATE"
    """Or by a PRACK."""
    ACCEPTED = "Accepted"
    """Our 2xx to the peer's re-INVITE is retransmitted until its ACK comes."""


class Input(StrEnum):
    """What can happen."""

    REOFFER = "reoffer"
    ACCEPT = "accept"
    REFUSE = "refuse"
    SUCCESS = "2xx"
    SUCCESS_WITHOUT_ANSWER = "2xx without SDP"
    GLARE = "491"
    AGAIN = "422 that can be met"
    FAILURE = "300-699"
    REINVITE = "re-INVITE"
    UPDATE = "UPDATE"
    CANCEL = "CANCEL"
    ACK = "ACK"
    RETRY = "Timer: retry"
    RETRANSMIT = "Timer: 2xx again"
    TERMINATE = "the session ends"


class Action(StrEnum):
    """What a step makes the user agent do."""

    SEND_OFFER = "send re-INVITE or UPDATE"
    SEND_ACK = "send ACK to re-INVITE"
    START_RETRY = "start retry"
    STOP_RETRY = "stop retry"
    SEND_SUCCESS = "send 2xx to re-INVITE"
    SEND_SUCCESS_TO_UPDATE = "send 2xx to UPDATE"
    RESEND_SUCCESS = "send 2xx again"
    STOP_SUCCESS = "stop 2xx"
    SEND_FAILURE = "send 300-699"
    SEND_TERMINATED = "send 487"
    REFUSE_LATER = "500 to offer"
    REFUSE_PENDING = "491 to offer"
    REPORT_OFFER = "report ReofferReceived"
    REPORT_ANSWER = "report ReofferAnswered"
    REPORT_ANSWER_IN_ACK = "report ReofferAnswered if the ACK carries it"
    REPORT_FAILURE = "report ReofferFailed"
    REPORT_BUSY = "report ReofferFailed 491"


S, G, A = State, Input, Action  # G: what is given

TRANSITIONS: dict[tuple[State, Input], tuple[State, tuple[Action, ...]]] = {
    (S.STABLE, G.REOFFER): (S.OFFERING, (A.SEND_OFFER,)),
    (S.STABLE, G.REINVITE): (S.OFFERED, (A.REPORT_OFFER,)),
    (S.STABLE, G.UPDATE): (S.OFFERED_BY_UPDATE, (A.REPORT_OFFER,)),
    (S.OFFERING, G.SUCCESS): (S.STABLE, (A.SEND_ACK, A.REPORT_ANSWER)),
    (S.OFFERING, G.SUCCESS_WITHOUT_ANSWER): (S.STABLE, (A.SEND_ACK, A.REPORT_FAILURE)),
    (S.OFFERING, G.GLARE): (S.WAITING, (A.START_RETRY,)),
    (S.OFFERING, G.AGAIN): (S.OFFERING, (A.SEND_OFFER,)),
    (S.OFFERING, G.FAILURE): (S.STABLE, (A.REPORT_FAILURE,)),
    (S.OFFERING, G.REINVITE): (S.OFFERING, (A.REFUSE_PENDING,)),
    (S.OFFERING, G.UPDATE): (S.OFFERING, (A.REFUSE_PENDING,)),
    (S.OFFERING, G.TERMINATE): (S.STABLE, ()),
    (S.WAITING, G.RETRY): (S.OFFERING, (A.SEND_OFFER,)),
    # The peer was first. What we wanted to offer may not fit any more: whoever wanted it asks anew.
    (S.WAITING, G.REINVITE): (S.OFFERED, (A.STOP_RETRY, A.REPORT_BUSY, A.REPORT_OFFER)),
    (S.WAITING, G.UPDATE): (S.OFFERED_BY_UPDATE, (A.STOP_RETRY, A.REPORT_BUSY, A.REPORT_OFFER)),
    (S.WAITING, G.FAILURE): (S.STABLE, (A.STOP_RETRY, A.REPORT_FAILURE)),
    (S.WAITING, G.TERMINATE): (S.STABLE, (A.STOP_RETRY,)),
    (S.OFFERED, G.ACCEPT): (S.ACCEPTED, (A.SEND_SUCCESS,)),
    (S.OFFERED, G.REFUSE): (S.STABLE, (A.SEND_FAILURE,)),
    (S.OFFERED, G.CANCEL): (S.STABLE, (A.SEND_TERMINATED,)),
    (S.OFFERED, G.REINVITE): (S.OFFERED, (A.REFUSE_LATER,)),
    (S.OFFERED, G.UPDATE): (S.OFFERED, (A.REFUSE_LATER,)),
    (S.OFFERED, G.TERMINATE): (S.STABLE, (A.SEND_TERMINATED,)),
    (S.OFFERED_BY_UPDATE, G.ACCEPT): (S.STABLE, (A.SEND_SUCCESS_TO_UPDATE,)),
    (S.OFFERED_BY_UPDATE, G.REFUSE): (S.STABLE, (A.SEND_FAILURE,)),
    (S.OFFERED_BY_UPDATE, G.REINVITE): (S.OFFERED_BY_UPDATE, (A.REFUSE_LATER,)),
    (S.OFFERED_BY_UPDATE, G.UPDATE): (S.OFFERED_BY_UPDATE, (A.REFUSE_LATER,)),
    (S.OFFERED_BY_UPDATE, G.TERMINATE): (S.STABLE, (A.SEND_TERMINATED,)),
    (S.ACCEPTED, G.ACK): (S.STABLE, (A.STOP_SUCCESS, A.REPORT_ANSWER_IN_ACK)),
    (S.ACCEPTED, G.RETRANSMIT): (S.ACCEPTED, (A.RESEND_SUCCESS,)),
    (S.ACCEPTED, G.REINVITE): (S.ACCEPTED, (A.REFUSE_PENDING,)),
    (S.ACCEPTED, G.UPDATE): (S.ACCEPTED, (A.REFUSE_PENDING,)),
    (S.ACCEPTED, G.TERMINATE): (S.STABLE, (A.STOP_SUCCESS,)),
    **{(state, G.REOFFER): (state, (A.REPORT_BUSY,)) for state in State if state is not S.STABLE},
}


def _ignore(given: Input, why: str, *but: State) -> dict[tuple[State, Input], str]:
    return {(state, given): why for state in State if state not in but}


IGNORED: dict[tuple[State, Input], str] = {
    **_ignore(G.ACCEPT, "no offer is open: cancelled, or answered", S.OFFERED, S.OFFERED_BY_UPDATE),
    **_ignore(G.REFUSE, "no offer is open: cancelled, or answered", S.OFFERED, S.OFFERED_BY_UPDATE),
    **_ignore(G.SUCCESS, "not of the re-INVITE under way", S.OFFERING),
    **_ignore(G.SUCCESS_WITHOUT_ANSWER, "not of the re-INVITE under way", S.OFFERING),
    **_ignore(G.AGAIN, "not of the re-INVITE under way", S.OFFERING),
    **_ignore(G.GLARE, "not of the re-INVITE under way", S.OFFERING),
    **_ignore(G.FAILURE, "not of the re-INVITE under way", S.OFFERING, S.WAITING),
    **_ignore(G.CANCEL, "the re-INVITE is answered", S.OFFERED),
    **_ignore(G.ACK, "no 2xx of ours waits for it", S.ACCEPTED),
    **_ignore(G.RETRY, "runs in another state only", S.WAITING),
    **_ignore(G.RETRANSMIT, "runs in another state only", S.ACCEPTED),
    (S.STABLE, G.TERMINATE): "no offer is open",
}
