"""The speech engines behind one small interface, and which language has which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from ivr.prompts.errors import PromptTextError
from ivr.prompts.levels import Sound


class Voice(Protocol):
    """One voice of a speech engine."""

    def speak(self, text: str) -> tuple[Sound, int]:
        """Return the sound of a text and its rate in Hz."""


def _english() -> Voice:
    from ivr.prompts.piper_voice import PiperEnglish

    return PiperEnglish()


def _chinese() -> Voice:
    from ivr.prompts.espeak_voice import EspeakVoice

    return EspeakVoice("cmn", words_per_minute=175, pitch=45)


_VOICES: Final[dict[str, Callable[[], Voice]]] = {"en": _english, "zh": _chinese}


def voice_for(language: str) -> Voice:
    """Load the voice of a language. Raises SpeechMissingError, PromptTextError."""
    make = _VOICES.get(language)
    if make is None:
        known = ", ".join(_VOICES)
        raise PromptTextError(f"no voice for language `{language}`; there are: {known}")
    return make()
