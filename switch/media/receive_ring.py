"""Receive rings: what came from each leg, put in order by timestamp, a frame of it each tick.

                  read                newest end
                    |-------- ahead ------|
    ring   . . . [ 0 ][ 1 ][ 2 ][   ][ 4 ][ 5 ] . . .      blocks of 10 ms; [   ] has not come

A block's place is its timestamp's distance from `read`, so packets of 10, 20, 30 ... ms, late,
doubled or out of order all find their place by the same arithmetic. Each tick takes two blocks:

- both there: the frame;
- missing, but later ones are there: concealed, and `read` goes on (loss);
- nothing there at all: concealed, and `read` waits, so that the delay grows by a frame (jitter, a
  slow clock at the peer, the end of a talk spurt).

When more than needed was ahead for a whole window, frames are left out (a fast clock, or jitter
that is over). Far jumps of the timestamp anchor the ring anew.

Concealment repeats the last frame, each time 6 dB lower, and then is silent.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import (
    BOOL,
    FLAG_ROWS,
    INTS,
    OCTET_BLOCKS,
    OCTET_LIST,
    OCTET_ROWS,
    OCTET_TABLE,
    entry,
    inner,
    table_of,
)
from switch.media.codecs import FADED, FRAME_SAMPLES, SILENCE
from switch.media.legs import LEG, Rows
from switch.media.rows import grow_columns
from switch.rtp.stats import signed_difference

BLOCK_SAMPLES: Final = 80
FRAME_BLOCKS: Final = FRAME_SAMPLES // BLOCK_SAMPLES
DEPTH_BLOCKS: Final = 32
"""320 ms; even, so that a frame never wraps."""
TARGET_BLOCKS: Final = 2
"""How far the first packet of a talk spurt is put ahead of `read`: what jitter may eat up at once."""
SURPLUS_BLOCKS: Final = TARGET_BLOCKS + 2 * FRAME_BLOCKS
"""This much ahead in each tick of a window is more than needed: one packet and one frame over."""
WINDOW_TICKS: Final = 100
CONCEALED_FRAMES: Final = 3
MAX_PACKET_BLOCKS: Final = 12
"""120 ms; longer packets are dropped."""


RING: Final = np.dtype(
    [
        ("anchored", np.bool_),
        ("read_timestamp", np.int64),
        ("read_slot", np.int64),  # the block at `read`
        ("ahead", np.int64),  # blocks from `read` to the newest end
        ("least_ahead", np.int64),  # in this window
        ("misses", np.int64),  # frames concealed in a row
        ("late", np.int64),  # packets that came after their turn
    ],
    align=True,
)
"""Where a ring is read and how full it is."""


class ReceiveRings:
    """The rings of all legs; rows are legs. Sound stays G.711 as it came, or became it (coders.py)."""

    def __init__(self, rows: int) -> None:
        self.table = np.zeros(rows, dtype=RING)
        self.blocks = np.zeros((rows, DEPTH_BLOCKS, BLOCK_SAMPLES), dtype=np.uint8)
        self.filled = np.zeros((rows, DEPTH_BLOCKS), dtype=np.bool_)
        self.frames = np.zeros((rows, FRAME_SAMPLES), dtype=np.uint8)
        """(rows, 160): the frame of each leg at the last `pop`, encoded."""
        self.overrun = 0
        """Packets too long, and frames thrown away when a ring was anchored anew."""
        self.left_out = 0
        """Frames passed over to shorten the delay, after jitter or against a fast clock."""
        self._ticks = 0

    def grow(self, rows: int) -> None:
        """Make room for `rows` rows."""
        grow_columns(self, rows)

    def reset(self, rows: Rows, legs: NDArray[Any]) -> None:
        """Forget all sound of `rows`; `legs` are LEGs."""
        reset_rings(self.table, self.filled, self.frames, legs, SILENCE, rows)

    def pop(self, rows: Rows, legs: NDArray[Any]) -> None:
        """Take the next frame of `rows` (all different) into `frames`; `legs` are LEGs."""
        self._ticks += 1
        self.left_out += pop_frames(
            self.table, self.blocks, self.filled, self.frames, legs, FADED, SILENCE, rows,
            self._ticks % WINDOW_TICKS == 0,
        )  # fmt: skip

    def take_late(self, row: int) -> int:
        """Packets of a leg that came after their turn; counted from nothing afterwards."""
        late = int(self.table[row]["late"])
        self.table[row]["late"] = 0
        return late


@inner
def push_packet(
    rings: NDArray[Any],
    blocks: NDArray[np.uint8],
    filled: NDArray[np.bool_],
    row: int,
    timestamp: int,
    restarted: bool,
    packet: NDArray[np.uint8],
    start: int,
    length: int,
) -> int:
    """Put the payload of a packet, `length` octets from `start` on, into the ring of `row`.

    An odd rest below 10 ms is cut off. Returns the frames and packets that had no room.
    """
    ring = rings[row]
    count = length // BLOCK_SAMPLES
    place = signed_difference(timestamp, ring.read_timestamp, 32) // BLOCK_SAMPLES
    lost = 0
    if restarted or not ring.anchored or place + count > DEPTH_BLOCKS or place <= -DEPTH_BLOCKS:
        for slot in range(DEPTH_BLOCKS):
            lost += filled[row, slot]
            filled[row, slot] = False
        lost //= FRAME_BLOCKS
        ring.anchored = True
        ring.read_slot = 0
        ring.read_timestamp = timestamp - TARGET_BLOCKS * BLOCK_SAMPLES
        ring.ahead = 0
        ring.least_ahead = 0
        place = TARGET_BLOCKS
    if count > MAX_PACKET_BLOCKS:
        return lost + 1
    if count == 0:
        return lost
    if place < 0:
        ring.late += 1
        return lost
    ring.ahead = max(ring.ahead, place + count)
    for i in range(count):
        slot = (ring.read_slot + place + i) % DEPTH_BLOCKS
        first = start + i * BLOCK_SAMPLES
        for j in range(BLOCK_SAMPLES):
            blocks[row, slot, j] = packet[first + j]
        filled[row, slot] = True
    return lost


@inner
def _advance(rings: NDArray[Any], filled: NDArray[np.bool_], row: int) -> None:
    """Go on by a frame."""
    ring = rings[row]
    slot = ring.read_slot
    filled[row, slot] = filled[row, slot + 1] = False
    ring.read_slot = (slot + FRAME_BLOCKS) % DEPTH_BLOCKS
    ring.read_timestamp += FRAME_SAMPLES
    ring.ahead = max(ring.ahead - FRAME_BLOCKS, 0)


@inner
def _conceal(frame: NDArray[np.uint8], misses: int, faded: NDArray[np.uint8], silence: int) -> None:
    """Repeat the frame 6 dB lower, or make it silent."""
    if misses <= CONCEALED_FRAMES:
        for i in range(FRAME_SAMPLES):
            frame[i] = faded[frame[i]]
    elif misses == CONCEALED_FRAMES + 1:
        frame[:] = silence


@entry(table_of(RING), FLAG_ROWS, OCTET_ROWS, table_of(LEG), OCTET_LIST, INTS)
def reset_rings(
    rings: NDArray[Any],
    filled: NDArray[np.bool_],
    frames: NDArray[np.uint8],
    legs: NDArray[Any],
    silence: NDArray[np.uint8],
    rows: Rows,
) -> None:
    """Forget all sound of these rings."""
    for row in rows:
        ring = rings[row]
        ring.anchored = False
        ring.read_slot = ring.ahead = 0
        ring.misses = CONCEALED_FRAMES + 1
        filled[row] = False
        frames[row] = silence[legs[row].law]


@entry(
    table_of(RING), OCTET_BLOCKS, FLAG_ROWS, OCTET_ROWS, table_of(LEG), OCTET_TABLE, OCTET_LIST,
    INTS, BOOL,
)  # fmt: skip
def pop_frames(
    rings: NDArray[Any],
    blocks: NDArray[np.uint8],
    filled: NDArray[np.bool_],
    frames: NDArray[np.uint8],
    legs: NDArray[Any],
    faded: NDArray[np.uint8],
    silence: NDArray[np.uint8],
    rows: Rows,
    window_ends: bool,
) -> int:
    """Take the next frame of each ring; return how many were passed over."""
    left_out = 0
    for row in rows:
        ring = rings[row]
        frame = frames[row]
        slot = ring.read_slot
        first, second = filled[row, slot], filled[row, slot + 1]
        if first and second:
            ring.misses = 0
        else:
            ring.misses += 1
            law = legs[row].law
            _conceal(frame, ring.misses, faded[law], silence[law])
        if first:
            frame[:BLOCK_SAMPLES] = blocks[row, slot]
        if second:
            frame[BLOCK_SAMPLES:] = blocks[row, slot + 1]
        ring.least_ahead = min(ring.least_ahead, ring.ahead)
        if ring.ahead > 0:
            _advance(rings, filled, row)
        if window_ends:
            # Half of the frames that were never needed in this window, at least one.
            spare = (ring.least_ahead - SURPLUS_BLOCKS) // FRAME_BLOCKS + 1
            for _ in range((spare + 1) // 2):
                _advance(rings, filled, row)
                left_out += 1
            ring.least_ahead = DEPTH_BLOCKS
    return left_out
