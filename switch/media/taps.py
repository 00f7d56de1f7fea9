"""Recording taps: what legs send into the switch, left and right, in blocks of 0.7 s.

Each recording fills its own block from its first tick on. The first is shorter, by row: so recordings that
begin together do not fill their blocks together, and the sink's work is spread over all ticks.
"""

from __future__ import annotations

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

BLOCK_FRAMES: Final = 35
"""A crash costs less than a second of sound, and a thousand recordings are some 30 blocks a tick."""
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
        self._position = np.zeros(_FIRST_ROWS, dtype=np.int64)
        self._limit = np.zeros(_FIRST_ROWS, dtype=np.int64)
        """Frames of the block that is being filled."""
        self._blocks = np.zeros((_FIRST_ROWS, BLOCK_FRAMES, FRAME_SAMPLES, 2), dtype=np.uint8)
        """Left first."""

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
        row = self._pool.take()
        if row is None:
            self._pool.grow(2 * self._pool.capacity)
            grow_columns(self, self._pool.capacity)
            row = self._pool.take()
            assert row is not None
        self._rows[recording] = row
        self._ids[row] = recording
        self._position[row] = 0
        self._limit[row] = 1 + row % BLOCK_FRAMES
        self._feed(row, left, right)
        self._stale = True

    def set_legs(self, recording: RecordingId, left: Sequence[int], right: Sequence[int]) -> None:
        """Feed a recording from other legs. Unknown recordings: KeyError."""
        self._feed(self._rows[recording], left, right)
        self._stale = True

    def stop(self, recording: RecordingId) -> None:
        """Hand over what is left and close the recording in the sink. Unknown: KeyError."""
        row = self._rows.pop(recording)
        position = int(self._position[row])
        if position:
            self._hand_over(np.array([row]), position)
        del self._ids[row]
        self._forget_legs(row)
        del self._channels[row]
        self._pool.give_back(row)
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
        self._list_active()
        rows = self._active
        if not len(rows):
            return
        if self._several:
            self._write_mixed(frames, legs["law"])
        count = tap_frames(
            self._leg, self._position, self._limit, self._blocks, rows, frames, legs, TRANSCODE,
            self._full,
        )  # fmt: skip
        if count:
            full = self._full[:count]
            lengths = self._limit[full]
            self._limit[full] = BLOCK_FRAMES
            for frames_of_block in np.unique(lengths).tolist():
                self._hand_over(full[lengths == frames_of_block], frames_of_block)

    def _write_mixed(self, frames: NDArray[np.uint8], law: NDArray[np.uint8]) -> None:
        for row, side in self._several:
            legs = self._channels[row][side]
            mixed = DECODE[law[legs][:, None], frames[legs]].sum(axis=0, dtype=np.int32)
            self._blocks[row, self._position[row], :, side] = encode(clip_to_int16(mixed), PCMU)

    def _hand_over(self, rows: Rows, frames: int) -> None:
        block = self._blocks[rows, :frames]
        self._sink.append(
            [self._ids[row] for row in rows.tolist()],
            block.reshape(len(rows), frames * FRAME_SAMPLES, 2),
        )

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
    types.int64[:, ::1], INTS, INTS, types.uint8[:, :, :, ::1], INTS, OCTET_ROWS, table_of(LEG),
    OCTET_TABLE, INTS,
)  # fmt: skip
def tap_frames(
    channels: Rows,
    positions: Rows,
    limits: Rows,
    blocks: NDArray[np.uint8],
    active: Rows,
    frames: NDArray[np.uint8],
    legs: NDArray[Any],
    transcode: NDArray[np.uint8],
    full: Rows,
) -> int:
    """Write a frame of both channels of each active recording; list those whose block is full.

    These begin anew at once, whatever becomes of the block: no index may ever lie beyond it. A channel
    of several legs has been written before.
    """
    found = 0
    for row in active:
        position = positions[row]
        block = blocks[row, position]
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
        position += 1
        if position >= limits[row]:
            position = 0
            full[found] = row
            found += 1
        positions[row] = position
    return found
