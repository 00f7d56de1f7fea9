"""Gathering digits: prompt, first digit, further digits. The common part of `collect` and `menu`.

prompting --end of prompt--> waiting --digit--> entering --last digit, terminator, time--> done
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ivr.speaking import Say
from ivr.turn import Turn


class State(Enum):
    """Where the gathering stands."""

    PROMPTING = auto()
    WAITING = auto()
    """For the first digit."""
    ENTERING = auto()
    """For further digits."""
    DONE = auto()


class Happening(Enum):
    """What can happen to it."""

    PROMPT_ENDED = auto()
    DIGIT = auto()
    LAST_DIGIT = auto()
    """The digit that fills the field."""
    TERMINATOR = auto()
    TIME_OUT = auto()


class Effect(Enum):
    """What then is to be done, in this order."""

    STOP_PROMPT = auto()
    CLEAR_TIMER = auto()
    KEEP = auto()
    AWAIT_FIRST = auto()
    AWAIT_NEXT = auto()
    COMPLETE = auto()
    GIVE_UP = auto()
    """Nothing was pressed."""


_S, _H, _E = State, Happening, Effect

TRANSITIONS: Final[dict[tuple[State, Happening], tuple[State, tuple[Effect, ...]]]] = {
    (_S.PROMPTING, _H.PROMPT_ENDED): (_S.WAITING, (_E.AWAIT_FIRST,)),
    (_S.PROMPTING, _H.DIGIT): (_S.ENTERING, (_E.STOP_PROMPT, _E.KEEP, _E.AWAIT_NEXT)),
    (_S.PROMPTING, _H.LAST_DIGIT): (_S.DONE, (_E.STOP_PROMPT, _E.KEEP, _E.COMPLETE)),
    (_S.PROMPTING, _H.TERMINATOR): (_S.DONE, (_E.STOP_PROMPT, _E.COMPLETE)),
    (_S.WAITING, _H.DIGIT): (_S.ENTERING, (_E.KEEP, _E.AWAIT_NEXT)),
    (_S.WAITING, _H.LAST_DIGIT): (_S.DONE, (_E.CLEAR_TIMER, _E.KEEP, _E.COMPLETE)),
    (_S.WAITING, _H.TERMINATOR): (_S.DONE, (_E.CLEAR_TIMER, _E.COMPLETE)),
    (_S.WAITING, _H.TIME_OUT): (_S.DONE, (_E.GIVE_UP,)),
    (_S.ENTERING, _H.DIGIT): (_S.ENTERING, (_E.KEEP, _E.AWAIT_NEXT)),
    (_S.ENTERING, _H.LAST_DIGIT): (_S.DONE, (_E.CLEAR_TIMER, _E.KEEP, _E.COMPLETE)),
    (_S.ENTERING, _H.TERMINATOR): (_S.DONE, (_E.CLEAR_TIMER, _E.COMPLETE)),
    (_S.ENTERING, _H.TIME_OUT): (_S.DONE, (_E.COMPLETE,)),
}

IGNORED: Final[dict[tuple[State, Happening], str]] = {
    (_S.PROMPTING, _H.TIME_OUT): "no timer runs during the prompt",
    (_S.WAITING, _H.PROMPT_ENDED): "it has ended already",
    (_S.ENTERING, _H.PROMPT_ENDED): "it was stopped by the first digit",
    **{(_S.DONE, happening): "the verb has gone on" for happening in Happening},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherRules:
    """How digits are gathered."""

    max_digits: int
    terminator: str
    """Empty: none."""
    first_digit_timeout_s: float
    inter_digit_timeout_s: float
    barge_in: bool
    secret: bool
    """Show the digits as `*` in the history."""


class Gather:
    """One round of gathering. `on_digits` gets what was entered, empty when nothing was.

    It is given the gathering too, to begin it anew: an owner that kept it would make a cycle of every call.
    """

    __slots__ = ("_digits", "_on_digits", "_rules", "_state")

    def __init__(self, rules: GatherRules, on_digits: Callable[[Gather, Turn, str], None]) -> None:
        self._rules = rules
        self._on_digits = on_digits
        self._state = State.DONE
        self._digits = ""

    def begin(self, turn: Turn, items: Sequence[Say]) -> None:
        """Ask. Digits pressed ahead count, and spare the caller the prompt."""
        self._digits = ""
        self._state = State.PROMPTING
        if self._rules.barge_in and self._take_kept(turn):
            return
        turn.play(items, barge_in=self._rules.barge_in)

    def digit(self, turn: Turn, digit: str) -> None:
        """Take a key press."""
        if self._state is State.PROMPTING and not self._rules.barge_in:
            turn.keep_digit(digit)
            return
        turn.note("digit *" if self._rules.secret else f"digit {digit}")
        if digit == self._rules.terminator:
            self._apply(turn, Happening.TERMINATOR, digit)
        elif len(self._digits) + 1 >= self._rules.max_digits:
            self._apply(turn, Happening.LAST_DIGIT, digit)
        else:
            self._apply(turn, Happening.DIGIT, digit)

    def play_finished(self, turn: Turn) -> None:
        """Take the end of the prompt."""
        self._apply(turn, Happening.PROMPT_ENDED)
        self._take_kept(turn)

    def timer_fired(self, turn: Turn) -> None:
        """Take the end of the time."""
        self._apply(turn, Happening.TIME_OUT)

    def _take_kept(self, turn: Turn) -> bool:
        """Use digits pressed ahead, as many as are wanted; True when there was one."""
        if (first := turn.next_kept_digit()) is None:
            return False
        self._state = State.WAITING  # when pressed ahead of the prompt, it is not played at all
        self.digit(turn, first)
        while self._state is not State.DONE and (more := turn.next_kept_digit()) is not None:
            self.digit(turn, more)
        return True

    def _apply(self, turn: Turn, happening: Happening, digit: str = "") -> None:
        step = TRANSITIONS.get((self._state, happening))
        if step is None:
            if (self._state, happening) not in IGNORED:
                raise AssertionError(f"no transition for {self._state}, {happening}")
            return
        self._state, effects = step
        for effect in effects:
            match effect:
                case Effect.STOP_PROMPT:
                    turn.stop_play()
                case Effect.CLEAR_TIMER:
                    turn.clear_timer()
                case Effect.KEEP:
                    self._digits += digit
                case Effect.AWAIT_FIRST:
                    turn.set_timer(self._rules.first_digit_timeout_s)
                case Effect.AWAIT_NEXT:
                    turn.set_timer(self._rules.inter_digit_timeout_s)
                case Effect.COMPLETE | Effect.GIVE_UP:
                    self._on_digits(self, turn, self._digits)
