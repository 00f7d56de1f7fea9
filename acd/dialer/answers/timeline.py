"""What has been heard since the answer, as numbers that the model weighs."""

from __future__ import annotations

import itertools
import math
from typing import Final

from msgspec import Struct

from acd.dialer.answers.contour import FRAME_MS, Contour
from switch.gateway.protocol import SoundFeatures

CAP_MS: Final = 6000
"""Longer times are all the same."""
_MOST_LATE_FRAMES: Final = 50
"""Frames that one report is taken to tell of."""
_LONG_PAUSE_MS: Final = 300
NAMES: Final = (
    "onset_ms",
    "since_ms",
    "speech_ms",
    "bursts",
    "first_ms",
    "last_ms",
    "pause_ms",
    "longest_pause_ms",
    "second_pause_ms",
    "long_pauses",
    "longest_ms",
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
    levels: tuple[int, ...] = ()
    """None are in records of earlier versions: `mean_db` stands for them."""


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
        levels=sound.levels,
    )


class Timeline:
    """Bursts of talk and pauses. Times are milliseconds of the watch."""

    def __init__(self, begin_ms: int = 0) -> None:
        self.begin_ms = begin_ms
        """Of the answer."""
        self._contour = Contour()
        self._last_voice = 0

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks."""
        return self._contour.speaking

    @property
    def onset_ms(self) -> int | None:
        """When the first word was said, as far as is known by now; None: none was."""
        bursts = self._contour.bursts
        return self._ms(bursts[0].begin) if bursts else None

    @property
    def silent_from_ms(self) -> int | None:
        """When the speech was over; None: it is not, or nobody has spoken."""
        if self.speaking or not self._contour.bursts:
            return None
        return self._ms(self._contour.bursts[-1].end)

    def paused_ms(self, at_ms: int) -> int:
        """How long the speech is over; 0: it is not, or nobody has spoken."""
        silent_from = self.silent_from_ms
        return 0 if silent_from is None else max(at_ms - silent_from, 0)

    def add(self, heard: Heard) -> None:
        """One report later."""
        count = (heard.at_ms - self._ms(self._contour.frames)) // FRAME_MS
        if count <= 0:
            return
        levels = heard.levels[-count:]
        missing = min(count, _MOST_LATE_FRAMES) - len(levels)
        self._contour.add(
            (heard.mean_db,) * missing + levels, heard.voiced, heard.voice_hz, heard.crossings
        )
        if heard.voice_hz and self.speaking:
            self._last_voice = heard.voice_hz

    def features(self, at_ms: int) -> tuple[float, ...]:
        """As `NAMES` has them, as of a time that is not before the last report.

        Times in ms, at most `CAP_MS`: of the first word since the answer; since the first word; of
        speech in all; bursts of it; the first and the newest burst; the present pause; the longest one
        that is over, the next, and how many are long; the longest burst. Then, of all speech: level above
        the noise and its spread in dB, percent voiced, percent of sign changes, mean pitch in Hz, and how
        far the newest pitch lies above the mean, in octaves. Last the level of the noise.
        """
        contour = self._contour
        if not contour.bursts:
            return (0.0,) * (len(NAMES) - 1) + (float(contour.noise_db),)
        bursts = [(self._ms(burst.begin), self._ms(burst.end)) for burst in contour.bursts]
        if self.speaking:
            bursts[-1] = (bursts[-1][0], max(at_ms, bursts[-1][1]))
        lengths = [end - begin for begin, end in bursts]
        between = sorted(after[0] - before[1] for before, after in itertools.pairwise(bursts))
        pauses = [0, 0, *between]
        sums = contour.sums()
        level = sums.level / sums.frames
        voice = sums.voice_hz / sums.voiced
        return (
            _capped(bursts[0][0] - self.begin_ms),
            _capped(at_ms - bursts[0][0]),
            _capped(sum(lengths)),
            float(len(bursts)),
            _capped(lengths[0]),
            _capped(lengths[-1]),
            _capped(at_ms - bursts[-1][1]),
            _capped(pauses[-1]),
            _capped(pauses[-2]),
            float(sum(pause >= _LONG_PAUSE_MS for pause in pauses)),
            _capped(max(lengths)),
            level - contour.noise_db,
            max(sums.squares / sums.frames - level * level, 0.0) ** 0.5,
            sums.voiced / sums.frames,
            sums.crossings / sums.frames / 10,
            voice,
            math.log2(self._last_voice / voice) if self._last_voice else 0.0,
            float(contour.noise_db),
        )

    def _ms(self, frame: int) -> int:
        return self.begin_ms + frame * FRAME_MS


def _capped(time_ms: int) -> float:
    return float(min(time_ms, CAP_MS))
