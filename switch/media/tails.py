"""The newest sound of every recording, by row: what is not on the disk yet.

A row is a ring of two blocks. While one is being filled the other is on its way to the disk; which of it
arrived, the length of the file tells. So who has these rows and the file has every frame, also when the
process that filled them is gone: a sink may keep them where that is so (`RecordingSink.tails`).
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from switch.media.codecs import FRAME_SAMPLES
from switch.media.rows import grow_columns
from switch.media.tail_layout import BLOCK_FRAMES, MOST_PATH_OCTETS, RING_FRAMES


class Tails:
    """Rows of rings, in the memory of this process."""

    def __init__(self) -> None:
        self.paths: NDArray[np.bytes_] = np.zeros(0, dtype=f"S{MOST_PATH_OCTETS}")
        """Which recording it is: as it was started, without suffix. Empty: none, or too long a path."""
        self.begins: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.ends: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """As many frames belong into the file as these are beyond `begins`; frame n of them is n modulo
        `RING_FRAMES` of the ring."""
        self.sound: NDArray[np.uint8] = np.zeros((0, RING_FRAMES, FRAME_SAMPLES, 2), dtype=np.uint8)
        """(rows, frames of the ring, 160 samples at 8 kHz, 2) mu-law, left first."""

    def __len__(self) -> int:
        return len(self.ends)

    def grow(self, rows: int) -> None:
        """There are `rows` rows now; those that were there keep what they hold."""
        grow_columns(self, rows)

    def begin(self, row: int, path: str) -> None:
        """A recording begins in this row.

        Its first block is shorter, by row: so recordings that begin together do not fill theirs together.
        """
        octets = os.fsencode(path)
        self.paths[row] = b""
        self.begins[row] = self.ends[row] = BLOCK_FRAMES - 1 - row % BLOCK_FRAMES
        if len(octets) <= MOST_PATH_OCTETS:
            self.paths[row] = octets
