"""What the interpreter wants done. Carried out by `ivr.runner`."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.outcomes import Outcome
from switch.gateway.protocol import PlayItem


@dataclass(frozen=True, slots=True)
class AnswerLeg:
    """Answer the caller; `Answered` is expected."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play to the caller; `PlayFinished` is expected unless `StopPlay` comes first."""

    items: tuple[PlayItem, ...]
    barge_in: bool
    """A digit will stop it."""


@dataclass(frozen=True, slots=True)
class StopPlay:
    """Stop what is being played; no `PlayFinished` is expected for it."""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Send `TimerFired` at `deadline` (monotonic seconds); replaces an earlier one."""

    deadline: float


@dataclass(frozen=True, slots=True)
class ClearTimer:
    """Forget the timer."""


@dataclass(frozen=True, slots=True)
class SetEcho:
    """Let the caller hear itself, or no longer."""

    on: bool


@dataclass(frozen=True, slots=True)
class Step:
    """Something happened that the history should show."""

    node: str
    verb: str
    detail: str
    """Empty when the node was entered. Secret digits are masked."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The flow is over. Always the last action."""

    outcome: Outcome


Action = AnswerLeg | Play | StopPlay | SetTimer | ClearTimer | SetEcho | Step | Finish
