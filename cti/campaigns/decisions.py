"""The pacer's decisions with all that they were made of: to be asked for, and to be made again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from acd.dialer.model import CampaignName
from cti.campaign_settings import CampaignsSection
from cti.campaigns.decision_files import DecisionFiles, Logged

log = logging.getLogger(__name__)

_WRITE_S: Final = 1.0
_DAY_S: Final = 86400.0
_MOST_WAITING: Final = 5_000
"""Beyond these the oldest are dropped: the disk is too slow."""


class DecisionLog:
    """Keeps decisions in files of a folder. `add` never waits; a task writes once a second."""

    def __init__(self, folder: Path, section: CampaignsSection) -> None:
        self._files = DecisionFiles(
            folder,
            days=section.decisions_days,
            most_octets=section.decisions_mb * 1_000_000,
        )
        self._waiting: deque[Logged] = deque(maxlen=_MOST_WAITING)
        self.dropped = 0
        """Decisions that nobody can read any more, as the disk was too slow."""
        self._gone: list[tuple[CampaignName, Sequence[Logged]]] = []
        """Campaigns that were deleted, with what waits of them."""
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()
        self._at_work = threading.Lock()
        """Who waited for a thread may be cancelled while that goes on."""
        self._tidied_at = float("-inf")

    def add(self, decision: Logged) -> None:
        """Keep a decision."""
        self.dropped += len(self._waiting) == _MOST_WAITING
        self._waiting.append(decision)
        self._wake.set()

    def forget(self, name: CampaignName) -> None:
        """It was deleted: what is kept of it is of no campaign that has its name."""
        theirs = [each for each in self._waiting if each.campaign == name]
        rest = [each for each in self._waiting if each.campaign != name]
        self._waiting = deque(rest, maxlen=_MOST_WAITING)
        self._gone.append((name, theirs))
        self._wake.set()

    async def run(self) -> None:
        """Write, until cancelled; once a day what is too old goes."""
        while True:
            await self.flush()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DAY_S):
                    await self._wake.wait()
                    await asyncio.sleep(_WRITE_S)

    async def flush(self) -> None:
        """Write what waits."""
        async with self._lock:
            self._wake.clear()
            waiting, self._waiting = self._waiting, deque(maxlen=_MOST_WAITING)
            gone, self._gone = self._gone, []
            try:
                await asyncio.to_thread(self._work, gone, waiting)
            except OSError as error:
                log.error("the pacer's decisions cannot be written: %s", error)

    async def last(self, campaign: CampaignName, most: int) -> list[Logged]:
        """The newest decisions, oldest first."""
        await self.flush()
        async with self._lock:
            return await asyncio.to_thread(self._last, campaign, most)

    def _work(
        self, gone: Sequence[tuple[CampaignName, Sequence[Logged]]], waiting: Sequence[Logged]
    ) -> None:
        with self._at_work:
            now = time.time()
            for name, theirs in gone:
                self._files.write(theirs)
                self._files.set_apart(name, now)
            is_closed = self._files.write(waiting)
            if gone or is_closed or now - self._tidied_at >= _DAY_S:
                self._tidied_at = now
                self._files.tidy(now)

    def _last(self, campaign: CampaignName, most: int) -> list[Logged]:
        with self._at_work:
            return self._files.last(campaign, most)
