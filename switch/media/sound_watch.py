"""The legs whose sound is watched, and what is heard there. Only these are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from switch.ids import LegId
from switch.media.codecs import DECODE
from switch.media.events import SoundHeard
from switch.media.legs import Rows
from switch.media.sound_features import SoundFeatures
from switch.media.sound_measures import measure_frames


class SoundWatch:
    """Few legs at a time: those of calls that a dialer has just placed."""

    def __init__(self) -> None:
        self._features: dict[int, SoundFeatures] = {}
        self.rows: Rows = np.empty(0, dtype=np.int64)
        self._measures = np.zeros((0, 2), dtype=np.float32)

    def watch(self, row: int, *, on: bool) -> None:
        """Begin, or end; beginning again begins anew."""
        if on:
            self._features[row] = SoundFeatures()
        else:
            self._features.pop(row, None)
        self.rows = np.fromiter(self._features, np.int64, len(self._features))
        self._measures = np.zeros((len(self.rows), 2), dtype=np.float32)

    def hear(
        self, frames: NDArray[np.uint8], legs: NDArray[Any], names: dict[int, LegId]
    ) -> list[SoundHeard]:
        """Take this tick's frames, (rows, 160); return what has changed. `legs` are LEGs."""
        if not len(self.rows):
            return []
        measure_frames(self.rows, frames, legs, DECODE, self._measures)
        heard: list[SoundHeard] = []
        for row, (level, pitch) in zip(self.rows.tolist(), self._measures.tolist(), strict=True):
            changes = self._features[row].take(level, pitch)
            heard += [SoundHeard(leg=names[row], change=change) for change in changes]
        return heard
