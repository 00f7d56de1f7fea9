"""A REFER that we received, as a table: the answer, and the news that it asks for (RFC 3515).

House rules as in `machine.py`. The subscription is a usage of the dialog of its own: it outlives the
session in which the REFER came (RFC 5057), for most phones hang up as soon as they have referred.
"""

from __future__ import annotations

from enum import StrEnum

from switch.sip.message import Request


class State(StrEnum):
    """What the peer knows."""

    PENDING = "Pending"
    """The layers above have not decided."""
    ACTIVE = "Active"
    """Accepted; the peer is told how it goes."""
    OVER = "Over"


class Input(StrEnum):
    """What can happen."""

    ACCEPT = "accept"
    ACCEPT_QUIETLY = "accept without news"
    """The peer wants none (RFC 4488, RFC 7614)."""
    REFUSE = "refuse"
    NEWS = "news"
    LAST_NEWS = "last news"
    UNSUBSCRIBE = "SUBSCRIBE, Expires 0"
    GONE = "NOTIFY refused"
    """Or not answered."""
    EXPIRED = "Timer: expired"
    SESSION_OVER = "the session ends"


class Action(StrEnum):
    """What a step makes the user agent do."""

    SEND_ACCEPTED = "send 202"
    SEND_QUIETLY = "send 200"
    SEND_FAILURE = "send 300-699"
    SEND_UNAVAILABLE = "send 480"
    SEND_TERMINATED = "send 487"
    SEND_TRYING = "NOTIFY 100"
    """The first one, which must come at once."""
    SEND_NEWS = "NOTIFY"
    SEND_LAST = "NOTIFY, terminated"
    START_EXPIRY = "start expiry"
    FORGET = "forget"


S, G, A = State, Input, Action  # G: what is given

TRANSITIONS: dict[tuple[State, Input], tuple[State, tuple[Action, ...]]] = {
    (S.PENDING, G.ACCEPT): (S.ACTIVE, (A.SEND_ACCEPTED, A.START_EXPIRY, A.SEND_TRYING)),
    (S.PENDING, G.ACCEPT_QUIETLY): (S.OVER, (A.SEND_QUIETLY, A.FORGET)),
    (S.PENDING, G.REFUSE): (S.OVER, (A.SEND_FAILURE, A.FORGET)),
    (S.PENDING, G.EXPIRED): (S.OVER, (A.SEND_UNAVAILABLE, A.FORGET)),
    (S.PENDING, G.SESSION_OVER): (S.OVER, (A.SEND_TERMINATED, A.FORGET)),
    (S.ACTIVE, G.NEWS): (S.ACTIVE, (A.SEND_NEWS,)),
    (S.ACTIVE, G.LAST_NEWS): (S.OVER, (A.SEND_LAST, A.FORGET)),
    (S.ACTIVE, G.UNSUBSCRIBE): (S.OVER, (A.SEND_LAST, A.FORGET)),
    (S.ACTIVE, G.EXPIRED): (S.OVER, (A.SEND_LAST, A.FORGET)),
    (S.ACTIVE, G.GONE): (S.OVER, (A.FORGET,)),
}

_EARLY = "there is no subscription before the answer"
_DECIDED = "the answer is sent"


def _over() -> dict[tuple[State, Input], str]:
    return {(S.OVER, given): "nobody wants to know any more" for given in Input}


IGNORED: dict[tuple[State, Input], str] = {
    **{(S.PENDING, given): _EARLY for given in (G.NEWS, G.LAST_NEWS, G.UNSUBSCRIBE, G.GONE)},
    **{(S.ACTIVE, given): _DECIDED for given in (G.ACCEPT, G.ACCEPT_QUIETLY, G.REFUSE)},
    (S.ACTIVE, G.SESSION_OVER): "the subscription goes on (RFC 5057)",
    **_over(),
}


def wants_news(request: Request) -> bool:
    """Whether a REFER makes a subscription; Refer-Sub and Require may say no."""
    required = {word.lower() for word in request.headers.tokens("Require")}
    said = (request.headers.get("Refer-Sub") or "true").partition(";")[0].strip(" \t").lower()
    return said != "false" and "nosub" not in required
