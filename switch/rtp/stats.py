"""What passed through the receivers: loss (RFC 3550 A.1, A.3) and jitter (A.8), rows at once.

Arrival times have the grain of the engine's wake, a few milliseconds, and jitter shows it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

CLOCK_RATE_HZ: Final = 8000
MAX_DROPOUT: Final = 3000
"""A greater step of the sequence number is a new start, not loss (RFC 3550 A.1)."""


def signed_difference(
    later: NDArray[np.int64], earlier: NDArray[np.int64], bits: int
) -> NDArray[np.int64]:
    """The step from `earlier` to `later` in a counter of `bits` bits, as -2**(bits-1) and up."""
    half = 1 << (bits - 1)
    return ((later - earlier + half) & ((1 << bits) - 1)) - half


class ReceiverStats:
    """Sequence and jitter of many receivers; rows are legs. One packet a row in each call."""

    def __init__(self, rows: int) -> None:
        self._highest = np.zeros(rows, dtype=np.int64)  # last 16 bits on the wire
        self._expected = np.zeros(rows, dtype=np.int64)  # since the first packet
        self._received = np.zeros(rows, dtype=np.int64)
        self._ssrc = np.full(rows, -1, dtype=np.int64)  # -1: nothing yet
        self._transit = np.zeros(rows, dtype=np.float64)
        self._jitter = np.zeros(rows, dtype=np.float64)

    def grow(self, rows: int) -> None:
        """Make room for `rows` rows; the old ones keep their values."""
        for name in ("_highest", "_expected", "_received", "_ssrc", "_transit", "_jitter"):
            old = getattr(self, name)
            new = np.zeros(rows, dtype=old.dtype)
            new[: len(old)] = old
            if name == "_ssrc":
                new[len(old) :] = -1
            setattr(self, name, new)

    def reset(self, row: int) -> None:
        """Begin anew with a row."""
        self._expected[row] = self._received[row] = 0
        self._ssrc[row] = -1
        self._jitter[row] = 0.0

    def update(
        self,
        rows: NDArray[np.int64],
        sequence: NDArray[np.int64],
        timestamp: NDArray[np.int64],
        ssrc: NDArray[np.int64],
        now: float,
    ) -> NDArray[np.bool_]:
        """Count one packet for each of `rows` (all different); say which begin a new stream."""
        step = signed_difference(sequence, self._highest[rows], 16)
        restarted: NDArray[np.bool_] = (self._ssrc[rows] != ssrc) | (np.abs(step) > MAX_DROPOUT)
        step[restarted] = 1
        ahead = step > 0
        self._highest[rows] = np.where(ahead, sequence, self._highest[rows])
        self._expected[rows] += np.where(ahead, step, 0)
        self._received[rows] += 1
        self._ssrc[rows] = ssrc
        # A jump of more than a second is the timestamp's wrap or a pause: no measure of the way.
        transit = now * CLOCK_RATE_HZ - timestamp
        moved = np.abs(transit - self._transit[rows])
        moved[restarted | (moved > CLOCK_RATE_HZ)] = 0.0
        self._transit[rows] = transit
        self._jitter[rows] += (moved - self._jitter[rows]) / 16
        return restarted

    def lost(self, row: int) -> int:
        """Packets that never came, not negative (duplicates make up for losses, as in A.3)."""
        return max(0, int(self._expected[row] - self._received[row]))

    def jitter_ms(self, row: int) -> float:
        """Interarrival jitter in milliseconds."""
        return float(self._jitter[row]) * 1000 / CLOCK_RATE_HZ
