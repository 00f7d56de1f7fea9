"""The course of an attempt, as a table.

    reading --> calling-agent --> dialling --> ringing --> judging --> waiting --> talking
    (preview, manual, reserved)      ^            |           |           |
                                (all others)      |           |     no agent in time
                                                  v           v           v
                      over <--- announcing, leaving-message  <-'      regretting --> over

A person who answered is never just dropped: an agent, the campaign's flow, or the message for abandoned
calls has it. Each way to the end keeps an outcome (`acd.dialer.outcomes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final


class AttemptState(StrEnum):
    """Where an attempt is."""

    READING = "reading"
    """An agent looks at the record; nobody is called yet."""
    CALLING_AGENT = "calling-agent"
    """The phone of the agent who is to talk is called first."""
    DIALLING = "dialling"
    RINGING = "ringing"
    JUDGING = "judging"
    """Answered; whether by a person is being found out."""
    WAITING = "waiting"
    """A person, for whom an agent's phone is called. Hears nothing but the line."""
    REGRETTING = "regretting"
    """No agent came in time: the message for abandoned calls is played."""
    LEAVING_MESSAGE = "leaving-message"
    """A machine records our message."""
    ANNOUNCING = "announcing"
    """A person hears the campaign's flow."""
    TALKING = "talking"


class AttemptInput(StrEnum):
    """What can happen to it."""

    CONSENT = "consent"
    """The agent wants to dial, or its time to read is over and the campaign dials then."""
    AGENT_READY = "agent-ready"
    """The phone of the agent who is called first is answered."""
    AGENT_GONE = "agent-gone"
    """That agent gave the record back, signed off, did not answer or hung up."""
    RINGS = "rings"
    ANSWERED = "answered"
    """By whom is to be found out."""
    PERSON = "person"
    """A person, who needs an agent."""
    PERSON_WITH_AGENT = "person-with-agent"
    """A person, whose agent is on the line already."""
    PERSON_FOR_FLOW = "person-for-flow"
    MACHINE = "machine"
    """A machine, a fax or a tone: nothing to be said to."""
    MACHINE_TO_TELL = "machine-to-tell"
    """A machine that our message is left on."""
    AGENT = "agent"
    """An agent talks to the person."""
    TOO_LATE = "too-late"
    """No agent came in time."""
    OPTED_OUT = "opted-out"
    MESSAGE_OVER = "message-over"
    CANCEL = "cancel"
    """Our side wants no more of it."""
    GONE = "gone"
    """The customer's leg ended."""


class Effect(Enum):
    """What is to be done, in this order."""

    CALL_AGENT = "call the agent"
    DIAL = "dial"
    JUDGE = "judge"
    QUEUE = "queue"
    REGRET = "regret"
    LEAVE_MESSAGE = "leave the message"
    RUN_FLOW = "run the flow"
    TOLD = "note the talk"
    HANG_UP = "hang up"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table; `to` None: it is over."""

    to: AttemptState | None
    effects: tuple[Effect, ...] = ()


_S = AttemptState
_I = AttemptInput
_E = Effect
UNANSWERED: Final = (_S.DIALLING, _S.RINGING)
TO_BE_JUDGED: Final = (*UNANSWERED, _S.JUDGING)
WITH_AGENT_FIRST: Final = (_S.READING, _S.CALLING_AGENT)
_OVER: Final = Step(None, (_E.HANG_UP, _E.SETTLE))

TRANSITIONS: Final[dict[tuple[AttemptState, AttemptInput], Step]] = {
    (_S.READING, _I.CONSENT): Step(_S.CALLING_AGENT, (_E.CALL_AGENT,)),
    (_S.READING, _I.AGENT_READY): Step(_S.DIALLING, (_E.DIAL,)),
    (_S.CALLING_AGENT, _I.AGENT_READY): Step(_S.DIALLING, (_E.DIAL,)),
    **{(state, _I.AGENT_GONE): _OVER for state in (*WITH_AGENT_FIRST, *UNANSWERED)},
    (_S.DIALLING, _I.RINGS): Step(_S.RINGING),
    **{(state, _I.ANSWERED): Step(_S.JUDGING, (_E.JUDGE,)) for state in UNANSWERED},
    **{(state, _I.PERSON): Step(_S.WAITING, (_E.QUEUE,)) for state in TO_BE_JUDGED},
    **{(state, _I.PERSON_WITH_AGENT): Step(_S.TALKING, (_E.TOLD,)) for state in TO_BE_JUDGED},
    **{(state, _I.PERSON_FOR_FLOW): Step(_S.ANNOUNCING, (_E.RUN_FLOW,)) for state in TO_BE_JUDGED},
    **{(state, _I.MACHINE): _OVER for state in TO_BE_JUDGED},
    (_S.JUDGING, _I.MACHINE_TO_TELL): Step(_S.LEAVING_MESSAGE, (_E.LEAVE_MESSAGE,)),
    (_S.WAITING, _I.AGENT): Step(_S.TALKING, (_E.TOLD,)),
    (_S.WAITING, _I.TOO_LATE): Step(_S.REGRETTING, (_E.REGRET,)),
    (_S.ANNOUNCING, _I.AGENT): Step(_S.TALKING, (_E.TOLD,)),
    **{(state, _I.OPTED_OUT): _OVER for state in (_S.REGRETTING, _S.ANNOUNCING)},
    **{(state, _I.MESSAGE_OVER): _OVER for state in (_S.REGRETTING, _S.LEAVING_MESSAGE)},
    **{(state, _I.CANCEL): _OVER for state in (*WITH_AGENT_FIRST, *UNANSWERED)},
    **{(state, _I.GONE): Step(None, (_E.SETTLE,)) for state in _S},
}
"""Every step. A pair that is missing changes nothing: news crosses, and each state is left by GONE."""


def find_step(state: AttemptState, what: AttemptInput) -> Step | None:
    """The step of this pair; None where it makes no sense, or comes too late."""
    return TRANSITIONS.get((state, what))
