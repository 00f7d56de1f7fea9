"""The session timer as a table: who refreshes a session, and when it is given up (RFC 4028).

House rules as in `machine.py`. It runs from the 2xx that agrees upon an interval until the session is
over, beside the usage and the offers. Every 2xx to an INVITE or UPDATE agrees anew.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Whose turn it is."""

    OFF = "Off"
    """Nothing is agreed, or the session is not confirmed."""
    OURS = "Ours"
    """We refresh, at half of the interval."""
    UPDATING = "Updating"
    """Our UPDATE is under way."""
    ASKING = "Asking"
    """The peer takes no UPDATE: the layers above were asked for a re-INVITE."""
    WAITING = "Waiting"
    """Our refresh was refused or could not be sent, and will be tried again."""
    THEIRS = "Theirs"
    """The peer refreshes."""


class Input(StrEnum):
    """What can happen."""

    WE_REFRESH = "2xx: we refresh"
    PEER_REFRESHES = "2xx: the peer refreshes"
    DUE = "Timer: refresh, by UPDATE"
    DUE_BY_REINVITE = "Timer: refresh, by re-INVITE"
    REFUSED = "refresh refused"
    """Or not sent. The dialog stands: 408 and 481 end it, which is no business of this table."""
    DECLINED = "refresh refused, nothing agreed"
    """By a peer that knows no timers: its answer shows that it is there, and it owes no more."""
    NOT_TAKEN = "UPDATE not taken"
    """A re-INVITE may be."""
    EXPIRED = "Timer: expired"
    TERMINATE = "the session ends"


class Action(StrEnum):
    """What a step makes the user agent do."""

    START_REFRESH = "start refresh"
    """At half of the interval."""
    START_EXPIRY = "start expiry"
    """Shortly before the whole interval."""
    START_REST = "start expiry of the rest"
    """Half of the interval is over."""
    START_RETRY = "start refresh again"
    STOP_REFRESH = "stop refresh"
    STOP_EXPIRY = "stop expiry"
    SEND_UPDATE = "send UPDATE"
    REPORT_DUE = "report RefreshDue"
    EXPIRE = "end the session"


S, G, A = State, Input, Action  # G: what is given

# What runs in each state: hardly a call lives until the first refresh, so each stop counts.
_STOP: dict[State, tuple[Action, ...]] = {
    S.OURS: (A.STOP_REFRESH,),
    S.UPDATING: (A.STOP_EXPIRY,),
    S.ASKING: (A.STOP_EXPIRY,),
    S.WAITING: (A.STOP_REFRESH, A.STOP_EXPIRY),
    S.THEIRS: (A.STOP_EXPIRY,),
}

TRANSITIONS: dict[tuple[State, Input], tuple[State, tuple[Action, ...]]] = {
    (S.OFF, G.WE_REFRESH): (S.OURS, (A.START_REFRESH,)),
    (S.OFF, G.PEER_REFRESHES): (S.THEIRS, (A.START_EXPIRY,)),
    **{(s, G.WE_REFRESH): (S.OURS, (*stop, A.START_REFRESH)) for s, stop in _STOP.items()},
    **{(s, G.PEER_REFRESHES): (S.THEIRS, (*stop, A.START_EXPIRY)) for s, stop in _STOP.items()},
    (S.OURS, G.DUE): (S.UPDATING, (A.START_REST, A.SEND_UPDATE)),
    (S.OURS, G.DUE_BY_REINVITE): (S.ASKING, (A.START_REST, A.REPORT_DUE)),
    (S.UPDATING, G.REFUSED): (S.WAITING, (A.START_RETRY,)),
    (S.UPDATING, G.DECLINED): (S.OURS, (A.STOP_EXPIRY, A.START_REFRESH)),
    (S.UPDATING, G.NOT_TAKEN): (S.ASKING, (A.REPORT_DUE,)),
    (S.ASKING, G.REFUSED): (S.WAITING, (A.START_RETRY,)),
    (S.ASKING, G.DECLINED): (S.OURS, (A.STOP_EXPIRY, A.START_REFRESH)),
    (S.WAITING, G.DUE): (S.UPDATING, (A.SEND_UPDATE,)),
    (S.WAITING, G.DUE_BY_REINVITE): (S.ASKING, (A.REPORT_DUE,)),
    **{(s, G.EXPIRED): (S.OFF, (*stop, A.EXPIRE)) for s, stop in _STOP.items() if s is not S.OURS},
    **{(s, G.TERMINATE): (S.OFF, stop) for s, stop in _STOP.items()},
}


def _ignore(given: Input, why: str, *but: State) -> dict[tuple[State, Input], str]:
    return {(state, given): why for state in State if state not in but}


IGNORED: dict[tuple[State, Input], str] = {
    **_ignore(G.DUE, "runs in another state only", S.OURS, S.WAITING),
    **_ignore(G.DUE_BY_REINVITE, "runs in another state only", S.OURS, S.WAITING),
    **_ignore(G.REFUSED, "not of a refresh of ours under way", S.UPDATING, S.ASKING),
    **_ignore(G.DECLINED, "not of a refresh of ours under way", S.UPDATING, S.ASKING),
    **_ignore(G.NOT_TAKEN, "not of our UPDATE under way", S.UPDATING),
    (S.OFF, G.EXPIRED): "runs in another state only",
    (S.OURS, G.EXPIRED): "runs in another state only",
    (S.OFF, G.TERMINATE): "nothing runs",
}
