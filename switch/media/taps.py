"""Recording taps: what legs send into the switch, left and right, in blocks of 0.7 s.

Each recording fills its own blocks from its first tick on (`switch.media.tails`). They are full at different
ticks, so the sink's work is spread over all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import INTS, OCTET_ROWS, OCTET_TABLE, entry, table_of
from switch.ids import RecordingId
from switch.media.codecs import (
    DECODE,
    FRAME_SAMPLES,
    PCMA,
    PCMU,
    SILENCE,
    TRANSCODE,
    clip_to_int16,
    encode,
)
from switch.media.legs import LEG, Rows
from switch.media.ports import RecordingSink
from switch.media.rows import RowPool, grow_columns
from switch.media.tail_layout import BLOCK_FRAMES, BLOCKS, RING_FRAMES

_FIRST_ROWS: Final = 16
_NOBODY: Final = -1
_SEVERAL: Final = -2
_SILENT: Final = int(SILENCE[PCMU])


class RecordingTaps:
    """All running recordings; rows are recordings. Legs are given by their rows."""

    def __init__(self, sink: RecordingSink) -> None:
        self._sink = sink
        self._pool = RowPool(_FIRST_ROWS)
        self._rows: dict[RecordingId, int] = {}
        self._ids: dict[int, RecordingId] = {}
        self._channels: dict[int, tuple[list[int], list[int]]] = {}
        self._recordings_of: dict[int, set[int]] = {}
        self._active: Rows = np.empty(0, dtype=np.int64)
        self._stale = False
        self._several: list[tuple[int, int]] = []
        """(row, channel) of the channels that are fed by more than one leg."""
        self._full: Rows = np.empty(0, dtype=np.int64)
        self._leg = np.zeros((_FIRST_ROWS, 2), dtype=np.int64)
        self._ticks = 0
        self._resting: deque[tuple[int, int]] = deque()
        """(tick, row) of those that ended: their last sound may be needed until it is on the disk."""
        self._tails = sink.tails()
        self._tails.grow(_FIRST_ROWS)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, recording: RecordingId) -> bool:
        return recording in self._rows

    @property
    def ids(self) -> tuple[RecordingId, ...]:
        """The recordings that run."""
        return tuple(self._rows)

    @property
    def legs(self) -> Rows:
        """Rows of the legs that are recorded; some more than once."""
        self._list_active()
        single = self._leg[self._active].ravel()
        several = [leg for row, side in self._several for leg in self._channels[row][side]]
        return np.concatenate([single[single >= 0], np.array(several, dtype=np.int64)])

    def start(
        self, recording: RecordingId, path: str, left: Sequence[int], right: Sequence[int]
    ) -> None:
        """Open a recording in the sink and feed it from the next tick on."""
        self._sink.open(recording, path)
        while self._resting and self._ticks - self._resting[0][0] >= BLOCK_FRAMES:
            self._pool.give_back(self._resting.popleft()[1])
        row = self._pool.take()
        if row is None:
            self._pool.grow(2 * self._pool.capacity)
            grow_columns(self, self._pool.capacity)
            self._tails.grow(self._pool.capacity)
            row = self._pool.take()
            assert row is not None
        self._rows[recording] = row
        self._ids[row] = recording
        self._tails.begin(row, path)
        self._feed(row, left, right)
        self._stale = True

    def set_legs(self, recording: RecordingId, left: Sequence[int], right: Sequence[int]) -> None:
        """Feed a recording from other legs. Unknown recordings: KeyError."""
        self._feed(self._rows[recording], left, right)
        self._stale = True

    def stop(self, recording: RecordingId) -> None:
        """Hand over what is left and close the recording in the sink. Unknown: KeyError."""
        row = self._rows.pop(recording)
        end = int(self._tails.ends[row])
        begun = max(int(self._tails.begins[row]), end - end % BLOCK_FRAMES)
        if end > begun:
            self._hand_over(np.array([row]), begun % BLOCK_FRAMES, end - begun)
        del self._ids[row]
        self._forget_legs(row)
        del self._channels[row]
        self._resting.append((self._ticks, row))
        self._stale = True
        self._sink.close(recording)

    def remove_leg(self, leg: int) -> None:
        """The leg feeds nothing any more."""
        rows = self._recordings_of.get(leg)
        if not rows:
            return
        for row in tuple(rows):
            left, right = self._channels[row]
            self._feed(row, [x for x in left if x != leg], [x for x in right if x != leg])
        self._stale = True

    def write(self, frames: NDArray[np.uint8], legs: NDArray[Any]) -> None:
        """Append this tick's frame to every recording; `frames` and `legs` (LEGs) have a row a leg."""
        self._ticks += 1
        self._list_active()
        rows = self._active
        if not len(rows):
            return
        if self._several:
            self._write_mixed(frames, legs["law"])
        tails = self._tails
        count = tap_frames(
            self._leg, tails.ends, tails.sound, rows, frames, legs, TRANSCODE, self._full
        )
        if count:
            full = self._full[:count]
            lengths = np.minimum(tails.ends[full] - tails.begins[full], BLOCK_FRAMES)
            self._hand_over_all(full, lengths)

    def _write_mixed(self, frames: NDArray[np.uint8], law: NDArray[np.uint8]) -> None:
        tails = self._tails
        for row, side in self._several:
            legs = self._channels[row][side]
            mixed = DECODE[law[legs][:, None], frames[legs]].sum(axis=0, dtype=np.int32)
            at = tails.ends[row] % RING_FRAMES
            tails.sound[row, at, :, side] = encode(clip_to_int16(mixed), PCMU)

    def _hand_over_all(self, rows: Rows, lengths: Rows) -> None:
        failed: Exception | None = None
        for length in np.unique(lengths).tolist():
            try:
                self._hand_over(rows[lengths == length], BLOCK_FRAMES - length, length)
            except Exception as error:  # noqa: BLE001 - raised once the others are handed over
                failed = error
        if failed is not None:
            raise failed

    def _hand_over(self, rows: Rows, begin: int, frames: int) -> None:
        """The frames from `begin` on of the block that each row has just written to."""
        tails = self._tails
        blocks = tails.sound.reshape(-1, BLOCKS, BLOCK_FRAMES, FRAME_SAMPLES, 2)
        last = (tails.ends[rows] - 1) // BLOCK_FRAMES % BLOCKS
        block = blocks[rows, last, begin : begin + frames]
        try:
            self._sink.append(
                [self._ids[row] for row in rows.tolist()],
                block.reshape(len(rows), frames * FRAME_SAMPLES, 2),
            )
        except Exception:
            tails.begins[rows] += frames  # they will never be in the file
            raise

    def _feed(self, row: int, left: Sequence[int], right: Sequence[int]) -> None:
        self._forget_legs(row)
        channels = (list(dict.fromkeys(left)), list(dict.fromkeys(right)))
        self._channels[row] = channels
        for side, legs in enumerate(channels):
            self._leg[row, side] = _NOBODY if not legs else legs[0] if len(legs) == 1 else _SEVERAL
            for leg in legs:
                self._recordings_of.setdefault(leg, set()).add(row)

    def _forget_legs(self, row: int) -> None:
        for leg in {leg for legs in self._channels.get(row, ()) for leg in legs}:
            fed = self._recordings_of[leg]
            fed.discard(row)
            if not fed:
                del self._recordings_of[leg]

    def _list_active(self) -> None:
        if not self._stale:
            return
        self._stale = False
        self._active = np.fromiter(self._ids, np.int64, len(self._ids))
        self._full = np.zeros(len(self._ids), dtype=np.int64)
        legs = self._leg[self._active]
        self._several = [
            (int(self._active[i]), int(side)) for i, side in np.argwhere(legs == _SEVERAL)
        ]


