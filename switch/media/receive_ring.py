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

What comes then is either what was waited for, or shows that it will not come: `read` goes on to it, for the
time of a pause or of a burst of loss has passed already.

The depth follows the jitter. When in all but two ticks of a window more was ahead than needed, frames are
left out (a fast clock, or jitter that is over), and the sound before leads over into that after them; when
several packets came late, `read` waits for a frame. A ring that ran dry in a window begins the next talk
spurt deeper. Far jumps of the timestamp anchor it anew.

Concealment is that of `concealment.py`.
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
    REAL_ROWS,
    SAMPLE_TABLE,
    entry,
    inner,
    table_of,
)
from switch.libc import copy_octets
from switch.media.codecs import DECODE, ENCODE, FRAME_SAMPLES, SILENCE
from switch.media.concealment import (
    CROSS_SAMPLES,
    HISTORY_FRAMES,
    MAX_LAG,
    begin_repeating,
    next_random,
    noise_amplitude,
    noise_sample,
    repeat,
)
from switch.media.legs import LEG, Rows
from switch.media.rows import grow_columns
from switch.rtp.stats import signed_difference

BLOCK_SAMPLES: Final = 80
FRAME_BLOCKS: Final = FRAME_SAMPLES // BLOCK_SAMPLES
DEPTH_BLOCKS: Final = 32
"""Even, so that a frame never wraps."""
MAX_AHEAD_BLOCKS: Final = DEPTH_BLOCKS - HISTORY_FRAMES * FRAME_BLOCKS
"""260 ms. The blocks behind `read` stay for what may have to stand in for missing sound."""
TARGET_BLOCKS: Final = 2
"""How far the first packet of a talk spurt is put ahead of `read`: what jitter may eat up at once."""
SURPLUS_BLOCKS: Final = TARGET_BLOCKS + 2 * FRAME_BLOCKS
"""This much ahead in each tick of a window is more than needed: one packet and one frame over."""
MAX_TARGET_BLOCKS: Final = 12
"""Deeper a ring never begins: 120 ms."""
WINDOW_TICKS: Final = 100
OUTLIERS: Final = 2
"""Ticks of a window, and late packets, that do not count."""
CONCEALED_FRAMES: Final = 3
MAX_PACKET_BLOCKS: Final = 12
"""120 ms; longer packets are dropped."""


