"""The recorder of the media engine: takes frames, never waits, keeps them on disk.

engine's thread              writer's thread           finisher's thread
append -> Staging -(0.7 s)-> append to <path>.part
close  -------------------->                        -> sizes, checksums, fsync, <path>.wav
poll   <-------------------------------------------- outcomes
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recordings.owner import current_owner
from recordings.staging import ROW_OCTETS, Batch, Staging
from recordings.wave_header import Header
from recordings.writer import Close, Open, Track, Write, Writer
from switch.ids import RecordingId
from switch.media.ports import RecordingOutcome, RecordingSink


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
        self._max_backlog_octets = max_backlog_octets
        self._wall = wall
        self._staging = Staging()
        self._tracks: dict[RecordingId, Track] = {}
        self._track_in: dict[int, Track] = {}
        """By slot of the staging."""

    def open(self, recording: RecordingId, path: str) -> None:
        """Prepare a recording; `path` is absolute and has no suffix. One that runs is left alone."""
        if recording in self._tracks:
            return
        header = Header(recording=recording, started_at=self._wall(), owner=current_owner())
        track = Track(header, Path(path + ".part"))
        self._tracks[recording] = track
        self._track_in[self._staging.take(recording)] = track
        self._writer.submit(Open(track))

    def append(self, recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None:
        """Copy sound of (n_recordings, n_samples, 2) mu-law; recordings not open are passed over."""
        for batch in self._staging.append(recordings, block):
            self._hand_over(batch)

    def close(self, recording: RecordingId) -> None:
        """Finish a recording; one that is not open is ignored."""
        track = self._tracks.pop(recording, None)
        if track is None:
            return
        if (rest := self._staging.release(recording)) is not None:
            self._hand_over(rest)
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
        return self._writer.stop(timeout_s)

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

    def _hand_over(self, batch: Batch) -> None:
        tracks = [self._track_in[slot] for slot in batch.slots]
        if self.backlog_octets + sum(batch.lengths) > self._max_backlog_octets:
            for track in tracks:
                self._give_up(track)
        elif any(track.is_given_up for track in tracks):
            return  # with a hole in it, sound would only mislead; the rest is behind as well
        else:
            sound = batch.sound.data.cast("B")
            self._writer.submit(Write(tracks, batch.lengths, sound, ROW_OCTETS))

    def _give_up(self, track: Track) -> None:
        if not track.is_given_up:
            track.is_given_up = True
            self._writer.submit(Close(track, "the disk is too slow: backlog full"))


__all__ = ["SegmentedRecorder"]
