"""The agent's state machine, as a table.

An agent is at rest (logged-out, available, not-ready, engaged) or busy with a contact
(reserved, ringing, talking, held, wrap-up). Two rules hold:

- Where an agent at rest stands is never remembered but follows from facts: is it signed on, does
  it want contacts, can its phone be called, is the phone on a call of its own. A step to `REST`
  means: look at the facts (`acd.agents.Agent.rest`).
- While it is busy, news of these facts is noted and takes effect when it comes to rest. Only
  the leg of the contact moves a busy agent.

A pair that is in neither table is a fault of this program and raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from acd.errors import InvariantError
from acd.model import AgentState


class AgentInput(StrEnum):
    """What can happen to an agent. The values are the reasons in `AgentStateChanged`."""

    SIGNED_ON = "signed-on"
    SIGNED_OFF = "signed-off"
    """By the desk; a phone that goes is PHONE_LOST."""
    SET_READY = "ready"
    SET_NOT_READY = "not-ready"
    PHONE_FOUND = "phone-reachable"
    PHONE_LOST = "phone-unreachable"
    CALL_BEGAN = "call-began"
    """A call that did not come from a queue."""
    CALLS_OVER = "calls-over"
    PAUSE_OVER = "pause-over"
    """A static agent may be tried again."""
    CHOSEN = "chosen"
    PICKS_UP = "picks-up"
    """It wants what rings at another one."""
    RINGING = "ringing"
    ANSWERED = "answered"
    JOINED = "joined"
    """It has a conversation from another agent: it was asked, or called, and is on the phone already."""
    MISSED = "missed"
    WITHDRAWN = "withdrawn"
    UNHEARD_OF = "unheard-of"
    """Nothing was heard of the offer: the watchdog ended it."""
    HELD = "held"
    RESUMED = "resumed"
    TALK_ENDED = "talk-ended"
    TALK_ENDED_WITH_WRAP_UP = "talk-ended-with-wrap-up"
    WRAP_UP_EXTENDED = "wrap-up-extended"
    WRAP_UP_OVER = "wrap-up-over"


class Effect(Enum):
    """What a step makes necessary beyond the new state."""

    WATCH_OFFER = "watch the offer"
    STOP_TIMER = "stop the timer"
    START_COUNTDOWN = "start the countdown"
    CANCEL_OFFER = "cancel the offer"
    KEEP_IDLE_TIME = "keep the idle time"


class Target(Enum):
    """Where a step leads when it is not one named state."""

    REST = "rest"
    """Wherever the facts say."""
    STAY = "stay"
    """The fact is noted and takes effect afterwards."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table."""

    to: AgentState | Target
    effects: tuple[Effect, ...] = ()


_A = AgentState
_I = AgentInput

AT_REST: Final = (_A.LOGGED_OUT, _A.AVAILABLE, _A.NOT_READY, _A.ENGAGED)
OFFERED: Final = frozenset((_A.RESERVED, _A.RINGING))
JOINABLE: Final = frozenset((*AT_REST, _A.WRAP_UP))
IN_TALK: Final = frozenset((_A.TALKING, _A.HELD))
FACTS: Final = (
    _I.SIGNED_ON,
    _I.SIGNED_OFF,
    _I.SET_READY,
    _I.SET_NOT_READY,
    _I.PHONE_FOUND,
    _I.PHONE_LOST,
    _I.CALL_BEGAN,
    _I.CALLS_OVER,
)

_REST = Step(Target.REST)
_STAY = Step(Target.STAY)
_FREE = Step(Target.REST, (Effect.STOP_TIMER,))
_FREE_AS_BEFORE = Step(Target.REST, (Effect.STOP_TIMER, Effect.KEEP_IDLE_TIME))
_TAKEN_BACK = Step(Target.REST, (Effect.STOP_TIMER, Effect.CANCEL_OFFER))

