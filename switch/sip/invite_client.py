"""INVITE client transaction (RFC 3261 section 17.1.1, figure 5, with RFC 6026 section 7.2).

A CANCEL is asked for here and travels as a non-INVITE transaction; since a cancelled INVITE may
never be answered, a timer of its own ends it after 64*T1 (section 9.1).
"""

from __future__ import annotations

from enum import StrEnum

from switch.sip.machine import TERMINATED, TRANSPORT_ERROR, Action, Machine, after_the_end, every
from switch.sip.timers import Timer


class State(StrEnum):
    """States of figure 5 and RFC 6026."""

    CALLING = "Calling"
    RESUMED = "Resumed"
    """Ours: it is of an earlier process, and no 1xx to it is known. It may have been lost, so it is sent
    again; most likely it was not, so it can be cancelled at once."""
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    ACCEPTED = "Accepted"
    TERMINATED = TERMINATED


class Input(StrEnum):
    """What can happen to it."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "300-699"
    CANCEL = "CANCEL wanted"
    TRANSPORT_ERROR = TRANSPORT_ERROR
    TIMER_A = Timer.A.value
    TIMER_B = Timer.B.value
    TIMER_D = Timer.D.value
    TIMER_M = Timer.M.value
    TIMER_CANCEL = Timer.CANCEL.value


TRANSITIONS: dict[tuple[str, str], tuple[str, tuple[Action, ...]]] = {
    (State.CALLING, Input.TIMER_A): (State.CALLING, (Action.RESEND, Action.DOUBLE)),
    (State.CALLING, Input.TIMER_B): (State.TERMINATED, (Action.INFORM_TIMEOUT,)),
    (State.CALLING, Input.TRANSPORT_ERROR): (State.TERMINATED, (Action.INFORM_TRANSPORT,)),
    (State.CALLING, Input.CANCEL): (State.CALLING, (Action.POSTPONE_CANCEL,)),
    (State.CALLING, Input.PROVISIONAL): (State.PROCEEDING, (Action.STOP_TIMERS, Action.DELIVER)),
    (State.CALLING, Input.SUCCESS): (
        State.ACCEPTED,
        (Action.STOP_TIMERS, Action.START_M, Action.DELIVER, Action.REST),
    ),
    (State.CALLING, Input.FAILURE): (
        State.COMPLETED,
        (Action.STOP_TIMERS, Action.SEND_ACK, Action.START_D, Action.DELIVER, Action.REST),
    ),
    (State.RESUMED, Input.TIMER_A): (State.CALLING, (Action.RESEND, Action.DOUBLE)),
    (State.RESUMED, Input.TIMER_B): (State.TERMINATED, (Action.INFORM_TIMEOUT,)),
    (State.RESUMED, Input.TRANSPORT_ERROR): (State.TERMINATED, (Action.INFORM_TRANSPORT,)),
    (State.RESUMED, Input.CANCEL): (
        State.PROCEEDING,
        (Action.STOP_TIMERS, Action.SEND_CANCEL, Action.START_CANCEL),
    ),
    (State.RESUMED, Input.PROVISIONAL): (State.PROCEEDING, (Action.STOP_TIMERS, Action.DELIVER)),
    (State.RESUMED, Input.SUCCESS): (
        State.ACCEPTED,
        (Action.STOP_TIMERS, Action.START_M, Action.DELIVER, Action.REST),
    ),
    (State.RESUMED, Input.FAILURE): (
        State.COMPLETED,
        (Action.STOP_TIMERS, Action.SEND_ACK, Action.START_D, Action.DELIVER, Action.REST),
    ),
    (State.PROCEEDING, Input.PROVISIONAL): (State.PROCEEDING, (Action.DELIVER,)),
    (State.PROCEEDING, Input.CANCEL): (
        State.PROCEEDING,
        (Action.SEND_CANCEL, Action.START_CANCEL),
    ),
    (State.PROCEEDING, Input.TIMER_CANCEL): (State.TERMINATED, (Action.INFORM_TIMEOUT,)),
    (State.PROCEEDING, Input.SUCCESS): (
        State.ACCEPTED,
        (Action.STOP_TIMERS, Action.START_M, Action.DELIVER, Action.REST),
    ),
    (State.PROCEEDING, Input.FAILURE): (
        State.COMPLETED,
        (Action.STOP_TIMERS, Action.SEND_ACK, Action.START_D, Action.DELIVER, Action.REST),
    ),
    (State.COMPLETED, Input.FAILURE): (State.COMPLETED, (Action.SEND_ACK,)),
    (State.COMPLETED, Input.TRANSPORT_ERROR): (State.TERMINATED, ()),
    (State.COMPLETED, Input.TIMER_D): (State.TERMINATED, ()),
    (State.ACCEPTED, Input.SUCCESS): (State.ACCEPTED, (Action.DELIVER,)),
    (State.ACCEPTED, Input.TIMER_M): (State.TERMINATED, ()),
}

_LATE = "a final response came before"
_STOPPED = "runs in another state only and was stopped on leaving it"

IGNORED: dict[tuple[str, str], str] = {
    (State.COMPLETED, Input.PROVISIONAL): _LATE,
    (State.ACCEPTED, Input.PROVISIONAL): _LATE,
    (State.COMPLETED, Input.SUCCESS): "a 2xx cannot follow a failure; the peer or a fork is wrong",
    (State.ACCEPTED, Input.FAILURE): "a failure cannot follow a 2xx",
    (State.COMPLETED, Input.CANCEL): "nothing left to cancel",
    (State.ACCEPTED, Input.CANCEL): "too late to cancel; the layer above sends BYE",
    (State.PROCEEDING, Input.TRANSPORT_ERROR): "the answer may come over a new connection (18.2.2)",
    (State.ACCEPTED, Input.TRANSPORT_ERROR): "nothing of this transaction is left to be sent",
    **every(State, Input.TIMER_A, _STOPPED, {State.CALLING, State.RESUMED}),
    **every(State, Input.TIMER_B, _STOPPED, {State.CALLING, State.RESUMED}),
    **every(State, Input.TIMER_D, _STOPPED, {State.COMPLETED}),
    **every(State, Input.TIMER_M, _STOPPED, {State.ACCEPTED}),
    **every(State, Input.TIMER_CANCEL, _STOPPED, {State.PROCEEDING}),
    **after_the_end(State, Input),
}

MACHINE = Machine(
    name="INVITE client",
    figure="RFC 3261 figure 5, RFC 6026 figure 1",
    initial=State.CALLING,
    on_start=(Action.SEND, Action.START_A, Action.START_B),
    transitions=TRANSITIONS,
    ignored=IGNORED,
    states=tuple(State),
    inputs=tuple(Input),
    is_client=True,
    is_invite=True,
)
