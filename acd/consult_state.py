"""The course of a consultation or a transfer, as a table.

    (begin) --> calling --answered--> private <--toggle--> aside
                   |                     |                   |
                complete              complete, join or cancel: over
                   v
    (blind) --> handing --answered--> over: the target has the contact
                   '------gone------> over: the contact is given back

Whatever happens, somebody has the customer: the agent, the target, or the queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final


class ConsultState(StrEnum):
    """Who is where."""

    CALLING = "calling"
    """The target is called. The agent hears ringing, the customer music."""
    PRIVATE = "private"
    """Agent and target talk; the customer hears music."""
    ASIDE = "aside"
    """The agent is back with the customer; the target hears music."""
    HANDING = "handing"
    """The agent is gone. The target is called; the customer hears music."""


class ConsultInput(StrEnum):
    """What can happen to it."""

    ANSWERED = "answered"
    GONE = "gone"
    """The target is busy, does not answer, does not exist, or hung up."""
    COMPLETE = "complete"
    JOIN = "join"
    TOGGLE = "toggle"
    CANCEL = "cancel"
    PASSED_ON = "passed-on"
    """The target has transferred the agent to somebody who is still called, and hung up."""
    AGENT_GONE = "agent-gone"
    """The agent hung up: the contact is the target's."""
    AGENT_GONE_BACK = "agent-gone-back"
    """The same where the site wants the contact in its queue then."""


class Effect(Enum):
    """What is to be done, in this order."""

    DROP = "drop"
    """Hang up on the target."""
    LET_GO = "let-go"
    """The agent is done with the contact."""
    HAND_OVER = "hand-over"
    """The target takes the agent's place."""
    ADMIT = "admit"
    """The target is a party to the conversation."""
    GIVE_BACK = "give-back"
    """To the head of the queue, or to the agent who had it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table; `to` None: the consultation is over."""

    to: ConsultState | None
    effects: tuple[Effect, ...] = ()


_S = ConsultState
_I = ConsultInput
_WITH_TARGET: Final = (_S.PRIVATE, _S.ASIDE)
_OVER = Step(None)

TRANSITIONS: Final[dict[tuple[ConsultState, ConsultInput], Step]] = {
    (_S.CALLING, _I.ANSWERED): Step(_S.PRIVATE),
    (_S.CALLING, _I.GONE): _OVER,
    (_S.CALLING, _I.CANCEL): Step(None, (Effect.DROP,)),
    (_S.CALLING, _I.COMPLETE): Step(_S.HANDING, (Effect.LET_GO,)),
    (_S.CALLING, _I.AGENT_GONE): Step(_S.HANDING, (Effect.LET_GO,)),
    (_S.CALLING, _I.AGENT_GONE_BACK): Step(None, (Effect.DROP, Effect.LET_GO, Effect.GIVE_BACK)),
    **{(state, _I.GONE): _OVER for state in _WITH_TARGET},
    **{(state, _I.CANCEL): Step(None, (Effect.DROP,)) for state in _WITH_TARGET},
    **{(state, _I.COMPLETE): Step(None, (Effect.HAND_OVER,)) for state in _WITH_TARGET},
    **{(state, _I.JOIN): Step(None, (Effect.ADMIT,)) for state in _WITH_TARGET},
    **{(state, _I.AGENT_GONE): Step(None, (Effect.HAND_OVER,)) for state in _WITH_TARGET},
    **{
        (state, _I.AGENT_GONE_BACK): Step(None, (Effect.DROP, Effect.LET_GO, Effect.GIVE_BACK))
        for state in _WITH_TARGET
    },
    (_S.PRIVATE, _I.PASSED_ON): Step(_S.CALLING),
    (_S.ASIDE, _I.PASSED_ON): Step(None, (Effect.DROP,)),
    (_S.PRIVATE, _I.TOGGLE): Step(_S.ASIDE),
    (_S.ASIDE, _I.TOGGLE): Step(_S.PRIVATE),
    (_S.HANDING, _I.ANSWERED): Step(None, (Effect.HAND_OVER,)),
    (_S.HANDING, _I.GONE): Step(None, (Effect.GIVE_BACK,)),
}
"""Every step. A pair that is missing is refused: it makes no sense then."""


def find_step(state: ConsultState, what: ConsultInput) -> Step | None:
    """The step of this pair; None where it makes no sense."""
    return TRANSITIONS.get((state, what))
