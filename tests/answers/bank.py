"""The bank: each text spoken by each voice, clean, 8 kHz; one Ogg/Opus file a voice and an index.

`python -m tests.answers.bank` speaks it anew (needs `switchroom[speech]`; Piper never speaks a sentence
twice alike, so what is shipped counts). All that is done to it afterwards comes from seeds.
"""

from __future__ import annotations

import functools
import json
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tests.answers.voices import VOICES, Voice

RATE_HZ: Final = 8000
FOLDER: Final = Path(__file__).parents[1] / "data" / "answers"
TEXTS: Final = Path(__file__).with_name("texts.toml")
MOST_S: Final = 7.0
"""Of one text: who has spoken so long has been judged."""
_GAP: Final = RATE_HZ // 4
PEOPLE: Final = ("hello", "short", "business")
MACHINES: Final = ("personal", "carrier", "menu")
Sound = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One text by one voice."""

    voice: str
    language: str
    kind: str
    text: str
    is_held: bool
    begin: int
    """Sample in the voice's file."""
    length: int


def texts(language: str, *, is_held: bool) -> Iterator[tuple[str, str]]:
    """Kind and words of all texts of a part."""
    for group in tomllib.loads(TEXTS.read_text())[language]:
        for text in group["held" if is_held else "seen"]:
            yield group["kind"], text


def speaker_of(voice: Voice) -> Any:
    """The engine of a voice."""
    if voice.engine == "piper":
        from ivr.prompts.piper_voice import PiperEnglish

        return PiperEnglish()
    from ivr.prompts.espeak_voice import EspeakVoice

    return EspeakVoice(voice.voice, words_per_minute=voice.rate, pitch=voice.pitch)


def trimmed(sound: Sound) -> Sound:
    """Without the silence around it, at a level of -20 dBov while it speaks."""
    frames = sound[: len(sound) // 80 * 80].reshape(-1, 80)
    power = (frames**2).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 1e-4)
    kept = frames[loud[0] : loud[-1] + 1].reshape(-1)
    speech = power[power > power.max() * 1e-2].mean()
    level: Sound = kept * (0.1 / np.sqrt(speech))
    return level


def speak(voice: Voice, folder: Path) -> list[Utterance]:
    """Make one voice's file; return what is in it."""
    engine = speaker_of(voice)
    found: list[Utterance] = []
    parts: list[Sound] = []
    at = 0
    for number, (kind, text) in enumerate(texts(voice.language, is_held=voice.is_held)):
        # Half of the greetings a voice.
        is_other = (number + zlib.crc32(voice.name.encode())) % 2
        if kind in MACHINES and voice.engine == "espeak" and is_other:
            continue
        sound, rate = engine.speak(text)
        sound = trimmed(soxr.resample(sound, rate * voice.speed, RATE_HZ))[: int(MOST_S * RATE_HZ)]
        parts += [sound, np.zeros(_GAP)]
        found.append(
            Utterance(voice.name, voice.language, kind, text, voice.is_held, at, len(sound))
        )
        at += len(sound) + _GAP
    wave = np.clip(np.concatenate(parts), -1, 1)
    with soundfile.SoundFile(
        folder / f"{voice.name}.opus",
        "w",
        RATE_HZ,
        1,
        format="OGG",
        subtype="OPUS",
        compression_level=0.968,
    ) as out:
        out.write(wave)
    return found


def make(folder: Path) -> None:
    """Speak it all."""
    folder.mkdir(parents=True, exist_ok=True)
    index = [[*_row(u)] for voice in VOICES for u in speak(voice, folder)]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in index)
    (folder / "bank.json").write_text(f"[\n{lines}\n]\n")


def _row(u: Utterance) -> tuple[object, ...]:
    return (u.voice, u.language, u.kind, u.text, u.is_held, u.begin, u.length)


@functools.cache
def read(folder: Path = FOLDER) -> list[Utterance]:
    """The index; not to be changed."""
    return [Utterance(*row) for row in json.loads((folder / "bank.json").read_text())]


def sounds(voice: str, folder: Path = FOLDER) -> Sound:
    """All that a voice says."""
    wave, rate = soundfile.read(folder / f"{voice}.opus", dtype="float64")
    if rate != RATE_HZ:
        wave = soxr.resample(wave, rate, RATE_HZ)
    return np.asarray(wave)


if __name__ == "__main__":
    make(FOLDER)