RING: Final = np.dtype(
    [
        ("anchored", np.bool_),
        ("read_timestamp", np.int64),
        ("read_slot", np.int64),  # the block at `read`
        ("ahead", np.int64),  # blocks from `read` to the newest end
        ("target", np.int64),  # how far ahead the next talk spurt begins
        ("behind", np.int64),  # packets of this window that came late, or found the ring dry
        ("waits", np.bool_),  # the next frame is put off, to be deeper
        ("misses", np.int64),  # frames concealed in a row
        ("late", np.int64),  # packets that came after their turn
        ("concealed", np.int64),  # frames, in all or in part
        ("heard", np.int64),  # frames behind `read` that belong to this sound, three at most
        ("lag", np.int64),  # the period that is repeated, the next sample of it, and how many were
        ("phase", np.int64),
        ("faded", np.int64),
        ("seed", np.int64),  # of noise
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
        self.fill_levels = np.zeros((rows, DEPTH_BLOCKS + 1), dtype=np.uint8)
        """In how many ticks of this window so many blocks were ahead."""
        self.cycles = np.zeros((rows, MAX_LAG), dtype=np.float32)
        """The period that stands in for missing sound."""
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
        self.fill_levels[rows] = 0

    def pop(self, rows: Rows, legs: NDArray[Any]) -> None:
        """Take the next frame of `rows` (all different) into `frames`; `legs` are LEGs."""
        self._ticks += 1
        self.left_out += pop_frames(
            self.table, self.blocks, self.filled, self.frames, self.fill_levels,
            self.cycles, legs, DECODE, ENCODE, SILENCE, rows, self._ticks % WINDOW_TICKS == 0,
        )  # fmt: skip

    def take_late(self, row: int) -> int:
        """Packets of a leg that came after their turn; counted from nothing afterwards."""
        late = int(self.table[row]["late"])
        self.table[row]["late"] = 0
        return late

    def take_concealed(self, row: int) -> int:
        """Frames of a leg that were made up for, in all or in part; counted from nothing afterwards."""
        concealed = int(self.table[row]["concealed"])
        self.table[row]["concealed"] = 0
        return concealed


@inner
def _target_of(ring: Any) -> int:
    """How far ahead of `read` a talk spurt begins, blocks."""
    return int(max(ring.target, TARGET_BLOCKS))


@inner
def push_packet(
    rings: NDArray[Any],
    blocks: NDArray[np.uint8],
    filled: NDArray[np.bool_],
    row: int,
    timestamp: int,
    restarted: bool,
    overtaken: bool,
    packet: NDArray[np.uint8],
    start: int,
    length: int,
) -> int:
    """Put the payload of a packet, `length` octets from `start` on, into the ring of `row`.

    One that was `overtaken` by its successors is late, however far behind it is: it anchors nothing anew.
    An odd rest below 10 ms is cut off. Returns the frames and packets that had no room.
    """
    ring = rings[row]
    count = length // BLOCK_SAMPLES
    place = signed_difference(timestamp, ring.read_timestamp, 32) // BLOCK_SAMPLES
    jumps = place + count > MAX_AHEAD_BLOCKS or (place <= -DEPTH_BLOCKS and not overtaken)
    lost = 0
    if restarted or not ring.anchored or jumps:
        for slot in range(DEPTH_BLOCKS):
            lost += filled[row, slot]
            filled[row, slot] = False
        lost //= FRAME_BLOCKS
        ring.anchored = True
        ring.read_slot = 0
        place = _target_of(ring)
        ring.read_timestamp = timestamp - place * BLOCK_SAMPLES
        ring.ahead = ring.heard = 0
    elif ring.ahead == 0 and ring.misses > 0:
        if 0 <= place < FRAME_BLOCKS:
            ring.behind += 1  # the one that was waited for
        elif place > _target_of(ring):
            ring.read_timestamp += (place - _target_of(ring)) * BLOCK_SAMPLES
            place = _target_of(ring)
    if count > MAX_PACKET_BLOCKS:
        return lost + 1
    if count == 0:
        return lost
    if place < 0:
        ring.late += 1
        ring.behind += 1
        return lost
    ring.ahead = max(ring.ahead, place + count)
    for i in range(count):
        slot = (ring.read_slot + place + i) % DEPTH_BLOCKS
        copy_octets(packet, start + i * BLOCK_SAMPLES, blocks[row, slot], 0, BLOCK_SAMPLES)
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
    ring.heard = min(ring.heard + 1, HISTORY_FRAMES)


@inner
def _stand_in(
    ring: Any, leg: Any, frame: NDArray[np.uint8], blocks: NDArray[np.uint8],
    cycle: NDArray[np.float32], decode: NDArray[np.int16], encode: NDArray[np.uint8], silence: int,
) -> None:  # fmt: skip
    """Fill a frame with what stands in for missing sound."""
    if leg.noise:
        amplitude = noise_amplitude(leg.noise)
        seed = ring.seed
        for i in range(FRAME_SAMPLES):
            seed = next_random(seed)
            frame[i] = encode[np.uint16(noise_sample(seed, amplitude))]
        ring.seed = seed
        ring.misses = CONCEALED_FRAMES + 1
        return
    ring.misses += 1
    if ring.misses > CONCEALED_FRAMES:
        frame[:] = silence
        return
    ring.concealed += 1
    if ring.misses == 1:
        begin_repeating(ring, blocks, cycle, decode)
    made = np.empty(FRAME_SAMPLES, dtype=np.float32)
    repeat(ring, cycle, made)
    for i in range(FRAME_SAMPLES):
        frame[i] = encode[np.uint16(np.int32(made[i]))]


@inner
def _cross_over(
    ring: Any, frame: NDArray[np.uint8], cycle: NDArray[np.float32], decode: NDArray[np.int16],
    encode: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Lead from what stood in into the sound at the beginning of a frame."""
    made = np.empty(CROSS_SAMPLES, dtype=np.float32)
    repeat(ring, cycle, made)
    for i in range(CROSS_SAMPLES):
        share = np.float32((i + 1) / (CROSS_SAMPLES + 1))
        mixed = made[i] + share * (decode[frame[i]] - made[i])
        frame[i] = encode[np.uint16(np.int32(mixed))]


@inner
def _end_window(ring: Any, levels: NDArray[np.uint8]) -> int:
    """Judge the depth in the window that is over; return the frames that may be left out."""
    seen = 0
    least = 0
    for least in range(DEPTH_BLOCKS + 1):
        seen += levels[least]
        if seen > OUTLIERS:
            break
    levels[:] = 0
    if ring.behind > OUTLIERS:
        ring.target = min(max(ring.target, TARGET_BLOCKS) + FRAME_BLOCKS, MAX_TARGET_BLOCKS)
        ring.waits = True
    elif ring.behind == 0:
        ring.target = max(ring.target - 1, TARGET_BLOCKS)
    ring.behind = 0
    # Half of the frames that were hardly ever needed in this window, at least one.
    spare = (least - SURPLUS_BLOCKS) // FRAME_BLOCKS + 1
    return int(max((spare + 1) // 2, 0))


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
        ring.target = TARGET_BLOCKS
        ring.behind = ring.heard = 0
        ring.waits = False
        ring.lag = 1
        filled[row] = False
        frames[row] = silence[legs[row].law]


@entry(
    table_of(RING), OCTET_BLOCKS, FLAG_ROWS, OCTET_ROWS, OCTET_ROWS, REAL_ROWS,
    table_of(LEG), SAMPLE_TABLE, OCTET_TABLE, OCTET_LIST, INTS, BOOL,
)  # fmt: skip
def pop_frames(
    rings: NDArray[Any],
    blocks: NDArray[np.uint8],
    filled: NDArray[np.bool_],
    frames: NDArray[np.uint8],
    fill_levels: NDArray[np.uint8],
    cycles: NDArray[np.float32],
    legs: NDArray[Any],
    decode: NDArray[np.int16],
    encode: NDArray[np.uint8],
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
        waits = ring.waits
        ring.waits = False
        first, second = filled[row, slot] and not waits, filled[row, slot + 1] and not waits
        law = legs[row].law
        misses = ring.misses
        if not (first and second):
            _stand_in(
                ring,
                legs[row],
                frame,
                blocks[row],
                cycles[row],
                decode[law],
                encode[law],
                silence[law],
            )
        else:
            ring.misses = 0
        if first:
            frame[:BLOCK_SAMPLES] = blocks[row, slot]
            if 0 < misses <= CONCEALED_FRAMES:
                _cross_over(ring, frame, cycles[row], decode[law], encode[law])
        if second:
            frame[BLOCK_SAMPLES:] = blocks[row, slot + 1]
            if not first and ring.misses <= CONCEALED_FRAMES:
                _cross_over(ring, frame[BLOCK_SAMPLES:], cycles[row], decode[law], encode[law])
        fill_levels[row, ring.ahead] += 1
        if ring.ahead > 0 and not waits:
            if ring.misses:  # what stood in is what was heard
                blocks[row, slot] = frame[:BLOCK_SAMPLES]
                blocks[row, slot + 1] = frame[BLOCK_SAMPLES:]
            _advance(rings, filled, row)
        if window_ends:
            spare = _end_window(ring, fill_levels[row])
            if spare > 0 and ring.misses == 0:
                begin_repeating(ring, blocks[row], cycles[row], decode[law])
                ring.misses = 1  # as after a loss: the next frame is crossed over into
            for _ in range(spare):
                _advance(rings, filled, row)
                left_out += 1
    return left_out
