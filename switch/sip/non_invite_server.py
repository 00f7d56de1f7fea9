"""Non-INVITE server transaction (RFC 3261 section 17.2.2, figure 8).

A transport error is no input: the transport layer tries another connection (section 18.2.2), and
Timer J ends the rest.
"""

from __future__ import annotations

from enum import StrEnum

from switch.sip.machine import TERMINATED, Action, Machine, after_the_end, every
from switch.sip.timers import Timer


class State(StrEnum):
    """States of figure 8."""

    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    TERMINATED = TERMINATED


class Input(StrEnum):
    """What can happen to it; `send` is asked for by the layer above."""

    REQUEST = "request again"
    SEND_PROVISIONAL = "send 1xx"
    SEND_FINAL = "send 200-699"
    SEND_CHALLENGE = "send 401, 407"
    """Once and without memory of it: questionable requests cost nothing (RFC 3261 section 26.3.2.4)."""
    TIMER_J = Timer.J.value


_FINAL = (Action.SEND, Action.START_J, Action.REST)

TRANSITIONS: dict[tuple[str, str], tuple[str, tuple[Action, ...]]] = {
    (State.TRYING, Input.SEND_PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
    (State.TRYING, Input.SEND_FINAL): (State.COMPLETED, _FINAL),
    (State.TRYING, Input.SEND_CHALLENGE): (State.TERMINATED, (Action.SEND_ONCE,)),
    (State.PROCEEDING, Input.SEND_CHALLENGE): (State.TERMINATED, (Action.SEND_ONCE,)),
    (State.PROCEEDING, Input.REQUEST): (State.PROCEEDING, (Action.RESEND,)),
    (State.PROCEEDING, Input.SEND_PROVISIONAL): (State.PROCEEDING, (Action.SEND,)),
    (State.PROCEEDING, Input.SEND_FINAL): (State.COMPLETED, _FINAL),
    (State.COMPLETED, Input.REQUEST): (State.COMPLETED, (Action.RESEND,)),
    (State.COMPLETED, Input.TIMER_J): (State.TERMINATED, ()),
}

_DECIDED = "the final response is decided; others are discarded (section 17.2.2)"

IGNORED: dict[tuple[str, str], str] = {
    (State.TRYING, Input.REQUEST): "no response yet that could be sent again",
    (State.COMPLETED, Input.SEND_PROVISIONAL): _DECIDED,
    (State.COMPLETED, Input.SEND_FINAL): _DECIDED,
    (State.COMPLETED, Input.SEND_CHALLENGE): _DECIDED,
    **every(State, Input.TIMER_J, "not started yet", {State.COMPLETED}),
    **after_the_end(State, Input),
}

MACHINE = Machine(
    name="non-INVITE server",
    figure="RFC 3261 figure 8",
    initial=State.TRYING,
    on_start=(),
    transitions=TRANSITIONS,
    ignored=IGNORED,
    states=tuple(State),
    inputs=tuple(Input),
    is_client=False,
    is_invite=False,
)