TRANSITIONS: Final[dict[tuple[AgentState, AgentInput], Step]] = {
    **{(state, fact): _REST for state in AT_REST for fact in FACTS},
    **{
        (state, fact): _STAY
        for state in (_A.RESERVED, _A.RINGING, _A.TALKING, _A.HELD, _A.WRAP_UP)
        for fact in FACTS
    },
    **{(state, _I.JOINED): Step(_A.TALKING) for state in AT_REST},
    (_A.WRAP_UP, _I.JOINED): Step(_A.TALKING, (Effect.STOP_TIMER,)),
    (_A.NOT_READY, _I.PAUSE_OVER): _REST,
    (_A.ENGAGED, _I.PAUSE_OVER): _REST,
    (_A.AVAILABLE, _I.CHOSEN): Step(_A.RESERVED, (Effect.WATCH_OFFER,)),
    **{
        (state, _I.PICKS_UP): Step(_A.RESERVED, (Effect.WATCH_OFFER,))
        for state in (_A.AVAILABLE, _A.NOT_READY, _A.ENGAGED)
    },
    #
    (_A.RESERVED, _I.RINGING): Step(_A.RINGING, (Effect.WATCH_OFFER,)),
    (_A.RESERVED, _I.ANSWERED): Step(_A.TALKING, (Effect.STOP_TIMER,)),
    (_A.RESERVED, _I.MISSED): _FREE,
    (_A.RESERVED, _I.WITHDRAWN): _FREE_AS_BEFORE,
    (_A.RESERVED, _I.UNHEARD_OF): _TAKEN_BACK,
    (_A.RESERVED, _I.SIGNED_OFF): _TAKEN_BACK,
    #
    (_A.RINGING, _I.ANSWERED): Step(_A.TALKING, (Effect.STOP_TIMER,)),
    (_A.RINGING, _I.MISSED): _FREE,
    (_A.RINGING, _I.WITHDRAWN): _FREE_AS_BEFORE,
    (_A.RINGING, _I.UNHEARD_OF): _TAKEN_BACK,
    (_A.RINGING, _I.SIGNED_OFF): _TAKEN_BACK,
    #
    (_A.TALKING, _I.HELD): Step(_A.HELD),
    (_A.TALKING, _I.TALK_ENDED): _REST,
    (_A.TALKING, _I.TALK_ENDED_WITH_WRAP_UP): Step(_A.WRAP_UP, (Effect.START_COUNTDOWN,)),
    #
    (_A.HELD, _I.RESUMED): Step(_A.TALKING),
    (_A.HELD, _I.TALK_ENDED): _REST,
    (_A.HELD, _I.TALK_ENDED_WITH_WRAP_UP): Step(_A.WRAP_UP, (Effect.START_COUNTDOWN,)),
    #
    (_A.WRAP_UP, _I.WRAP_UP_EXTENDED): Step(Target.STAY, (Effect.STOP_TIMER,)),
    (_A.WRAP_UP, _I.WRAP_UP_OVER): _FREE,
    (_A.WRAP_UP, _I.SIGNED_OFF): _FREE,
}
"""Every step. While an offer stands the timer is its watchdog, in wrap-up it is the countdown."""

IGNORED: Final[dict[tuple[AgentState, AgentInput], str]] = {
    (_A.RINGING, _I.RINGING): "phones repeat 180",
    (_A.TALKING, _I.RESUMED): "the hold was taken off already",
    (_A.HELD, _I.HELD): "the customer is on hold already",
    **{
        (state, press): "the countdown ended before the key was pressed"
        for state in _A
        if state is not _A.WRAP_UP
        for press in (_I.WRAP_UP_OVER, _I.WRAP_UP_EXTENDED)
    },
}
"""What changes nothing, with the reason."""


def find_step(state: AgentState, what: AgentInput) -> Step | None:
    """Return the step of this pair; None if it is to be ignored.

    Raises:
        InvariantError: the pair is in neither table.
    """
    step = TRANSITIONS.get((state, what))
    if step is None and (state, what) not in IGNORED:
        message = f"an agent that is {state.value} cannot meet {what.value}"
        raise InvariantError(message, state=state.value, input=what.value)
    return step
