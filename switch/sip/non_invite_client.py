"""Non-INVITE client transaction (RFC 3261 section 17.1.2, figure 6)."""

from __future__ import annotations

from enum import StrEnum

from switch.sip.machine import TERMINATED, TRANSPORT_ERROR, Action, Machine, after_the_end, every
from switch.sip.timers import Timer


class State(StrEnum):
    """States of figure 6."""

    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    TERMINATED = TERMINATED


class Input(StrEnum):
    """What can happen to it."""

    PROVISIONAL = "1xx"
    FINAL = "200-699"
    TRANSPORT_ERROR = TRANSPORT_ERROR
    TIMER_E = Timer.E.value
    TIMER_F = Timer.F.value
    TIMER_K = Timer.K.value


_FINAL = (Action.STOP_TIMERS, Action.START_K, Action.DELIVER, Action.REST)

TRANSITIONS: dict[tuple[str, str], tuple[str, tuple[Action, ...]]] = {
    (State.TRYING, Input.TIMER_E): (State.TRYING, (Action.RESEND, Action.DOUBLE_TO_T2)),
    (State.TRYING, Input.TIMER_F): (State.TERMINATED, (Action.INFORM_TIMEOUT,)),
    (State.TRYING, Input.TRANSPORT_ERROR): (State.TERMINATED, (Action.INFORM_TRANSPORT,)),
    (State.TRYING, Input.PROVISIONAL): (State.PROCEEDING, (Action.DELIVER,)),
    (State.TRYING, Input.FINAL): (State.COMPLETED, _FINAL),
    (State.PROCEEDING, Input.TIMER_E): (State.PROCEEDING, (Action.RESEND, Action.PAUSE_T2)),
    (State.PROCEEDING, Input.TIMER_F): (State.TERMINATED, (Action.INFORM_TIMEOUT,)),
    (State.PROCEEDING, Input.TRANSPORT_ERROR): (State.TERMINATED, (Action.INFORM_TRANSPORT,)),
    (State.PROCEEDING, Input.PROVISIONAL): (State.PROCEEDING, (Action.DELIVER,)),
    (State.PROCEEDING, Input.FINAL): (State.COMPLETED, _FINAL),
    (State.COMPLETED, Input.TIMER_K): (State.TERMINATED, ()),
}

_STOPPED = "runs in another state only and was stopped on leaving it"

IGNORED: dict[tuple[str, str], str] = {
    (State.COMPLETED, Input.PROVISIONAL): "the final response came before",
    (State.COMPLETED, Input.FINAL): "retransmitted; absorbed until Timer K",
    (State.COMPLETED, Input.TRANSPORT_ERROR): "nothing is left to be sent",
    **every(State, Input.TIMER_E, _STOPPED, {State.TRYING, State.PROCEEDING}),
    **every(State, Input.TIMER_F, _STOPPED, {State.TRYING, State.PROCEEDING}),
    **every(State, Input.TIMER_K, "not started yet", {State.COMPLETED}),
    **after_the_end(State, Input),
}

MACHINE = Machine(
    name="non-INVITE client",
    figure="RFC 3261 figure 6",
    initial=State.TRYING,
    on_start=(Action.SEND, Action.START_E, Action.START_F),
    transitions=TRANSITIONS,
    ignored=IGNORED,
    states=tuple(State),
    inputs=tuple(Input),
    is_client=True,
    is_invite=False,
)
