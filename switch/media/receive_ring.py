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

from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.media.codecs import FADED, FRAME_SAMPLES, SILENCE
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


class ReceiveRings:
    """The rings of all legs; rows are legs. Sound stays encoded as it came."""

    def __init__(self, rows: int) -> None:
        self._blocks = np.zeros((rows, DEPTH_BLOCKS, BLOCK_SAMPLES), dtype=np.uint8)
        self._filled = np.zeros((rows, DEPTH_BLOCKS), dtype=np.bool_)
        self._anchored = np.zeros(rows, dtype=np.bool_)
        self._read_timestamp = np.zeros(rows, dtype=np.int64)
        self._read_slot = np.zeros(rows, dtype=np.int64)
        self._ahead = np.zeros(rows, dtype=np.int64)
        self._least_ahead = np.zeros(rows, dtype=np.int64)
        self._misses = np.zeros(rows, dtype=np.int64)
        self._ticks = 0
        self.frames = np.zeros((rows, FRAME_SAMPLES), dtype=np.uint8)
        """(rows, 160): the frame of each leg at the last `pop`, encoded."""
        self.late = np.zeros(rows, dtype=np.int64)
        """Packets that came after their turn."""
        self.overrun = 0
        """Packets too long, and frames thrown away when a ring was anchored anew."""
        self.left_out = 0
        """Frames passed over to shorten the delay, after jitter or against a fast clock."""

    def grow(self, rows: int) -> None:
        """Make room for `rows` rows."""
        grow_columns(self, rows)

    def reset(self, rows: NDArray[np.int64], codec: NDArray[np.uint8]) -> None:
        """Forget all sound of `rows`; `codec` is a column of all legs."""
        self._anchored[rows] = False
        self._filled[rows] = False
        self._read_slot[rows] = 0
        self._ahead[rows] = 0
        self._misses[rows] = CONCEALED_FRAMES + 1
        self.frames[rows] = SILENCE[codec[rows]][:, None]

    def push(
        self,
        rows: NDArray[np.int64],
        timestamp: NDArray[np.int64],
        restarted: NDArray[np.bool_],
        buffer: NDArray[np.uint8],
        packets: NDArray[np.int64],
        start: NDArray[np.int64],
        length: NDArray[np.int64],
    ) -> None:
        """Put the payloads of packets into the rings of `rows` (all different).

        `packets` are rows of `buffer`, the payloads lie there from `start` on for `length` octets.
        An odd rest below 10 ms is cut off.
        """
        blocks = length // BLOCK_SAMPLES
        place = signed_difference(timestamp, self._read_timestamp[rows], 32) // BLOCK_SAMPLES
        anew = (
            restarted
            | ~self._anchored[rows]
            | (place + blocks > DEPTH_BLOCKS)
            | (place <= -DEPTH_BLOCKS)
        )
        if anew.any():
            place[anew] = self._anchor(rows[anew], timestamp[anew])
        usable = (blocks > 0) & (blocks <= MAX_PACKET_BLOCKS)
        late = usable & (place < 0)
        self.late[rows[late]] += 1
        self.overrun += int(np.count_nonzero(blocks > MAX_PACKET_BLOCKS))
        usable &= ~late
        if not usable.all():
            rows, packets, start = rows[usable], packets[usable], start[usable]
            blocks, place = blocks[usable], place[usable]
        if not len(rows):
            return
        self._ahead[rows] = np.maximum(self._ahead[rows], place + blocks)
        slot = self._read_slot[rows] + place
        most = int(blocks.max())
        even = most == FRAME_BLOCKS and bool(
            ((blocks == most) & (slot & 1 == 0) & (start == start[0])).all()
        )
        if even:  # frames of 20 ms in step with the ring: one copy of whole rows
            at = slot // FRAME_BLOCKS % (DEPTH_BLOCKS // FRAME_BLOCKS)
            first = int(start[0])
            self._blocks.reshape(len(self._blocks), -1, FRAME_SAMPLES)[rows, at] = buffer[
                packets, first : first + FRAME_SAMPLES
            ]
            self._filled.reshape(len(self._filled), -1, FRAME_BLOCKS)[rows, at] = True
            return
        octets = np.arange(BLOCK_SAMPLES)
        for i in range(most):
            has = blocks > i
            at = (slot[has] + i) % DEPTH_BLOCKS
            columns = (start[has] + i * BLOCK_SAMPLES)[:, None] + octets
            self._blocks[rows[has], at] = buffer[packets[has][:, None], columns]
            self._filled[rows[has], at] = True

    def pop(self, rows: NDArray[np.int64], codec: NDArray[np.uint8]) -> None:
        """Take the next frame of `rows` (all different) into `frames`; `codec` is a column of all legs."""
        slot = self._read_slot[rows]
        ahead = self._ahead[rows]
        half = self._filled[rows, slot]
        other = self._filled[rows, slot + 1]
        whole = half & other
        if whole.all():
            self.frames[rows] = self._blocks.reshape(len(self._blocks), -1, FRAME_SAMPLES)[
                rows, slot // FRAME_BLOCKS
            ]
            self._misses[rows] = 0
        else:
            here = rows[whole]
            self.frames[here] = self._blocks.reshape(len(self._blocks), -1, FRAME_SAMPLES)[
                here, slot[whole] // FRAME_BLOCKS
            ]
            self._misses[here] = 0
            self._conceal(rows[~whole], codec)
            partly = half ^ other
            if partly.any():
                self._join_halves(rows[partly], slot[partly], half[partly])
        taken = ahead > 0
        self._least_ahead[rows] = np.minimum(self._least_ahead[rows], ahead)
        moving = rows if taken.all() else rows[taken]
        self._advance(moving)
        self._ticks += 1
        if self._ticks % WINDOW_TICKS == 0:
            self._leave_out_surplus(rows)

    def _advance(self, rows: NDArray[np.int64]) -> None:
        slot = self._read_slot[rows]
        self._filled[rows, slot] = False
        self._filled[rows, slot + 1] = False
        self._read_slot[rows] = (slot + FRAME_BLOCKS) % DEPTH_BLOCKS
        self._read_timestamp[rows] += FRAME_SAMPLES
        self._ahead[rows] = np.maximum(self._ahead[rows] - FRAME_BLOCKS, 0)

    def _anchor(self, rows: NDArray[np.int64], timestamp: NDArray[np.int64]) -> int:
        """Begin anew with the packet at `timestamp`; return its place."""
        self.overrun += int(np.count_nonzero(self._filled[rows])) // FRAME_BLOCKS
        self._anchored[rows] = True
        self._filled[rows] = False
        self._read_slot[rows] = 0
        self._read_timestamp[rows] = timestamp - TARGET_BLOCKS * BLOCK_SAMPLES
        self._ahead[rows] = 0
        self._least_ahead[rows] = 0
        return TARGET_BLOCKS

    def _conceal(self, rows: NDArray[np.int64], codec: NDArray[np.uint8]) -> None:
        self._misses[rows] += 1
        misses = self._misses[rows]
        fading = rows[misses <= CONCEALED_FRAMES]
        if len(fading):
            self.frames[fading] = FADED[codec[fading][:, None], self.frames[fading]]
        ended = rows[misses == CONCEALED_FRAMES + 1]
        if len(ended):
            self.frames[ended] = SILENCE[codec[ended]][:, None]

    def _join_halves(
        self, rows: NDArray[np.int64], slot: NDArray[np.int64], first: NDArray[np.bool_]
    ) -> None:
        """Half a frame is there: put it over the concealed one."""
        for row, at, is_first in zip(rows.tolist(), slot.tolist(), first.tolist(), strict=True):
            if is_first:
                self.frames[row, :BLOCK_SAMPLES] = self._blocks[row, at]
            else:
                self.frames[row, BLOCK_SAMPLES:] = self._blocks[row, at + 1]

    def _leave_out_surplus(self, rows: NDArray[np.int64]) -> None:
        """Leave out half of the frames that were never needed in this window, at least one."""
        spare = (self._least_ahead[rows] - SURPLUS_BLOCKS) // FRAME_BLOCKS + 1
        frames = (spare + 1) // 2
        for nth in range(int(frames.max(initial=0))):
            some = rows[frames > nth]
            self._advance(some)
            self.left_out += len(some)
        self._least_ahead[rows] = DEPTH_BLOCKS
