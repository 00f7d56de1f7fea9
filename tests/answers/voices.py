"""The voices of the corpus, and which of them the training never hears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaker."""

    name: str
    engine: str
    """`espeak` or `piper`."""
    language: str
    """Of what is said: `en` or `zh`."""
    is_held: bool
    """Kept back for the figures."""
    voice: str = ""
    """Of espeak-ng: language and variant."""
    rate: int = 165
    """Words a minute."""
    pitch: int = 50
    """Of espeak-ng, 0 to 99."""
    speed: float = 1.0
    """Of Piper's sound, played faster or slower: another throat, and another tempo."""


def _espeak(language: str, base: str, names: str, *, is_held: bool) -> list[Voice]:
    """Voices from `variant:rate:pitch` words."""
    voices = []
    for word in names.split():
        variant, rate, pitch = word.split(":")
        voices.append(
            Voice(
                f"{base}+{variant}",
                "espeak",
                language,
                is_held,
                f"{base}+{variant}",
                int(rate),
                int(pitch),
            )
        )
    return voices


VOICES: Final = [
    *_espeak(
        "en", "en-us", "m1:160:45 f2:175:60 Andy:165:50 Michael:155:40 Annie:180:55 max:150:35 linda:170:60 "
        "Gene:145:45 belinda:185:50", is_held=False,
    ),
    *_espeak(
        "en", "en", "m3:170:50 f4:160:55 edward2:175:45 shelby:165:60 travis:150:40 steph:190:55",
        is_held=False,
    ),
    *_espeak("en", "en-gb-scotland", "m7:165:40 f1:170:60", is_held=False),
    *_espeak("en", "en-029", "m5:160:50 f3:175:55", is_held=False),
    *_espeak("zh", "cmn", "m1:190:45 f2:200:60 Andy:180:50 m7:170:40 Annie:210:55 klatt2:190:50",
        is_held=False),
    *_espeak("en", "en-us", "m8:165:45 f5:170:65 Reed:155:50 klatt4:170:45", is_held=True),
    *_espeak("en", "en-gb-x-rp", "m4:160:45 Alicia:175:55 benjamin:165:40", is_held=True),
    *_espeak("zh", "cmn", "m3:185:45 f4:195:60 Alicia:180:55", is_held=True),
    # The only voice here that was learnt from a person.
    Voice("joe", "piper", "en", True),
    Voice("joe-small", "piper", "en", True, speed=1.13),
    Voice("joe-large", "piper", "en", True, speed=0.91),
]  # fmt: skip
