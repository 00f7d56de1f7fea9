"""The two threads behind the recorder: one appends sound to files, one finishes files.

They are apart because finishing waits for the disk (fsync) and appending must not. Errors of one
file end that recording alone. The engine's thread talks to them through unbounded queues whose
octets are counted, and stops handing over when the count is too high.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recordings.errors import NotARecordingError
from recordings.finish import finish_file
from recordings.outcome import Outcome
from recordings.wave_header import MAX_SOUND_OCTETS, OCTETS_PER_MS, Header
from switch.libc import write_blocks

_PRIORITY: Final = 5
"""The nice value of both threads, whatever that of the engine's thread is."""
_REASONS: Final = {
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk quota used up",
    errno.EFBIG: "file size limit reached",
    errno.EACCES: "no right to write",
    errno.EPERM: "no right to write",
    errno.EROFS: "disk is read-only",
    errno.ENOENT: "folder vanished",
    errno.EEXIST: "a file of this name exists already",
    errno.EMFILE: "too many open files",
    errno.EIO: "disk error",
}


class Track:
    """One recording as the threads see it. After its creation the writer thread owns it."""

    __slots__ = (
        "failed",
        "handle",
        "header",
        "is_closed",
        "is_created",
        "is_given_up",
        "part",
        "written",
    )

    def __init__(self, header: Header, part: Path) -> None:
        self.header = header
        self.part = part
        self.handle: int | None = None
        """Kept open while there are few; else opened for each write."""
        self.written = 0
        """Octets of sound in the file."""
        self.failed: str | None = None
        """The first thing that went wrong. Read by the engine's thread, which then stops sending."""
        self.is_created = False
        """The file is ours; one that was there before is not touched."""
        self.is_given_up = False
        """By the engine's thread, which alone reads and writes this."""
        self.is_closed = False
        """Handed to the finisher; whatever comes later is dropped."""


@dataclass(frozen=True, slots=True)
class Open:
    """Make the file of a new recording."""

    track: Track


@dataclass(frozen=True, slots=True)
class Write:
    """Append `sound[i * octets : (i + 1) * octets]` to `tracks[i]`."""

    tracks: list[Track]
    octets: int
    sound: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Close:
    """No more sound will come. `failure`: the engine's thread gave it up."""

    track: Track
    failure: str | None = None


Job = Open | Write | Close