@entry(
    types.int64[:, ::1], INTS, types.uint8[:, :, :, ::1], INTS, OCTET_ROWS, table_of(LEG), OCTET_TABLE,
    INTS,
)  # fmt: skip
def tap_frames(
    channels: Rows,
    ends: Rows,
    sound: NDArray[np.uint8],
    active: Rows,
    frames: NDArray[np.uint8],
    legs: NDArray[Any],
    transcode: NDArray[np.uint8],
    full: Rows,
) -> int:
    """Write a frame of both channels of each active recording; list those whose block is full.

    A frame counts once it is whole: somebody else may read what is there when this process is killed. A
    channel of several legs has been written before.
    """
    found = 0
    for row in active:
        end = ends[row]
        block = sound[row, end % RING_FRAMES]
        for side in range(2):
            leg = channels[row, side]
            if leg == _NOBODY:
                block[:, side] = _SILENT
            elif leg != _SEVERAL:
                frame = frames[leg]
                if legs[leg].law == PCMA:
                    table = transcode[PCMA]
                    for i in range(FRAME_SAMPLES):
                        block[i, side] = table[frame[i]]
                else:
                    for i in range(FRAME_SAMPLES):
                        block[i, side] = frame[i]
        ends[row] = end + 1
        if ends[row] % BLOCK_FRAMES == 0:
            full[found] = row
            found += 1
    return found
