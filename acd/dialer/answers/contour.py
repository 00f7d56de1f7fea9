"""The levels of all frames since the answer, and what of them is talk. Pure.

Nobody knows at the first word how loud the speaker is, or how loud the noise; five words later it shows.
So at each look the whole course is divided anew: what rises well above the softest frames, measured by
the loudest, is sound; sounds less than `_JOINED` frames apart are one burst; bursts with too little of a
voice in them are noise.
"""

from __future__ import annotations

from typing import Final, NamedTuple

FRAME_MS: Final = 20
SILENT_DB: Final = -96
_MOST: Final = 1200
"""Frames that are kept; nobody listens so long."""
_SOFTEST_PART: Final = 10
"""A tenth of the frames is softer than what is called the noise."""
_LOUDEST_PART: Final = 20
_MOST_LOUDEST: Final = 6
"""A twentieth, but at most so many, is louder than what is called the loudest."""
_LEAST_RANGE_DB: Final = 15
"""Who speaks without a pause leaves no noise to be heard: it is so far below at least."""
_LEAST_NOISE_DB: Final = -78
_RISE_DB: Final = 8.0
_RISE_PART: Final = 0.4
"""Sound lies so far above the noise, at least and as a part of the way to the loudest."""
_LEAST_SOUND_DB: Final = -52.0
_JOINED: Final = 8
_SHORTEST: Final = 3
"""Frames of a sound that begins a burst, unless it still sounds."""
_MIN_VOICED: Final = 20
"""Percent. A burst with less of a voice in it is noise."""
_MIN_VOICED_FRAMES: Final = 4


class Burst(NamedTuple):
    """Talk, by the number of its first frame and of the first one behind it."""

    begin: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.begin


class Sums(NamedTuple):
    """Of the frames of a burst."""

    frames: int = 0
    level: int = 0
    squares: int = 0
    crossings: int = 0
    voiced: int = 0
    """Percent, each frame."""
    voice_hz: int = 0
    """Weighed by `voiced`."""


class Contour:
    """Grows by a report at a time."""

    def __init__(self) -> None:
        self._levels: list[int] = []
        self._counts = [0] * (1 - SILENT_DB)
        """Frames of each level, from `SILENT_DB` up to 0."""
        self._sums = [Sums()]
        """Of all frames before each."""
        self.noise_db = _LEAST_NOISE_DB
        self.bursts: list[Burst] = []

    @property
    def frames(self) -> int:
        """So many are known."""
        return len(self._levels)

    @property
    def speaking(self) -> bool:
        """Whether the last burst may go on."""
        return bool(self.bursts) and self.frames - self.bursts[-1].end < _JOINED

    def add(self, levels: tuple[int, ...], voiced: int, voice_hz: int, crossings: int) -> None:
        """More frames, of one report; but for the levels the frames of a report are all alike."""
        voiced = voiced if voice_hz else 0
        for level in levels[: _MOST - self.frames]:
            level = min(max(level, SILENT_DB), 0)
            self._levels.append(level)
            self._counts[level - SILENT_DB] += 1
            last = self._sums[-1]
            self._sums.append(
                Sums(
                    last.frames + 1,
                    last.level + level,
                    last.squares + level * level,
                    last.crossings + crossings,
                    last.voiced + voiced,
                    last.voice_hz + voiced * voice_hz,
                )
            )
        if self._levels:
            self._divide()

    def sums(self) -> Sums:
        """Of all talk."""
        totals = [0] * len(Sums._fields)
        for begin, end in self.bursts:
            for number, (before, after) in enumerate(
                zip(self._sums[begin], self._sums[end], strict=True)
            ):
                totals[number] += after - before
        return Sums(*totals)

    def _divide(self) -> None:
        """Find the noise, and the talk above it."""
        loudest = self._level_at(self.frames - self._loudest)
        noise = self._level_at(self.frames // _SOFTEST_PART)
        self.noise_db = max(min(noise, loudest - _LEAST_RANGE_DB), _LEAST_NOISE_DB)
        rise = max(_RISE_DB, _RISE_PART * (loudest - self.noise_db))
        self.bursts = [
            burst
            for burst in self._sounds(max(self.noise_db + rise, _LEAST_SOUND_DB))
            if self._is_talk(burst)
        ]

    @property
    def _loudest(self) -> int:
        return min(max(self.frames // _LOUDEST_PART, 1), _MOST_LOUDEST)

    def _level_at(self, rank: int) -> int:
        """The level of the frame with so many softer ones."""
        for number, count in enumerate(self._counts):
            rank -= count
            if rank < 0:
                return number + SILENT_DB
        return 0

    def _sounds(self, bound: float) -> list[Burst]:
        """What is louder than this, joined."""
        sounds: list[Burst] = []
        begin = -1
        for number, level in enumerate([*self._levels, SILENT_DB]):
            if level > bound:
                if begin < 0:
                    begin = number
            elif begin >= 0:
                if sounds and begin - sounds[-1].end < _JOINED:
                    sounds[-1] = Burst(sounds[-1].begin, number)
                elif number - begin >= _SHORTEST or number == self.frames:
                    sounds.append(Burst(begin, number))
                begin = -1
        return sounds

    def _is_talk(self, burst: Burst) -> bool:
        voiced = self._sums[burst.end].voiced - self._sums[burst.begin].voiced
        return voiced >= max(_MIN_VOICED * burst.length, 100 * _MIN_VOICED_FRAMES)
