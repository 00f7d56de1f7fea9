"""Pacers beside a server that runs: their compiled part is made ready, what they learned is kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from acd.dialer.dialer import Dialer
from acd.dialer.model import CampaignName, Mode
from acd.dialer.pacing import loading
from acd.dialer.settings import CampaignSettings

log = logging.getLogger(__name__)

_WRITE_S: Final = 60.0


class PacingKeeper:
    """`NAME.learned.json` in a folder: written once a minute, read when a campaign is loaded."""

    def __init__(self, dialer: Dialer, folder: Path) -> None:
        self._dialer = dialer
        self._folder = folder
        self._wanted = asyncio.Event()
        self._written: dict[CampaignName, int] = {}

    def look_at(self, settings: CampaignSettings) -> None:
        """A campaign is told this: the first that predicts has the compiled part loaded."""
        if settings.mode is Mode.PREDICTIVE and loading.is_missing():
            self._wanted.set()

    def learned(self, name: CampaignName) -> dict[str, Any]:
        """What its pacer had learned before the restart; nothing, if that cannot be read."""
        try:
            kept = msgspec.json.decode(self._path(name).read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            log.warning("what campaign %s had learned cannot be read: %s", name, error)
            return {}
        return kept if isinstance(kept, dict) else {}

    def forget(self, name: CampaignName) -> None:
        """It was deleted."""
        self._written.pop(name, None)
        with contextlib.suppress(OSError):
            self._path(name).unlink(missing_ok=True)

    async def run(self) -> None:
        """Keep what is learned, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WRITE_S):
                    await self._wanted.wait()
            if self._wanted.is_set():
                self._wanted.clear()
                await make_ready()
            await self.flush()

    async def flush(self) -> None:
        """Write what was learned since the last time."""
        news: dict[CampaignName, Mapping[str, Any]] = {}
        for name in self._dialer.names():
            decisions = self._dialer.decisions(name)
            if decisions and self._written.get(name) != decisions:
                self._written[name] = decisions
                news[name] = self._dialer.learned(name)
        if not news:
            return
        try:
            await asyncio.to_thread(self._write, news)
        except OSError as error:
            log.error("what pacers learned cannot be written: %s", error)

    def _write(self, news: Mapping[CampaignName, Mapping[str, Any]]) -> None:
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        for name, learned in news.items():
            path = self._path(name)
            beside = path.with_suffix(".new")
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(learned))
            beside.replace(path)

    def _path(self, name: CampaignName) -> Path:
        return self._folder / f"{name}.learned.json"


async def make_ready() -> None:
    """Compile it in a process of its own, where this version is not compiled yet; load it in a thread.

    Until then predictive campaigns dial one for each free agent.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "acd.compiled",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        raise
    await asyncio.to_thread(loading.load)
    log.info("predictive dialing is ready")
