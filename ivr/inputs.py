"""What the interpreter is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answered:
    """The caller's leg has sound."""


@dataclass(frozen=True, slots=True)
class Digit:
    """The caller pressed a key, one of `0-9 * # A-D`."""

    digit: str


@dataclass(frozen=True, slots=True)
class PlayFinished:
    """What the last `Play` asked for has been played to its end."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The deadline of the last `SetTimer` has come."""


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The caller's leg is gone."""


Input = Answered | Digit | PlayFinished | TimerFired | CallerHungUp
