"""The recorder of the media engine: takes frames, never waits, keeps them on disk.

engine's thread              writer's thread           finisher's thread
append -(0.7 s of a call)--> append to <path>.part
close  -------------------->                        -> sizes, checksums, fsync, <path>.wav
poll   <-------------------------------------------- outcomes

Each block is a write to each of its files: the engine's are long enough for that, and of not too many
recordings at a time (`switch.media.taps`).
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recordings.owner import current_owner
from recordings.shared_tails import SharedTails
from recordings.tails import sweep
from recordings.wave_header import Header
from recordings.writer import Close, Open, Track, Write, Writer
from switch.ids import RecordingId
from switch.media.ports import RecordingOutcome, RecordingSink
from switch.media.tails import Tails


class SegmentedRecorder(RecordingSink):
    """Records any number of calls at once. One thread calls it; every method returns at once.

    A recording fails alone: disk full, no rights, or a disk so slow that more than
    `max_backlog_octets` wait. Its outcome then carries the reason, at once and not at its close.
    """

    def __init__(
        self,
        *,
        min_free_octets: int = 0,
        max_backlog_octets: int = 128 * 1024 * 1024,
        max_open_files: int | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        if max_open_files is None:
            # The sockets of the legs need the greater part.
            max_open_files = min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 5)
        self._writer = Writer(max_open_files=max_open_files, min_free_octets=min_free_octets)
        self.max_backlog_octets = max_backlog_octets
        self._wall = wall
        self._tracks: dict[RecordingId, Track] = {}
        self._tails: SharedTails | None = None

    def tails(self) -> Tails:
        """What is not on the disk yet, where it outlives this process (`recordings.tails`)."""
        if self._tails is None:
            sweep()
            self._tails = SharedTails(current_owner())
        return self._tails

    def open(self, recording: RecordingId, path: str) -> None:
        """Prepare a recording; `path` is absolute and has no suffix. One that runs is left alone."""
        if recording in self._tracks:
            return
        header = Header(recording=recording, started_at=self._wall(), owner=current_owner())
        track = self._tracks[recording] = Track(header, Path(path + ".part"))
        self._writer.submit(Open(track))

    def append(self, recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None:
        """Copy sound of (n_recordings, n_samples, 2) mu-law; recordings not open are passed over."""
        tracks: list[Track] = []
        rows: list[int] = []
        for row, recording in enumerate(recordings):
            track = self._tracks.get(recording)
            # After a hole sound would only mislead.
            if track is not None and not track.is_given_up:
                tracks.append(track)
                rows.append(row)
        octets = 2 * block.shape[1]
        if self.backlog_octets + len(rows) * octets > self.max_backlog_octets:
            for track in tracks:
                self._give_up(track)
        elif rows:
            sound = block.flatten() if len(rows) == len(block) else block[rows].ravel()
            self._writer.submit(Write(tracks, octets, sound))

    def close(self, recording: RecordingId) -> None:
        """Finish a recording; one that is not open is ignored."""
        track = self._tracks.pop(recording, None)
        if track is None:
            return
        self._writer.submit(Close(track))

    def poll(self) -> list[RecordingOutcome]:
        """Return what has been finished or has failed since the last call."""
        outcomes = self._writer.outcomes
        found: list[RecordingOutcome] = []
        while outcomes:
            found.append(outcomes.popleft())
        return found

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Close all recordings and wait for the disk; `poll` once more afterwards.

        False when the disk did not keep up within about twice `timeout_s`; what is missing is then
        found by recovery. The recorder is of no use afterwards.
        """
        for recording in list(self._tracks):
            self.close(recording)
        if not self._writer.stop(timeout_s):
            return False
        if self._tails is not None:
            self._tails.remove()
        return True

    @property
    def backlog_octets(self) -> int:
        """Sound handed over and not on disk yet."""
        return self._writer.octets_submitted - self._writer.octets_done

    @property
    def open_files(self) -> int:
        """File descriptors in use for recordings."""
        return self._writer.open_files

    @property
    def writes(self) -> int:
        """Writes to files so far."""
        return self._writer.writes

    def _give_up(self, track: Track) -> None:
        track.is_given_up = True
        self._writer.submit(Close(track, "the disk is too slow: backlog full"))


__all__ = ["SegmentedRecorder"]
