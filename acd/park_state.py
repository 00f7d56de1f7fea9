"""The course of a parked call, as a table.

    (park) --> waiting --fetch--> fetching --answered--> over: who fetched it has it
                |  ^                 |
                |  '------gone-------'
               due
                v
           recalling --answered--> over: who parked it has it again
                |  '----fetch----> fetching
                |  '----gone-----> waiting, for the next ring-back
             nobody
                v
        over: its queue or the configured number has it; or leaving, the caller is told and let go

Until it is over the customer hears music, or why the call ends, and may be fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final


class ParkState(StrEnum):
    """What happens to it."""

    WAITING = "waiting"
    """Nobody is called."""
    FETCHING = "fetching"
    """The phone of somebody who wants it is called, or has dialled and is being answered."""
    RECALLING = "recalling"
    """The phone of who parked it is called."""
    LEAVING = "leaving"
    """Nobody wanted it: the customer is told so."""


class ParkInput(StrEnum):
    """What can happen to it."""

    FETCH = "fetch"
    DUE = "due"
    """It has waited so long that who parked it is called."""
    ANSWERED = "answered"
    GONE = "gone"
    """Who is called does not answer, is busy, hung up."""
    NOBODY = "nobody"
    """Who parked it was called often enough, and there is somewhere else for it."""
    NOWHERE = "nowhere"
    """The same, and there is nowhere."""
    TOLD = "told"
    """The customer has heard that nobody is there."""


class Effect(Enum):
    """What is to be done, in this order."""

    DROP = "drop"
    """Hang up on who is called."""
    HUSH = "hush"
    """End the announcement; music again."""
    CALL = "call"
    """Call, or answer, who wants it."""
    RING_BACK = "ring-back"
    """Call who parked it."""
    WAIT = "wait"
    """Set the timer anew."""
    HAND_OVER = "hand-over"
    """Who answered has the contact."""
    PASS_ON = "pass-on"
    """To its queue, or to the configured number."""
    TELL = "tell"
    """Let the customer hear that nobody is there."""
    LET_GO = "let-go"
    """End the contact."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table; `to` None: it is parked no longer."""

    to: ParkState | None
    effects: tuple[Effect, ...] = ()


_S = ParkState
_I = ParkInput

TRANSITIONS: Final[dict[tuple[ParkState, ParkInput], Step]] = {
    (_S.WAITING, _I.FETCH): Step(_S.FETCHING, (Effect.CALL,)),
    (_S.WAITING, _I.DUE): Step(_S.RECALLING, (Effect.RING_BACK,)),
    (_S.FETCHING, _I.ANSWERED): Step(None, (Effect.HAND_OVER,)),
    (_S.FETCHING, _I.GONE): Step(_S.WAITING, (Effect.WAIT,)),
    (_S.RECALLING, _I.FETCH): Step(_S.FETCHING, (Effect.DROP, Effect.CALL)),
    (_S.RECALLING, _I.ANSWERED): Step(None, (Effect.HAND_OVER,)),
    (_S.RECALLING, _I.GONE): Step(_S.WAITING, (Effect.WAIT,)),
    (_S.RECALLING, _I.NOBODY): Step(None, (Effect.PASS_ON,)),
    (_S.RECALLING, _I.NOWHERE): Step(_S.LEAVING, (Effect.TELL,)),
    (_S.LEAVING, _I.FETCH): Step(_S.FETCHING, (Effect.HUSH, Effect.CALL)),
    (_S.LEAVING, _I.TOLD): Step(None, (Effect.LET_GO,)),
}
"""Every step. A pair that is missing is refused: it makes no sense then."""


def find_step(state: ParkState, what: ParkInput) -> Step | None:
    """The step of this pair; None where it makes no sense."""
    return TRANSITIONS.get((state, what))
