"""What passed through the receivers: loss (RFC 3550 A.1, A.3) and jitter (A.8).

Arrival times have the grain of the engine's wake, a few milliseconds, and jitter shows it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import inner

CLOCK_RATE_HZ: Final = 8000
"""What jitter counts in, whatever the clock of the timestamps."""
MAX_DROPOUT: Final = 3000
"""A greater step of the sequence number is a new start, not loss (RFC 3550 A.1)."""
MAX_MISORDER: Final = 150
"""So far behind the highest a packet may be late, three seconds of 20 ms; further back is a new start, as
of a device that counts from nothing again under the same SSRC (A.1 has 100)."""
RECEIVER: Final = np.dtype(
    [
        ("highest", np.int64),  # last 16 bits on the wire
        ("expected", np.int64),  # since the first packet
        ("received", np.int64),
        ("ssrc", np.int64),  # -1: nothing yet
        ("transit", np.float64),
        ("jitter", np.float64),  # in samples at 8 kHz
    ]
)


@inner
def signed_difference(later: int, earlier: int, bits: int) -> int:
    """The step from `earlier` to `later` in a counter of `bits` bits, as -2**(bits-1) and up."""
    half = 1 << (bits - 1)
    return ((later - earlier + half) & ((1 << bits) - 1)) - half


@inner
def count_packet(
    table: NDArray[Any],
    row: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    now: float,
    clock_rate: int,
    is_event: bool,
) -> bool:
    """Count one packet that came at `now` (s) in `table`, RECEIVERs; say whether it begins a new stream.

    `clock_rate` is that of the timestamps, Hz. All packets of a telephone event (`is_event`) carry the
    timestamp of its beginning, which says nothing of their way: they count for loss alone.
    """
    receiver = table[row]
    step = signed_difference(sequence, receiver.highest, 16)
    restarted = receiver.ssrc != ssrc or step > MAX_DROPOUT or step < -MAX_MISORDER
    if restarted:
        step = 1
    if step > 0:
        receiver.highest = sequence
        receiver.expected += step
    receiver.received += 1
    receiver.ssrc = ssrc
    if is_event and not restarted:
        return restarted
    transit = now * clock_rate - timestamp
    moved = abs(transit - receiver.transit)
    # A jump of more than a second is the timestamp's wrap or a pause: no measure of the way.
    if restarted or moved > clock_rate:
        moved = 0.0
    receiver.transit = transit
    receiver.jitter += (moved * CLOCK_RATE_HZ / clock_rate - receiver.jitter) / 16
    return restarted


class ReceiverStats:
    """Sequence and jitter of many receivers; rows are legs."""

    def __init__(self, rows: int) -> None:
        self.table = np.zeros(0, dtype=RECEIVER)
        """RECEIVERs, one a leg."""
        self.grow(rows)

    def grow(self, rows: int) -> None:
        """Make room for `rows` rows; the old ones keep their values."""
        table = np.zeros(rows, dtype=RECEIVER)
        table["ssrc"] = -1
        table[: len(self.table)] = self.table
        self.table = table

    def reset(self, row: int) -> None:
        """Begin anew with a row."""
        self.table[row] = (0, 0, 0, -1, 0.0, 0.0)

    def lost(self, row: int) -> int:
        """Packets that never came, not negative (duplicates make up for losses, as in A.3)."""
        receiver = self.table[row]
        return max(0, int(receiver["expected"] - receiver["received"]))

    def jitter_ms(self, row: int) -> float:
        """Interarrival jitter in milliseconds."""
        return float(self.table[row]["jitter"]) * 1000 / CLOCK_RATE_HZ
