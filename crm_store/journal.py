"""The journal: rows of history on disk while the database cannot take them.

One JSON line per row, `["timeline", {...}]`, appended and synced. Read from the front in portions;
when all was read and written, the file is removed. A line that was cut short by a crash is skipped
and counted. Blocking: called in a worker thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from crm_store.repair import cleaned
from crm_store.rows import KIND_OF_ROW, ROW_KINDS, HistoryRow

_encode = msgspec.json.Encoder().encode
_LINE: Final = msgspec.json.Decoder(tuple[str, msgspec.Raw])
_ROWS: Final = {kind: msgspec.json.Decoder(row) for kind, row in ROW_KINDS.items()}


def encode_row(row: HistoryRow) -> bytes:
    """One line. What JSON cannot hold is repaired."""
    try:
        return _encode((KIND_OF_ROW[type(row)], row)) + b"\n"
    except (TypeError, ValueError, OverflowError):
        return _encode((KIND_OF_ROW[type(row)], cleaned(row))) + b"\n"


class Journal:
    """A file of rows that wait. Not for several processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.waiting = 0
        """Rows not yet taken."""
        self.bad_lines = 0
        """Lines that could not be read."""
        self._offset = 0
        self._taken = (0, 0)
        """Rows and octets of the portion that is being written."""

    def open(self) -> None:
        """Look at what an earlier run left behind. Raises `OSError` when it cannot be read."""
        self._offset = self.waiting = 0
        last = b"\n"
        try:
            with self.path.open("rb") as file:
                for row in file:
                    self.waiting += 1
                    last = row
        except FileNotFoundError:
            return
        if not last.endswith(b"\n"):
            with self.path.open("ab") as file:
                file.write(b"\n")  # or the next row would share the line that a crash cut short

    def append(self, rows: Sequence[HistoryRow]) -> None:
        """Add rows at the end. Either all are on disk afterwards or `OSError` is raised."""
        if not rows:
            return
        self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        with self.path.open("ab") as file:
            end = file.tell()
            try:
                self._write(file.fileno(), rows)
            except OSError:
                os.ftruncate(file.fileno(), end)  # a full disk must not leave half of them
                raise
        self.waiting += len(rows)

    def prepend(self, rows: Sequence[HistoryRow]) -> None:
        """Put rows before all that waits: they are older."""
        if not self.waiting:
            self.append(rows)
            return
        other = self.path.with_suffix(".new")
        other.touch(mode=0o600)
        with other.open("wb") as file, self.path.open("rb") as old:
            self._write(file.fileno(), rows)
            old.seek(self._offset)
            while block := old.read(1 << 20):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        other.replace(self.path)
        self._offset = 0
        self.waiting += len(rows)

    def take(self, limit: int) -> list[HistoryRow]:
        """The next rows, without removing them: call `taken` once they are safe elsewhere."""
        rows: list[HistoryRow] = []
        lines = octets = 0
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                lines += 1
                octets += len(line)
                row = self._read(line)
                if row is not None:
                    rows.append(row)
                if len(rows) >= limit:
                    break
        self._taken = (lines, octets)
        return rows

    def taken(self) -> None:
        """Go on behind the portion taken last; remove the file when nothing is left."""
        lines, octets = self._taken
        self._taken = (0, 0)
        self._offset += octets
        self.waiting = max(0, self.waiting - lines)
        if self._offset >= self.path.stat().st_size:
            self.path.unlink()
            self._offset = 0
            self.waiting = 0

    def _read(self, line: bytes) -> HistoryRow | None:
        try:
            kind, raw = _LINE.decode(line)
            return _ROWS[kind].decode(raw)
        except (msgspec.DecodeError, KeyError):
            self.bad_lines += 1
            return None

    @staticmethod
    def _write(descriptor: int, rows: Iterable[HistoryRow]) -> None:
        data = memoryview(b"".join(map(encode_row, rows)))
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
