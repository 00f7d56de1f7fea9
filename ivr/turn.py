"""What a verb is and what it may do: the contract between the interpreter and the verbs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ivr.outcomes import Outcome
from ivr.speaking import Say


class Turn(Protocol):
    """One call of the interpreter, as a verb sees it.

    A verb ends its node with `go` or `finish`. Leaving a node stops its sound, timer and echo.
    """

    @property
    def now(self) -> float:
        """Monotonic seconds."""

    @property
    def wall(self) -> float:
        """Seconds since the epoch."""

    @property
    def language(self) -> str:
        """The language spoken to this caller."""

    def play(self, items: Sequence[Say], *, barge_in: bool) -> None:
        """Say something; `play_finished` follows unless `stop_play` or leaving comes first."""

    def stop_play(self) -> None:
        """Stop what is being said."""

    def set_timer(self, after_s: float) -> None:
        """Ask for `timer_fired`; replaces an earlier timer."""

    def clear_timer(self) -> None:
        """Forget the timer."""

    def set_echo(self, on: bool) -> None:
        """Let the caller hear itself."""

    def note(self, detail: str) -> None:
        """Report what happened, for the history."""

    def value(self, name: str) -> str:
        """Return a variable; empty when it was never set."""

    def remember(self, name: str, value: str, *, secret: bool = False) -> None:
        """Set a variable; it goes to the agent's card unless it is secret."""

    def facts(self) -> dict[str, str]:
        """Return what is to be known of the caller after the flow."""

    def keep_digit(self, digit: str) -> None:
        """Keep a digit for the next verb that asks for one."""

    def next_kept_digit(self) -> str | None:
        """Take the oldest digit that was kept."""

    def forget_digits(self) -> None:
        """Drop all digits that were kept."""

    def go(self, node: str) -> None:
        """Go on at another node."""

    def finish(self, outcome: Outcome) -> None:
        """End the flow."""


class Activity(Protocol):
    """A verb that has begun and waits for something."""

    def digit(self, turn: Turn, digit: str) -> None:
        """Take a key press."""

    def play_finished(self, turn: Turn) -> None:
        """Take the end of what was said."""

    def timer_fired(self, turn: Turn) -> None:
        """Take the end of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step of a flow: a verb with its values. Each verb derives its own."""

    VERB: ClassVar[str]
    NEEDS_ANSWER: ClassVar[bool] = True
    """The caller must hear or be heard; verbs that only decide do not answer the call."""

    name: str
    line: int
    """Where it stands in its file."""

    @abstractmethod
    def begin(self, turn: Turn) -> Activity | None:
        """Carry out the verb; an activity when it waits for something."""

    @abstractmethod
    def edges(self) -> tuple[str, ...]:
        """Return the nodes that may follow."""

    def edges_without_input(self) -> tuple[str, ...]:
        """Return the nodes that may follow although the caller does nothing."""
        return self.edges()
