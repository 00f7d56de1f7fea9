"""What has been heard since the answer, as numbers that the model weighs."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from switch.gateway.protocol import SoundFeatures

MIN_VOICED: Final = 0.2
MIN_VOICED_MS: Final = 80
"""A burst with less of a voice in it is noise."""
MOST_BURSTS: Final = 64
CAP_MS: Final = 6000
"""Longer times are all the same."""
NAMES: Final = (
    "onset_ms",
    "since_ms",
    "speech_ms",
    "bursts",
    "first_ms",
    "last_ms",
    "pause_ms",
    "longest_pause_ms",
    "level_db",
    "spread_db",
    "voiced",
    "crossings",
    "voice_hz",
    "voice_move",
    "noise_dbov",
)
"""The features, in the model's order; `Timeline.features` explains them."""


class Heard(Struct, frozen=True, array_like=True):
    """One report of the gateway, in whole numbers: what is kept can be judged again, with the same result."""

    at_ms: int
    speaking: bool
    since_ms: int
    bursts: int
    mean_db: int
    floor_db: int
    spread_db: int
    """Tenths."""
    voiced: int
    """Percent."""
    voice_hz: int
    crossings: int
    """Tenths of a percent."""
    tone: str = ""
    tone_hz: int = 0
    tone_ms: int = 0


def in_whole_numbers(sound: SoundFeatures) -> Heard:
    """A report as it is kept, and judged."""
    return Heard(
        at_ms=sound.at_ms,
        speaking=sound.speaking,
        since_ms=sound.since_ms,
        bursts=sound.bursts,
        mean_db=round(sound.mean_dbov),
        floor_db=round(sound.floor_dbov),
        spread_db=round(10 * sound.spread_db),
        voiced=round(100 * sound.voiced),
        voice_hz=round(sound.voice_hz),
        crossings=round(1000 * sound.crossings),
        tone=sound.tone,
        tone_hz=round(sound.tone_hz),
        tone_ms=sound.tone_ms,
    )


@dataclass(slots=True)
class _Burst:
    """Speech, or noise as loud."""

    begin_ms: int
    end_ms: int
    voiced_ms: int = 0
    over: bool = False

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.begin_ms

    @property
    def is_talk(self) -> bool:
        return self.voiced_ms >= max(MIN_VOICED * self.length_ms, MIN_VOICED_MS)


class Timeline:
    """Bursts and pauses. Times are milliseconds of the watch."""

    def __init__(self, begin_ms: int = 0) -> None:
        self.begin_ms = begin_ms
        """Of the answer."""
        self._at_ms = begin_ms
        self._bursts: list[_Burst] = []
        self._floor = -65
        self._ms = 0
        """Of the reports while somebody spoke; the sums below are weighed by it."""
        self._level = self._spread = self._crossings = 0.0
        self._voiced_ms = 0
        self._voice = self._log_voice = 0.0
        self._last_voice = 0

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks."""
        return bool(self._bursts) and not self._bursts[-1].over

    @property
    def onset_ms(self) -> int | None:
        """When the first word was said; None: none was."""
        for burst in self._bursts:
            if burst.is_talk:
                return burst.begin_ms
        return None

    def paused_ms(self, at_ms: int) -> int:
        """How long the speech is over; 0: it is not, or nobody has spoken."""
        if self.speaking or self.onset_ms is None:
            return 0
        return max(at_ms - self._bursts[-1].end_ms, 0)

    def add(self, heard: Heard) -> None:
        """One report later."""
        length = min(max(heard.at_ms - self._at_ms, 0), 1000)
        self._at_ms = heard.at_ms
        self._floor = heard.floor_db
        bursts = self._bursts
        if heard.speaking and not self.speaking and len(bursts) < MOST_BURSTS:
            begin = min(max(heard.since_ms, self.begin_ms), heard.at_ms)
            bursts.append(_Burst(begin, heard.at_ms))
        if not bursts or bursts[-1].over:
            return
        burst = bursts[-1]
        voiced = min(length, heard.at_ms - burst.begin_ms) * heard.voiced // 100
        burst.voiced_ms += voiced
        if not heard.speaking:
            burst.over = True
            burst.end_ms = max(min(heard.since_ms, heard.at_ms), burst.begin_ms)
            return
        burst.end_ms = heard.at_ms
        self._ms += length
        self._level += length * heard.mean_db
        self._spread += length * heard.spread_db / 10
        self._crossings += length * heard.crossings / 10
        if heard.voice_hz:
            self._voiced_ms += voiced
            self._voice += voiced * heard.voice_hz
            self._last_voice = heard.voice_hz

    def features(self, at_ms: int) -> tuple[float, ...]:
        """As `NAMES` has them, as of a time that is not before the last report.

        Times in ms, at most `CAP_MS`: of the first word since the answer; since the first word; of
        speech in all; bursts of it; the first and the newest burst; the present pause, and the longest
        one that is over. Then, of all speech: level above the noise and its spread in dB, percent
        voiced, percent of sign changes, mean pitch in Hz, and how far the newest pitch lies above the
        mean, in octaves. Last the level of the noise.
        """
        talk = [burst for burst in self._bursts if burst.is_talk]
        if not talk:
            return (0.0,) * (len(NAMES) - 1) + (float(self._floor),)
        first, last = talk[0], talk[-1]
        ms = max(self._ms, 1)
        end_of_last = at_ms if not last.over else last.end_ms
        speech = sum(burst.length_ms for burst in talk[:-1]) + end_of_last - last.begin_ms
        first_ms = first.length_ms if first is not last else end_of_last - first.begin_ms
        pauses = [after.begin_ms - before.end_ms for before, after in itertools.pairwise(talk)]
        voice = self._voice / self._voiced_ms if self._voiced_ms else 0.0
        return (
            float(min(first.begin_ms - self.begin_ms, CAP_MS)),
            float(min(at_ms - first.begin_ms, CAP_MS)),
            float(min(speech, CAP_MS)),
            float(len(talk)),
            float(min(first_ms, CAP_MS)),
            float(min(end_of_last - last.begin_ms, CAP_MS)),
            float(min(at_ms - end_of_last, CAP_MS)),
            float(min(max(pauses, default=0), CAP_MS)),
            self._level / ms - self._floor,
            self._spread / ms,
            100.0 * sum(burst.voiced_ms for burst in talk) / max(speech, 1),
            self._crossings / ms,
            voice,
            math.log2(self._last_voice / voice) if voice and self._last_voice else 0.0,
            float(self._floor),
        )
