"""Reliable provisional responses that we send, as a table (RFC 3262 section 3).

House rules as in `machine.py`. It runs while the usage is Invited. One of them is out at a time; what
is to be said meanwhile waits for its PRACK. A 2xx waits where the response carries SDP.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What waits for its PRACK."""

    IDLE = "Idle"
    SENT = "Sent"
    SENT_SDP = "Sent with SDP"
    HELD = "2xx held back"
    """The answer is decided; it goes out when the SDP is acknowledged."""


class Input(StrEnum):
    """What can happen."""

    RING = "1xx wanted"
    RING_SDP = "1xx with SDP wanted"
    ANSWER = "2xx wanted"
    PRACK = "PRACK"
    """One that fits."""
    RETRANSMIT = "Timer: 1xx again"
    GIVE_UP = "Timer: no PRACK"
    """After 64*T1."""
    FINISH = "final response"
    """Another one than the 2xx, or the end of the session."""


class Action(StrEnum):
    """What a step makes the user agent do."""

    SEND = "send 1xx reliably"
    RESEND = "send 1xx again"
    QUEUE = "queue 1xx"
    """The latest takes the place of what waits already."""
    STOP = "stop 1xx"
    SEND_QUEUED = "send queued 1xx"
    HOLD = "hold 2xx"
    ANSWER = "send 2xx"
    ANSWER_HELD = "send 2xx held back"
    REFUSE = "send 504"


S, G, A = State, Input, Action  # G: what is given

_WAITING = (S.SENT, S.SENT_SDP, S.HELD)

TRANSITIONS: dict[tuple[State, Input], tuple[State, tuple[Action, ...]]] = {
    (S.IDLE, G.RING): (S.SENT, (A.SEND,)),
    (S.IDLE, G.RING_SDP): (S.SENT_SDP, (A.SEND,)),
    (S.IDLE, G.ANSWER): (S.IDLE, (A.ANSWER,)),
    **{
        (state, given): (state, (A.QUEUE,))
        for state in (S.SENT, S.SENT_SDP)
        for given in (G.RING, G.RING_SDP)
    },
    (S.SENT, G.ANSWER): (S.IDLE, (A.STOP, A.ANSWER)),
    (S.SENT_SDP, G.ANSWER): (S.HELD, (A.HOLD,)),
    (S.SENT, G.PRACK): (S.IDLE, (A.STOP, A.SEND_QUEUED)),
    (S.SENT_SDP, G.PRACK): (S.IDLE, (A.STOP, A.SEND_QUEUED)),
    (S.HELD, G.PRACK): (S.IDLE, (A.STOP, A.ANSWER_HELD)),
    **{(state, G.RETRANSMIT): (state, (A.RESEND,)) for state in _WAITING},
    **{(state, G.GIVE_UP): (S.IDLE, (A.STOP, A.REFUSE)) for state in _WAITING},
    **{(state, G.FINISH): (S.IDLE, (A.STOP,)) for state in _WAITING},
}

_DECIDED = "the final response is decided"

IGNORED: dict[tuple[State, Input], str] = {
    (S.IDLE, G.PRACK): "the final response was faster",
    (S.IDLE, G.RETRANSMIT): "runs in another state only",
    (S.IDLE, G.GIVE_UP): "runs in another state only",
    (S.IDLE, G.FINISH): "nothing waits",
    (S.HELD, G.RING): _DECIDED,
    (S.HELD, G.RING_SDP): _DECIDED,
    (S.HELD, G.ANSWER): _DECIDED,
}
