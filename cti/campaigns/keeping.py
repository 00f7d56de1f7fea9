"""Looks after the records that the dialer holds: claims are kept up, and what must not be called is let go.

An agent may read for half an hour, and a person may wait in a queue after an announcement: their claims
are renewed long before they lapse. A number may come onto a do-not-call list while it is held: such
records are withdrawn unless they are dialled already.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from acd.dialer.dialer import Dialer
from acd.dialer.in_hand import FORBIDDEN, LAPSED
from acd.dialer.model import CampaignName
from crm_store.outbound.outbound import Outbound
from switch.clock import Clock

log = logging.getLogger(__name__)

KEEP_S: Final = 60.0
"""Claims of attempts that are older than this are renewed so often; they would lapse after ten minutes."""
_LOOK_S: Final = 10.0
"""How often do-not-call lists are asked about what is held: others may change them too."""


class Keeping:
    """What `Feeding` does before it asks for more. Raises `StoreUnavailable`."""

    def __init__(
        self,
        *,
        dialer: Dialer,
        store: Outbound,
        clock: Clock,
        running: Callable[[], Sequence[CampaignName]],
    ) -> None:
        self._dialer = dialer
        self._store = store
        self._clock = clock
        self._running = running
        self._keep_at = self._look_at = 0.0

    def hurry(self) -> None:
        """A do-not-call list is another."""
        self._look_at = 0.0

    def rest(self, seconds: float) -> None:
        """Something went wrong: nothing is due so long."""
        again = self._clock.now() + seconds
        self._keep_at, self._look_at = max(self._keep_at, again), max(self._look_at, again)

    async def look(self) -> None:
        """Do what is due."""
        now = self._clock.now()
        if now >= self._keep_at:
            await self._keep_up(now)
            self._keep_at = now + KEEP_S
        if now >= self._look_at:
            self._look_at = now + _LOOK_S
            for name in self._running():
                await self._withdraw(name)

    async def _keep_up(self, now: float) -> None:
        held = [each.held for each in self._dialer.in_hand.under_way(now - KEEP_S)]
        if not held:
            return
        until = await self._store.lists.renew(held, at=self._clock.wall())
        self._dialer.in_hand.kept_up(until)
        lost = {each for each in held if each.record not in until}
        count = self._dialer.in_hand.withdraw(lost, LAPSED)
        if count:
            log.warning("campaigns: %d records that agents had before them were lost", count)

    async def _withdraw(self, name: CampaignName) -> None:
        """Let go of those that must not be called any more."""
        found = self._dialer.in_hand.not_dialled(name)
        if not found:
            return
        numbers = sorted({each.number for each in found})
        forbidden = await self._store.lists.forbidden(name, numbers, self._clock.wall())
        if forbidden:
            records = {each.held for each in found if each.number in forbidden}
            count = self._dialer.in_hand.withdraw(records, FORBIDDEN)
            log.info("campaign %s: %d records at hand must not be called any more", name, count)
