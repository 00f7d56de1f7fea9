"""The pacer's decisions with all that they were made of, in files: to be asked for, and to be made again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from acd.dialer.model import CampaignName
from acd.dialer.pacing.model import Decision

log = logging.getLogger(__name__)

_WRITE_S: Final = 1.0
_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one file; two of them are kept for each campaign."""
_MOST_WAITING: Final = 5_000
"""Beyond these the oldest are dropped: the disk is too slow."""

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


class DecisionLog:
    """`NAME.jsonl` and `NAME.1.jsonl` in a folder. `add` never waits; a task writes once a second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: deque[Logged] = deque(maxlen=_MOST_WAITING)
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()

    def add(self, decision: Logged) -> None:
        """Keep a decision."""
        self._waiting.append(decision)
        self._wake.set()

    async def run(self) -> None:
        """Write, until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(_WRITE_S)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits."""
        async with self._lock:
            self._wake.clear()
            waiting, self._waiting = self._waiting, deque(maxlen=_MOST_WAITING)
            if waiting:
                try:
                    await asyncio.to_thread(self._write, waiting)
                except OSError as error:
                    log.error("the pacer's decisions cannot be written: %s", error)

    async def last(self, campaign: CampaignName, most: int) -> list[Logged]:
        """The newest decisions, oldest first."""
        await self.flush()
        return await asyncio.to_thread(self._read, campaign, most)

    def _write(self, decisions: Iterable[Logged]) -> None:
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        lines: dict[str, list[bytes]] = {}
        for each in decisions:
            lines.setdefault(each.campaign, []).append(_encode(each) + b"\n")
        for campaign, of_one in lines.items():
            path = self._path(campaign)
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_size > _MOST_BYTES:
                    path.replace(self._path(campaign, ".1"))
            path.touch(mode=0o600)
            with path.open("ab") as file:
                file.write(b"".join(of_one))

    def _read(self, campaign: str, most: int) -> list[Logged]:
        found: deque[Logged] = deque(maxlen=most)
        for path in (self._path(campaign, ".1"), self._path(campaign)):
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                for line in _tail(file.fileno(), most):
                    with contextlib.suppress(msgspec.DecodeError):
                        found.append(_decode(line))
        return list(found)

    def _path(self, campaign: str, suffix: str = "") -> Path:
        return self._folder / f"{campaign}{suffix}.jsonl"


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
