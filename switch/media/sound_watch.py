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
from switch.media.sound_measures import HALF, MEASURES, measure_frames


class SoundWatch:
    """Few legs at a time: those of calls that a dialer has just placed."""

    def __init__(self) -> None:
        self._features: dict[int, SoundFeatures] = {}
        self.rows: Rows = np.empty(0, dtype=np.int64)
        self._measures = np.zeros((0, MEASURES), dtype=np.float32)
        self._tails = np.zeros((0, HALF), dtype=np.float32)
        """The frames before, in the order of `rows`."""

    def watch(self, row: int, *, on: bool) -> None:
        """Begin, or end; beginning again begins anew."""
        if on:
            self._features[row] = SoundFeatures()
        else:
            self._features.pop(row, None)
        rows = np.fromiter(self._features, np.int64, len(self._features))
        tails = np.zeros((len(rows), HALF), dtype=np.float32)
        _, new, old = np.intersect1d(rows, self.rows, assume_unique=True, return_indices=True)
        tails[new] = self._tails[old]
        self.rows, self._tails = rows, tails
        self._measures = np.zeros((len(rows), MEASURES), dtype=np.float32)

    def hear(
        self, frames: NDArray[np.uint8], legs: NDArray[Any], names: dict[int, LegId]
    ) -> list[SoundHeard]:
        """Take this tick's frames, (rows, 160); return what has changed. `legs` are LEGs."""
        if not len(self.rows):
            return []
        measure_frames(self.rows, frames, legs, DECODE, self._tails, self._measures)
        heard: list[SoundHeard] = []
        for row, measured in zip(self.rows.tolist(), self._measures.tolist(), strict=True):
            changes = self._features[row].take(*measured)
            heard += [SoundHeard(leg=names[row], change=change) for change in changes]
        return heard
