"""Sound on its way to the disk: one row of memory per recording, filled frame by frame.

Single-threaded and without I/O: the engine's thread owns it. A row is handed on when it holds
0.7 s, so a crash costs less than a second and a thousand recordings cost 1,400 writes a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.ids import RecordingId

FRAME_OCTETS: Final = 320
"""20 ms of stereo sound: what the engine appends as a rule."""

ROW_FRAMES: Final = 35
ROW_OCTETS: Final = ROW_FRAMES * FRAME_OCTETS
"""0.7 s."""

_FRAME: Final = np.dtype((np.void, FRAME_OCTETS))


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are ready: `sound[i, :lengths[i]]` belongs to `slots[i]`. A copy, free to keep."""

    slots: list[int]
    lengths: list[int]
    sound: NDArray[np.uint8]
    """(len(slots), ROW_OCTETS)"""


class Staging:
    """Rows of sound by slot. Slots are given out by `take` and returned by `release`."""

    __slots__ = (
        "_fill",
        "_free",
        "_known",
        "_limit",
        "_rows",
        "_slot_of",
        "_slots_known",
        "_sound",
    )

    def __init__(self, slots: int = 1024) -> None:
        self._sound = np.empty((slots, ROW_OCTETS), np.uint8)
        self._fill = np.zeros(slots, np.int64)
        self._limit = np.full(slots, ROW_OCTETS, np.int64)
        self._free = list(range(slots - 1, -1, -1))
        self._slot_of: dict[RecordingId, int] = {}
        self._known: tuple[RecordingId, ...] = ()
        self._slots_known = np.empty(0, np.intp)
        self._rows = np.empty(0, np.intp)

    def take(self, recording: RecordingId) -> int:
        """Give a recording a slot. It must not have one already."""
        if not self._free:
            self._grow()
        slot = self._slot_of[recording] = self._free.pop()
        self._fill[slot] = 0
        # A first row is shorter, by slot: recordings that begin together do not write together.
        self._limit[slot] = (1 + slot % ROW_FRAMES) * FRAME_OCTETS
        self._known = ()
        return slot

    def release(self, recording: RecordingId) -> Batch | None:
        """Take the slot back; returns what was still in its row."""
        slot = self._slot_of.pop(recording)
        self._known = ()
        rest = self._hand_on(np.array([slot])) if self._fill[slot] else None
        self._free.append(slot)
        return rest

    def append(
        self, recordings: Sequence[RecordingId], block: NDArray[np.uint8]
    ) -> Iterator[Batch]:
        """Copy a block of (n_recordings, n_samples, 2) and yield the rows that became full.

        Recordings without a slot are passed over. The caller must exhaust the iterator.
        """
        slots, rows = self._find(recordings)
        if not slots.size:
            return
        sound = block.reshape(len(recordings), -1)
        if rows.size != len(recordings):
            sound = sound[rows]
        if sound.shape[1] == FRAME_OCTETS and not (self._fill[slots] % FRAME_OCTETS).any():
            yield from self._append_frames(slots, sound)
        else:
            yield from self._append_any(slots, sound)

    def _append_frames(self, slots: NDArray[np.intp], sound: NDArray[np.uint8]) -> Iterator[Batch]:
        """Append one whole frame to each row: one indexed copy for all."""
        cells = self._sound.view(_FRAME)
        frames = np.ascontiguousarray(sound).view(_FRAME)[:, 0]
        cells[slots, self._fill[slots] // FRAME_OCTETS] = frames
        self._fill[slots] += FRAME_OCTETS
        full = slots[self._fill[slots] >= self._limit[slots]]
        if full.size:
            yield self._hand_on(full)

    def _append_any(self, slots: NDArray[np.intp], sound: NDArray[np.uint8]) -> Iterator[Batch]:
        """Append any number of samples, row by row."""
        for slot, row in zip(slots, sound, strict=True):
            at = 0
            while at < row.size:
                fill = self._fill[slot]
                piece = row[at : at + ROW_OCTETS - fill]
                self._sound[slot, fill : fill + piece.size] = piece
                self._fill[slot] += piece.size
                at += piece.size
                if self._fill[slot] >= self._limit[slot] or self._fill[slot] == ROW_OCTETS:
                    yield self._hand_on(np.array([slot]))

    def _find(self, recordings: Sequence[RecordingId]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the slots and the rows of the block that have one; remembers the last answer."""
        wanted = tuple(recordings)
        if not self._known or wanted != self._known:
            known = [
                (slot, row)
                for row, recording in enumerate(wanted)
                if (slot := self._slot_of.get(recording)) is not None
            ]
            pairs = np.array(known, np.intp).reshape(-1, 2)
            self._slots_known, self._rows, self._known = pairs[:, 0], pairs[:, 1], wanted
        return self._slots_known, self._rows

    def _hand_on(self, slots: NDArray[np.intp]) -> Batch:
        lengths = self._fill[slots].tolist()
        self._fill[slots] = 0
        self._limit[slots] = ROW_OCTETS
        return Batch(slots.tolist(), lengths, self._sound[slots])

    def _grow(self) -> None:
        """Double the rows; rare, since memory not yet written to costs nothing."""
        old = len(self._fill)
        self._sound = np.concatenate([self._sound, np.empty_like(self._sound)])
        self._fill = np.concatenate([self._fill, np.zeros_like(self._fill)])
        self._limit = np.concatenate([self._limit, np.full_like(self._limit, ROW_OCTETS)])
        self._free = list(range(2 * old - 1, old - 1, -1))
