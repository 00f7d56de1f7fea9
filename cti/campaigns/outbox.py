"""What has to reach the store, on disk until it has: attempts, records given back, states of campaigns.

One JSON line an item, appended and synced before the store is asked, so that neither a store that is
away nor a crash loses who was called. How far the store has come stands in a file beside it. What a crash
leaves here is delivered at the next start, the latest batch maybe again; the store takes an item twice
without harm. What it will never take, and lines that cannot be read, are legal records all the same: they
are moved to a file beside it that nothing here empties. Blocking: called in a worker thread.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from acd.dialer.model import Attempt, CampaignName, CampaignState, Held


class Dialled(Struct, frozen=True, tag="attempt"):
    """What became of a dial."""

    attempt: Attempt


class GivenBack(Struct, frozen=True, tag="release"):
    """Records that were brought and are not dialled."""

    held: tuple[Held, ...]
    at: float
    reason: str = ""


class Moved(Struct, frozen=True, tag="state"):
    """A campaign was started, paused or finished."""

    campaign: CampaignName
    state: CampaignState
    at: float
    by: str


Item = Dialled | GivenBack | Moved


class Refused(Struct, frozen=True, kw_only=True):
    """One line of the file of those that no store has."""

    why: str
    item: Item | None = None
    line: str = ""
    """As it was found, where it is no item."""


_encode = msgspec.json.Encoder().encode
_DECODER: Final = msgspec.json.Decoder(Item)


class Outbox:
    """A file of items that wait for the store. Not for several processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refused_path = path.with_suffix(".refused.jsonl")
        """What the store will never take, a `Refused` a line; it is there only if there are any."""
        self.refused = 0
        """So many of them by this process."""
        self._mark = path.with_suffix(".taken")
        """Octets at the beginning of the file that the store has taken."""
        self._ends: deque[int] = deque()
        """Where each item ends that the store has not taken yet, in their order."""

    def read(self) -> list[Item]:
        """What an earlier process left. Raises OSError when it cannot be read, or bad lines not be kept."""
        found: list[Item] = []
        bad: list[Refused] = []
        self._ends.clear()
        try:
            with self.path.open("rb") as file:
                end = file.seek(self._taken())
                for line in file:
                    end += len(line)
                    try:
                        found.append(_DECODER.decode(line))
                    except msgspec.DecodeError as error:
                        text = line.decode(errors="backslashreplace").rstrip("\n")
                        bad.append(Refused(why=f"cannot be read: {error}", line=text))
                    else:
                        self._ends.append(end)
        except FileNotFoundError:
            pass
        if bad:
            self.refuse(bad)
            if not found:
                self.taken(0)
        return found

    def refuse(self, refused: Sequence[Refused]) -> None:
        """Keep for people what no store will have. Raises OSError."""
        self.refused += len(refused)
        _append(self.refused_path, [_encode(each) + b"\n" for each in refused])

    def _taken(self) -> int:
        try:
            taken = int(self._mark.read_text())
        except (FileNotFoundError, ValueError):
            return 0
        return taken if 0 <= taken <= self.path.stat().st_size else 0

    def append(self, items: Sequence[Item]) -> None:
        """Add items at the end. Either all are on disk afterwards or `OSError` is raised."""
        lines = [_encode(item) + b"\n" for item in items]
        try:
            end = _append(self.path, lines)
        except OSError:
            self._ends.extend([self._ends[-1] if self._ends else 0] * len(lines))
            raise
        for line in lines:
            end += len(line)
            self._ends.append(end)

    def taken(self, count: int) -> None:
        """The store has taken so many more items, in their order. Raises OSError."""
        end = 0
        for _ in range(min(count, len(self._ends))):
            end = self._ends.popleft()
        if not self._ends:
            self._mark.unlink(missing_ok=True)  # first: it must never be further than the file
            self.path.unlink(missing_ok=True)
        elif end:
            new = self._mark.with_suffix(".new")
            new.write_text(str(end))
            new.replace(self._mark)


def _append(path: Path, lines: list[bytes]) -> int:
    """Add lines, synced, or none of them (`OSError`). Gives where they begin."""
    path.touch(mode=0o600)
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                lines[0] = b"\n" + lines[0]  # a crash has cut the last line short
        try:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.ftruncate(file.fileno(), end)  # a full disk must not leave half of them
            raise
    return end
