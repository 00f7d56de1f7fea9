"""Writes the journal: records are appended at the end of each turn, and the file is kept short.

No fsync: the file has to survive the death of this process, for which the kernel's cache is enough;
the calls would not survive the loss of power anyway. Nothing here raises for a full or broken disk:
calls go on, the loss is counted and told, and when the disk has room again everything is written anew.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from switch.journal.format import Header, Key, make_frames, make_header

log = logging.getLogger(__name__)

SMALLEST_REWRITE: Final = 4 << 20
"""A file below so many octets is never rewritten."""
REWRITE_AT: Final = 4
"""It is rewritten when it is so many times as long as what counts in it."""
_PIECE_OCTETS: Final = 256 << 10
"""Copied into the new file at each turn: rewriting must not hold up the loop."""
_TRY_AGAIN_S: Final = 5.0
"""After a failure."""
_SLOW_S: Final = 0.005


class Journal:
    """One journal file. Used from the loop's thread only.

    `put` and `delete` gather, `commit` writes what was gathered in one go.
    """

    def __init__(
        self, path: Path, header: Header, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """The file is made by `begin`."""
        self._path = path
        self._header = header
        self._now = monotonic
        self._encode = msgspec.msgpack.Encoder().encode
        self._live: dict[Key, bytes] = {}
        self._live_octets = 0
        self._pending: list[bytes] = []
        self._fd = -1
        self._octets = 0
        self._new_fd = -1
        self._new_octets = 0
        self._to_copy: list[Key] = []
        self._retry_at = 0.0
        self._rewrite_at = 0.0
        """Not before: the last attempt failed."""
        self._last_fault = ""
        self.records = 0
        """Written since the start."""
        self.failures = 0
        """Turns whose records could not be written at the time."""
        self.slow = 0
        """Writes that took longer than 5 ms."""
        self.rewrites = 0

    @property
    def octets(self) -> int:
        """Length of the file."""
        return self._octets

    @property
    def live(self) -> int:
        """Records that count."""
        return len(self._live)

    @property
    def is_whole(self) -> bool:
        """False while something could not be written."""
        return self._fd >= 0

    def begin(self, entries: dict[Key, bytes]) -> None:
        """Start a new file with the records of an earlier one, which it replaces."""
        self._live.update(entries)
        self._live_octets = sum(map(len, self._live.values()))
        self._write_anew()

    def put(self, kind: str, key: str, value: object) -> None:
        """Record a value; the same value again costs no writing."""
        entry = self._encode((kind, key, value))
        name = (kind, key)
        old = self._live.get(name)
        if old == entry:
            return
        self._live_octets += len(entry) - (0 if old is None else len(old))
        self._live[name] = entry
        self._pending.append(entry)

    def delete(self, kind: str, key: str) -> None:
        """Record that it is no longer there."""
        old = self._live.pop((kind, key), None)
        if old is not None:
            self._live_octets -= len(old)
            self._pending.append(self._encode((kind, key)))

    def commit(self) -> None:
        """Write what was gathered. Never raises."""
        if not self._pending:
            return
        data = make_frames(self._pending)
        self.records += len(self._pending)
        self._pending.clear()
        if self._fd < 0:
            if self._now() >= self._retry_at:
                self._write_anew()
            else:
                self.failures += 1
            return
        began = self._now()
        try:
            self._append(data)
        except OSError as error:
            self._failed(error)
            return
        if self._now() - began > _SLOW_S:
            self.slow += 1
        if self._new_fd >= 0:
            self._rewrite_on(data)
        elif began >= self._rewrite_at and self._is_long:
            self._rewrite_begin()

    def abandon(self) -> None:
        """Close the file without what was gathered since the last `commit`."""
        self._pending.clear()
        self.close()

    def close(self) -> None:
        """Close the file; it stays."""
        self.commit()
        for fd in (self._fd, self._new_fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._new_fd = -1
        self._retry_at = float("inf")

    # --- inside ---------------------------------------------------------------------------------

    @property
    def _is_long(self) -> bool:
        return self._octets > max(SMALLEST_REWRITE, REWRITE_AT * self._live_octets)

    def _append(self, data: bytes) -> None:
        """Raises OSError; what was written of the data is taken back then."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:] if written else data)
        except OSError:
            if written:
                os.ftruncate(self._fd, self._octets)
            raise
        self._octets += len(data)

    def _write_anew(self) -> None:
        """Replace the file by one with exactly what counts."""
        fd = -1
        try:
            fd = self._open_new()
            data = make_header(self._header) + make_frames(list(self._live.values()))
            _write_all(fd, data)
            os.replace(self._new_path, self._path)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            self._failed(error)
            return
        if self._last_fault:
            log.warning("the journal of calls is whole again")
            self._last_fault = ""
        self._fd, self._octets = fd, len(data)

    def _rewrite_begin(self) -> None:
        """Begin a shorter file beside the present one; both get what is new until it is whole."""
        try:
            self._new_fd = self._open_new()
            header = make_header(self._header)
            _write_all(self._new_fd, header)
        except OSError as error:
            self._rewrite_failed(error)
            return
        self._new_octets = len(header)
        self._to_copy = list(self._live)

    def _rewrite_on(self, data: bytes) -> None:
        """Copy one piece, after what is new: of two entries of a record the later is the newer."""
        entries: list[bytes] = []
        size = len(data)
        while self._to_copy and size < _PIECE_OCTETS:
            entry = self._live.get(self._to_copy.pop())
            if entry is not None:
                entries.append(entry)
                size += len(entry)
        data += make_frames(entries)
        try:
            _write_all(self._new_fd, data)
            self._new_octets += len(data)
            if not self._to_copy:
                os.replace(self._new_path, self._path)
        except OSError as error:
            self._rewrite_failed(error)
            return
        if not self._to_copy:
            os.close(self._fd)
            self._fd, self._octets = self._new_fd, self._new_octets
            self._new_fd = -1
            self.rewrites += 1

    def _rewrite_failed(self, error: OSError) -> None:
        """The present file goes on; it is tried again a little later."""
        self._rewrite_at = self._now() + _TRY_AGAIN_S
        log.warning("the journal of calls could not be shortened: %s", error)
        if self._new_fd >= 0:
            os.close(self._new_fd)
            self._new_fd = -1
        self._to_copy = []

    def _failed(self, error: OSError) -> None:
        """From now on the file lacks something: it is written anew as soon as that can be done."""
        self.failures += 1
        self._retry_at = self._now() + _TRY_AGAIN_S
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._new_fd >= 0:
            os.close(self._new_fd)
            self._new_fd = -1
        if str(error) != self._last_fault:
            self._last_fault = str(error)
            log.error(
                "the journal of calls %s cannot be written: %s; calls go on, but would not survive"
                " a restart",
                self._path,
                error,
            )

    @property
    def _new_path(self) -> Path:
        return self._path.with_name(self._path.name + ".new")

    def _open_new(self) -> int:
        self._new_path.unlink(missing_ok=True)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._new_path, flags, 0o600)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
