"""The files of the pacers' decisions: written, closed, packed, and let go when they are too old or too much.

    NAME.jsonl                 the one that is written
    NAME.MOMENT.jsonl          closed then (seconds since 1970), about to be packed
    NAME.MOMENT.jsonl.gz       closed and packed
    NAME~GONE.MOMENT.jsonl.gz  of a campaign that was deleted then: another may have its name now

Blocking: called in a worker thread.
"""

from __future__ import annotations

import contextlib
import gzip
import logging
import os
import re
import shutil
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from acd.dialer.pacing.model import Decision

log = logging.getLogger(__name__)

_MOST_OCTETS: Final = 16 << 20
"""A file that has so many is closed,"""
_LONGEST_S: Final = 86400.0
"""and one that was begun so long ago."""
_CLOSED: Final = re.compile(r"(?P<owner>[^.]+)\.(?P<at>[0-9]{1,12})\.jsonl(?P<packed>\.gz)?")

_encode = msgspec.json.Encoder().encode


class Logged(Struct, frozen=True, kw_only=True):
    """One decision as it is kept. `at` is seconds since 1970."""

    campaign: str
    at: float
    number: int
    dials: int
    reason: str
    decision: Decision


_decode = msgspec.json.Decoder(Logged).decode


class _Closed(Struct, frozen=True, order=True):
    at: int
    path: Path
    is_packed: bool


class DecisionFiles:
    """The folder. Not for several threads at a time."""

    def __init__(self, folder: Path, *, days: int, most_octets: int) -> None:
        """Closed files are kept for so many days, and of each campaign no more than so many octets."""
        self._folder = folder
        self._keep_s = days * 86400.0
        self._most_octets = most_octets
        self._begun: dict[str, float] = {}
        """When the oldest decision in the file that is written was made."""

    def write(self, decisions: Iterable[Logged]) -> bool:
        """Add decisions; True where a file was closed: there is something to `tidy`. Raises OSError."""
        by_campaign: dict[str, list[Logged]] = {}
        for each in decisions:
            by_campaign.setdefault(each.campaign, []).append(each)
        if by_campaign:
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        is_closed = False
        for campaign, of_one in by_campaign.items():
            path = self._path(campaign)
            is_closed |= self._close_if_due(campaign, path, of_one[0].at)
            self._begun.setdefault(campaign, of_one[0].at)
            path.touch(mode=0o600)
            with path.open("ab") as file:
                file.write(b"".join(_encode(each) + b"\n" for each in of_one))
        return is_closed

    def last(self, campaign: str, most: int) -> list[Logged]:
        """The newest decisions, oldest first."""
        found: deque[Logged] = deque()
        for lines in self._newest_files(campaign, most):
            found.extendleft(_read(lines))
            if len(found) >= most:
                break
        return list(found)[-most:] if most > 0 else []

    def set_apart(self, campaign: str, now: float) -> None:
        """It was deleted: what is kept of it is not shown to another of its name."""
        gone = f"{campaign}~{now:.0f}"
        self._close(campaign, self._path(campaign), now)
        for each in self._closed().get(campaign, ()):
            each.path.replace(each.path.with_name(gone + each.path.name.removeprefix(campaign)))

    def tidy(self, now: float) -> None:
        """Pack what is closed; let go what is too old, and of each campaign what is too much."""
        for files in self._closed().values():
            octets = 0
            for each in sorted(files, reverse=True):
                path = each.path if each.is_packed else _pack(each.path)
                octets += path.stat().st_size
                if octets > self._most_octets or each.at < now - self._keep_s:
                    path.unlink()

    # --- inside ---------------------------------------------------------------------------------

    def _close_if_due(self, campaign: str, path: Path, now: float) -> bool:
        try:
            is_full = path.stat().st_size > _MOST_OCTETS
        except FileNotFoundError:
            return False
        begun = self._begun.get(campaign)
        if begun is None:
            begun = self._begun[campaign] = _first_at(path, now)
        if not is_full and 0.0 <= now - begun < _LONGEST_S:
            return False
        self._close(campaign, path, now)
        return True

    def _close(self, campaign: str, path: Path, now: float) -> None:
        self._begun.pop(campaign, None)
        at = int(now)
        while any(self._path(f"{campaign}.{at}", end).exists() for end in ("", ".gz")):
            at += 1
        with contextlib.suppress(FileNotFoundError):
            path.rename(self._path(f"{campaign}.{at}"))

    def _closed(self) -> Mapping[str, Sequence[_Closed]]:
        """By campaign."""
        found: dict[str, list[_Closed]] = {}
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            match = _CLOSED.fullmatch(path.name)
            if match is not None:
                closed = _Closed(int(match["at"]), path, match["packed"] is not None)
                found.setdefault(match["owner"], []).append(closed)
        return found

    def _newest_files(self, campaign: str, most: int) -> Iterator[Sequence[bytes]]:
        """The last lines of each file, the newest file first."""
        with contextlib.suppress(FileNotFoundError), self._path(campaign).open("rb") as file:
            yield _tail(file.fileno(), most)
        for each in sorted(self._closed().get(campaign, ()), reverse=True):
            try:
                with gzip.open(each.path) if each.is_packed else each.path.open("rb") as lines:
                    found = deque(lines, maxlen=most)
            except (OSError, EOFError, zlib.error) as error:
                log.warning("%s cannot be read: %s", each.path, error)
            else:
                yield found

    def _path(self, campaign: str, end: str = "") -> Path:
        return self._folder / f"{campaign}.jsonl{end}"


def _read(lines: Sequence[bytes]) -> Iterator[Logged]:
    """What lines say, the newest first; one that was cut short says nothing."""
    for line in reversed(lines):
        with contextlib.suppress(msgspec.DecodeError):
            yield _decode(line)


def _first_at(path: Path, otherwise: float) -> float:
    with path.open("rb") as file:
        return next((each.at for each in _read([file.readline()])), otherwise)


def _pack(path: Path) -> Path:
    """Pack a closed file; where that was begun before, begin anew."""
    packed = path.with_name(path.name + ".gz")
    beside = packed.with_suffix(".new")
    with path.open("rb") as source, open(_private(beside), "wb") as file:
        with gzip.open(file, "wb", compresslevel=6) as out:
            shutil.copyfileobj(source, out, 1 << 20)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(packed)
    path.unlink()
    return packed


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _tail(descriptor: int, most: int) -> list[bytes]:
    """The last lines of a file, by reading it from its end."""
    end = os.fstat(descriptor).st_size
    data, lines = b"", 0
    while end > 0 and lines <= most:
        begin = max(0, end - (1 << 20))
        block = os.pread(descriptor, end - begin, begin)
        data, end = block + data, begin
        lines += block.count(b"\n")
    return data.splitlines()[-most:] if most > 0 else []
