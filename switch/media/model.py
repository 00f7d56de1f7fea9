"""What a player plays, in the engine's words (the control protocol has its own, for the wire)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PromptItem:
    """A prompt by name."""

    name: str


@dataclass(frozen=True, slots=True)
class ToneItem:
    """A tone of one or more frequencies."""

    frequencies_hz: tuple[float, ...]
    duration_ms: int
    level_dbov: float


@dataclass(frozen=True, slots=True)
class SilenceItem:
    """Silence of a given length."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """How a leg is encrypted."""

    suite: str
    send: bytes = field(repr=False)
    """Master key and salt."""
    receive: bytes = field(repr=False)


PlayerItem = PromptItem | ToneItem | SilenceItem
