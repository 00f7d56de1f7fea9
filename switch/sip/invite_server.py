"""INVITE server transaction (RFC 3261 section 17.2.1, figure 7, with RFC 6026 section 7.1).

A transport error is no input: the machine stays where it is and its timers end it (RFC 6026
section 7.1), while the transport layer tries another connection (RFC 3261 section 18.2.2).
"""

from __future__ import annotations

from enum import StrEnum

from switch.sip.machine import TERMINATED, Action, Machine, after_the_end, every
from switch.sip.timers import Timer


class State(StrEnum):
    """States of figure 7 and RFC 6026."""

    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    ACCEPTED = "Accepted"
    TERMINATED = TERMINATED


class Input(StrEnum):
    """What can happen to it; `send` is asked for by the layer above."""

    INVITE = "INVITE again"
    ACK = "ACK"
    SEND_PROVISIONAL = "send 1xx"
    SEND_SUCCESS = "send 2xx"
    SEND_FAILURE = "send 300-699"
    SEND_CHALLENGE = "send 401, 407"
    """Once and without memory of it: questionable requests cost nothing (RFC 3261 section 26.3.2.4)."""
    ACKNOWLEDGED = "2xx acknowledged"
    """The layer above has its ACK, or has given up: an ACK to a 2xx is no part of this transaction."""
    TIMER_G = Timer.G.value
    TIMER_H = Timer.H.value
    TIMER_I = Timer.I.value
    TIMER_L = Timer.L.value


TRANSITIONS: dict[tuple[str, str], tuple[str, tuple[Action, ...]]] = {
    (State.PROCEEDING, Input.INVITE): (State.PROCEEDING, (Action.RESEND,)),
    (State.PROCEEDING, Input.SEND_PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
    (State.PROCEEDING, Input.SEND_SUCCESS): (State.ACCEPTED, (Action.SEND, Action.START_L)),
    (State.PROCEEDING, Input.SEND_FAILURE): (
        State.COMPLETED,
        (Action.SEND, Action.START_G, Action.START_H, Action.YIELD),
    ),
    (State.PROCEEDING, Input.SEND_CHALLENGE): (State.TERMINATED, (Action.SEND_ONCE,)),
    (State.COMPLETED, Input.INVITE): (State.COMPLETED, (Action.RESEND,)),
    (State.COMPLETED, Input.ACK): (
        State.CONFIRMED,
        (Action.STOP_TIMERS, Action.START_I, Action.REST),
    ),
    (State.COMPLETED, Input.TIMER_G): (State.COMPLETED, (Action.RESEND, Action.DOUBLE_TO_T2)),
    (State.COMPLETED, Input.TIMER_H): (State.TERMINATED, (Action.INFORM_TIMEOUT,)),
    (State.CONFIRMED, Input.TIMER_I): (State.TERMINATED, ()),
    (State.ACCEPTED, Input.SEND_SUCCESS): (State.ACCEPTED, (Action.SEND,)),
    (State.ACCEPTED, Input.ACK): (State.ACCEPTED, (Action.DELIVER,)),
    (State.ACCEPTED, Input.ACKNOWLEDGED): (State.ACCEPTED, (Action.REST,)),
    (State.ACCEPTED, Input.TIMER_L): (State.TERMINATED, ()),
}

_DECIDED = "the final response is decided; others are discarded (section 17.2.1)"
_STOPPED = "runs in another state only"

IGNORED: dict[tuple[str, str], str] = {
    (State.PROCEEDING, Input.ACK): "nothing to acknowledge yet",
    (State.CONFIRMED, Input.ACK): "retransmitted; absorbed until Timer I",
    (State.CONFIRMED, Input.INVITE): "older than the ACK, delayed in the network",
    (State.ACCEPTED, Input.INVITE): "the layer above retransmits the 2xx (RFC 6026 section 7.1)",
    (State.COMPLETED, Input.SEND_PROVISIONAL): _DECIDED,
    (State.COMPLETED, Input.SEND_SUCCESS): _DECIDED,
    (State.COMPLETED, Input.SEND_FAILURE): _DECIDED,
    (State.COMPLETED, Input.SEND_CHALLENGE): _DECIDED,
    (State.CONFIRMED, Input.SEND_PROVISIONAL): _DECIDED,
    (State.CONFIRMED, Input.SEND_SUCCESS): _DECIDED,
    (State.CONFIRMED, Input.SEND_FAILURE): _DECIDED,
    (State.CONFIRMED, Input.SEND_CHALLENGE): _DECIDED,
    (State.ACCEPTED, Input.SEND_PROVISIONAL): _DECIDED,
    (State.ACCEPTED, Input.SEND_FAILURE): _DECIDED,
    (State.ACCEPTED, Input.SEND_CHALLENGE): _DECIDED,
    **every(State, Input.ACKNOWLEDGED, "no 2xx was sent", {State.ACCEPTED}),
    **every(State, Input.TIMER_G, _STOPPED, {State.COMPLETED}),
    **every(State, Input.TIMER_H, _STOPPED, {State.COMPLETED}),
    **every(State, Input.TIMER_I, _STOPPED, {State.CONFIRMED}),
    **every(State, Input.TIMER_L, _STOPPED, {State.ACCEPTED}),
    **after_the_end(State, Input),
}

MACHINE = Machine(
    name="INVITE server",
    figure="RFC 3261 figure 7, RFC 6026 figure 2",
    initial=State.PROCEEDING,
    on_start=(),
    transitions=TRANSITIONS,
    ignored=IGNORED,
    states=tuple(State),
    inputs=tuple(Input),
    is_client=False,
    is_invite=True,
)
