"""A REFER that we sent, as a table: what the peer says of it (RFC 3515).

House rules as in `machine.py`. It may outlive its session, as `referral.py` tells.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What we know."""

    TRYING = "Trying"
    """No final answer to the REFER."""
    ACTIVE = "Active"
    """The peer tells how it goes."""
    OVER = "Over"


class Input(StrEnum):
    """What can happen."""

    ACCEPTED = "2xx"
    ACCEPTED_QUIETLY = "2xx, Refer-Sub false"
    FAILED = "300-699"
    """Also a time-out (408) and a transport error (503)."""
    NEWS = "NOTIFY"
    LAST_NEWS = "NOTIFY, terminated"
    EXPIRED = "Timer: expired"


class Action(StrEnum):
    """What a step makes the user agent do."""

    REPORT = "report ReferProgress"
    REPORT_OVER = "report ReferProgress, over"
    ACCEPT_NOTIFY = "200 to NOTIFY"
    START_EXPIRY = "start expiry"
    FORGET = "forget"


S, G, A = State, Input, Action  # G: what is given

_LAST = (S.OVER, (A.ACCEPT_NOTIFY, A.REPORT_OVER, A.FORGET))

TRANSITIONS: dict[tuple[State, Input], tuple[State, tuple[Action, ...]]] = {
    (S.TRYING, G.ACCEPTED): (S.ACTIVE, (A.START_EXPIRY, A.REPORT)),
    (S.TRYING, G.ACCEPTED_QUIETLY): (S.OVER, (A.REPORT_OVER, A.FORGET)),
    (S.TRYING, G.FAILED): (S.OVER, (A.REPORT_OVER, A.FORGET)),
    # A NOTIFY may overtake the 202 (RFC 6665 section 4.1.2.4).
    (S.TRYING, G.NEWS): (S.ACTIVE, (A.ACCEPT_NOTIFY, A.START_EXPIRY, A.REPORT)),
    (S.TRYING, G.LAST_NEWS): _LAST,
    (S.ACTIVE, G.NEWS): (S.ACTIVE, (A.ACCEPT_NOTIFY, A.REPORT)),
    (S.ACTIVE, G.LAST_NEWS): _LAST,
    (S.ACTIVE, G.FAILED): (S.OVER, (A.REPORT_OVER, A.FORGET)),
    (S.ACTIVE, G.ACCEPTED_QUIETLY): (S.OVER, (A.REPORT_OVER, A.FORGET)),
    (S.ACTIVE, G.EXPIRED): (S.OVER, (A.REPORT_OVER, A.FORGET)),
}

IGNORED: dict[tuple[State, Input], str] = {
    (S.ACTIVE, G.ACCEPTED): "a NOTIFY was faster",
    (S.TRYING, G.EXPIRED): "runs in another state only",
    **{(S.OVER, given): "the layers above were told the last" for given in Input},
}
