"""The newest sound of recordings in memory that outlives the process: nothing of it dies with a gateway.

A tail (`switch.media.tails`) is the sound that is not on the disk yet. The gateway keeps its tails in files
without a disk, below `/dev/shm`: they are there until somebody removes them or the machine starts anew. Who
finishes what a dead gateway left behind puts the tail of each recording to the end of its file first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recordings.errors import NotARecordingError
from recordings.owner import is_alive
from recordings.wave_header import MAX_HEADER_OCTETS, OCTETS_PER_MS, parse
from switch.media.tail_layout import FRAME_OCTETS, MOST_PATH_OCTETS, RING_FRAMES

MEMORY: Final = Path("/dev/shm")
_PREFIX: Final = f"switchroom-tails-{MOST_PATH_OCTETS}-{RING_FRAMES}-"
"""Another version may lay them out in another way."""
OWNER: Final = "owner"
"""The file with the name of the process."""
_SEEN: Final = "seen"
"""Since when it is known that the process is gone."""
_WANTED_S: Final = 86400.0
"""Whoever has not come for a tail by then does not come."""
_RING_OCTETS: Final = RING_FRAMES * FRAME_OCTETS
_SAFE_OCTETS: Final = (RING_FRAMES - 1) * FRAME_OCTETS
"""The oldest frame of a ring may be being overwritten."""
_OCTETS_PER_S: Final = 1000 * OCTETS_PER_MS


@dataclass(frozen=True, slots=True)
class _Tail:
    """What a process left of one recording."""

    name: str
    """The path of its file, without suffix."""
    begin: int
    end: int
    """Frames from `begin` to here belong into the file; frame n is n modulo `RING_FRAMES` of `ring`."""
    sound: Path
    at: int
    """Where its ring is in that file."""

    def lacking(self, octets: int) -> int:
        """Octets that a file with so many octets of sound lacks."""
        return (self.end - self.begin) * FRAME_OCTETS - octets

    def last(self, lacking: int) -> bytes:
        """So many octets, the newest ones."""
        with self.sound.open("rb") as file:
            file.seek(self.at)
            ring = file.read(_RING_OCTETS)
        start = (self.end * FRAME_OCTETS - lacking) % _RING_OCTETS
        return (ring + ring)[start : start + lacking]


def append_tail(part: Path, owner: str, begin: int, memory: Path = MEMORY) -> str | None:
    """Put what the dead process `owner` had not written yet to the end of its file `part`.

    The sound of the file begins at the octet `begin`; its length says what lacks. Returns the reason when
    something lacks all the same; after a hole nothing is written, as sound would only mislead.
    """
    name = name_of(part.with_suffix(""))
    try:
        tails = _tails(folder_of(owner, memory))
        found = next((tail for tail in tails if tail.name == name), None)
        return None if found is None else _append(part, begin, found)
    except OSError as error:
        return f"its end could not be written: {error.strerror or error}"


def _append(part: Path, begin: int, tail: _Tail) -> str | None:
    with part.open("rb+") as file:
        octets = file.seek(0, os.SEEK_END) - begin
        lacking = tail.lacking(octets)
        if lacking > _SAFE_OCTETS:
            return f"the disk was slow, the last {lacking / _OCTETS_PER_S:.1f} s are lost"
        if lacking > 0:
            file.write(tail.last(lacking))
    return None


def sweep(memory: Path = MEMORY) -> None:
    """Remove the tails of processes that are gone, once none of it has to come into a file any more."""
    for folder in memory.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if _is_ours(folder) and is_alive((folder / OWNER).read_text()) is False:
                is_wanted = any(_is_wanted(tail) for tail in _tails(folder))
                if not is_wanted or _age_s(folder / _SEEN) > _WANTED_S:
                    shutil.rmtree(folder)


def name_of(path: str | Path) -> str:
    """By which a recording is found, however the same folders are spelled."""
    return os.path.abspath(path)


def folder_of(owner: str, memory: Path = MEMORY) -> Path:
    """Where a process keeps its tails."""
    return memory / f"{_PREFIX}{hashlib.sha256(owner.encode()).hexdigest()[:24]}"


def _tails(folder: Path) -> Iterator[_Tail]:
    """The tails as their process left them; it may have been about to make room for more. Raises OSError."""
    if not _is_ours(folder):
        return
    try:
        paths = (folder / "paths").read_bytes()
        begins, ends = ((folder / name).read_bytes() for name in ("begins", "ends"))
        rings = (folder / "sound").stat().st_size // _RING_OCTETS
    except FileNotFoundError:
        return
    whole = min(len(paths) // MOST_PATH_OCTETS, len(begins) // 8, len(ends) // 8, rings)
    numbers = struct.Struct(f"={whole}q")
    for row, (begin, end) in enumerate(
        zip(numbers.unpack_from(begins), numbers.unpack_from(ends), strict=True)
    ):
        octets = paths[row * MOST_PATH_OCTETS : (row + 1) * MOST_PATH_OCTETS].rstrip(b"\0")
        if octets:
            at = row * _RING_OCTETS
            yield _Tail(os.fsdecode(octets), begin, end, folder / "sound", at)


def _is_wanted(tail: _Tail) -> bool:
    part = f"{tail.name}.part"
    try:
        with open(part, "rb") as file:
            _, begin = parse(file.read(MAX_HEADER_OCTETS), part)
            return 0 < tail.lacking(os.fstat(file.fileno()).st_size - begin) <= _SAFE_OCTETS
    except (OSError, NotARecordingError):
        return False


def _is_ours(folder: Path) -> bool:
    """Everybody may make a folder there."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _age_s(mark: Path) -> float:
    if not mark.exists():
        mark.touch()
    return time.time() - mark.stat().st_mtime
