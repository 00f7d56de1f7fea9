"""What agents choose for talks that nobody but the store knows: of an earlier process, or long over.

An agent in wrap-up may choose "never call this person again" just after the server was started anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from crm_store.errors import StoreError, StoreUnavailable

log = logging.getLogger(__name__)

_MOST: Final = 5_000
"""Choices that wait while the store is away."""
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0


class LateChoices:
    """One task. Most interactions are no campaign's: the store is asked, beside the calls."""

    def __init__(
        self, recall: Callable[[str], Awaitable[bool]], dispose: Callable[[str, str], bool]
    ) -> None:
        """`recall` asks the store for an attempt (`StoreError`), `dispose` notes what was chosen for it."""
        self._recall = recall
        self._dispose = dispose
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_MOST)

    def add(self, interaction: str, disposition: str) -> None:
        """An agent chose this."""
        try:
            self._waiting.put_nowait((interaction, disposition))
        except asyncio.QueueFull:
            log.error("campaigns: %r, chosen for %s, is lost", disposition, interaction)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            interaction, disposition = await self._waiting.get()
            try:
                if await self._is_known(interaction):
                    self._dispose(interaction, disposition)
            except StoreError as error:
                log.error("campaigns: %r for %s is lost: %s", disposition, interaction, error)

    async def _is_known(self, interaction: str) -> bool:
        """Asked again while the store is away."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await self._recall(interaction)
            except StoreUnavailable as error:
                log.debug("campaigns: what was chosen for %s waits: %s", interaction, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