class Writer:
    """Starts and stops the threads. `submit` may be called from one thread only."""

    def __init__(self, *, max_open_files: int, min_free_octets: int) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._finished: SimpleQueue[Track | None] = SimpleQueue()
        self._max_open_files = max_open_files
        self._min_free_octets = min_free_octets
        self.open_files = 0
        self.octets_submitted = 0
        self.octets_done = 0
        """Written or dropped; with `octets_submitted` it tells how far the disk is behind."""
        self.writes = 0
        self.outcomes: deque[Outcome] = deque()
        """What has ended; `popleft` by the engine's thread."""
        self._threads = [
            _start("recordings-writer", self._write_all),
            _start("recordings-finisher", self._finish_all),
        ]

    def submit(self, job: Job) -> None:
        """Queue a job; returns at once."""
        if isinstance(job, Write):
            self.octets_submitted += len(job.sound)
        self._jobs.put(job)

    def stop(self, timeout_s: float) -> bool:
        """Let the threads finish what is queued; False when they did not within `timeout_s`."""
        self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    # --- the writer's thread ---

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            match job:
                case Write():
                    self._write(job)
                case Open(track):
                    self._guard(track, self._open)
                case Close(track, failure):
                    track.failed = track.failed or failure
                    self._let_go(track)
        self._finished.put(None)

    def _write(self, job: Write) -> None:
        octets = job.octets
        handles = np.fromiter((_open_handle(track, octets) for track in job.tracks), np.int64)
        written = np.zeros(len(handles), dtype=np.int64)
        # In one go: while this thread has the interpreter's lock the engine may have to wait for it, and
        # longer when the system gives this core to somebody else meanwhile.
        write_blocks(handles, job.sound, octets, written)
        for at, (track, done) in enumerate(zip(job.tracks, written.tolist(), strict=True)):
            track.written += max(done, 0)
            if done == octets:
                self.writes += 1
            elif not track.is_closed:
                rest = job.sound[at * octets + max(done, 0) : (at + 1) * octets]
                self._guard(track, partial(self._append, sound=rest))
        self.octets_done += len(job.sound)

    def _guard(self, track: Track, act: Callable[[Track], None]) -> None:
        """Do something for one recording; its failure ends that recording alone."""
        try:
            act(track)
        except (OSError, ValueError) as error:
            track.failed = _reason(error, track.part)
            self._let_go(track)

    def _open(self, track: Track) -> None:
        track.part.parent.mkdir(parents=True, exist_ok=True)
        if self._min_free_octets:
            free = shutil.disk_usage(track.part.parent).free
            if free < self._min_free_octets:
                raise OSError(errno.ENOSPC, f"only {free >> 20} MiB left")
        if track.part.with_suffix(".wav").exists():
            raise FileExistsError(errno.EEXIST, "exists")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        handle = os.open(track.part, flags, 0o640)
        track.is_created = True
        try:
            _write_whole(handle, memoryview(track.header.pack()))
        except OSError:
            os.close(handle)
            raise
        if self.open_files < self._max_open_files:
            track.handle = handle
            self.open_files += 1
        else:
            os.close(handle)

    def _append(self, track: Track, sound: NDArray[np.uint8]) -> None:
        if track.written + len(sound) > MAX_SOUND_OCTETS:
            raise OSError(errno.EFBIG, "longer than a WAVE file can be")
        if track.handle is not None:
            _write_whole(track.handle, sound.data)
        else:
            handle = os.open(track.part, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                _write_whole(handle, sound.data)
            finally:
                os.close(handle)
        track.written += len(sound)
        self.writes += 1

    def _let_go(self, track: Track) -> None:
        if track.is_closed:
            return
        track.is_closed = True
        if track.handle is not None:
            os.close(track.handle)
            track.handle = None
            self.open_files -= 1
        self._finished.put(track)

    # --- the finisher's thread ---

    def _finish_all(self) -> None:
        while (track := self._finished.get()) is not None:
            self.outcomes.append(_finish(track))


def _finish(track: Track) -> Outcome:
    """Make the whole file, or say why there is only a part."""
    reason = track.failed
    kept = 0
    if track.is_created:
        try:
            return finish_file(track.part, error=reason)
        except (OSError, ValueError, NotARecordingError) as error:
            reason = reason or _reason(error, track.part)
        with contextlib.suppress(OSError):
            kept = track.part.stat().st_size
    return Outcome(
        recording=track.header.recording,
        path=str(track.part),
        duration_ms=track.written // OCTETS_PER_MS if kept else 0,
        octets=kept,
        sha256="",
        error=reason,
    )


def _open_handle(track: Track, octets: int) -> int:
    """The open file of a track that can take so many more octets; -1: none, or it needs another look."""
    if track.is_closed or track.handle is None or track.written + octets > MAX_SOUND_OCTETS:
        return -1
    return track.handle


def _write_whole(handle: int, data: memoryview) -> None:
    """Write all; the system may take less at once when the disk runs full."""
    written = os.write(handle, data)
    while written < len(data):
        written += os.write(handle, data[written:])


def _reason(error: Exception, path: Path) -> str:
    """Say in words what the system refused, and where."""
    if not isinstance(error, OSError):
        return f"{error}: {path}"
    known = _REASONS.get(error.errno or 0)
    said = error.strerror or str(error)
    return f"{known} ({said}): {path}" if known else f"{said}: {path}"


def _start(name: str, target: Callable[[], None]) -> threading.Thread:
    def work() -> None:
        with contextlib.suppress(OSError):
            # Files can wait, sound cannot: where both want the same core, sound comes first.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _PRIORITY)
        target()

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
