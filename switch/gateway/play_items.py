"""What a player plays: prompts, tones, silence. Values of the control protocol."""

from __future__ import annotations

from switch.gateway.message import Message


class Prompt(Message, frozen=True, kw_only=True, tag="prompt"):
    """A shipped or recorded prompt, by name below the prompt folders, without suffix: `en/welcome`."""

    name: str


class Tone(Message, frozen=True, kw_only=True, tag="tone"):
    """A tone of one or two frequencies."""

    frequencies_hz: tuple[float, ...]
    duration_ms: int
    level_dbov: float = -15.0


class Silence(Message, frozen=True, kw_only=True, tag="silence"):
    """Silence of a given length."""

    duration_ms: int


PlayItem = Prompt | Tone | Silence
