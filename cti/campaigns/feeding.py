"""Keeps records at hand for the dialer: claimed a few ahead, so that no dial waits for the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Final

from acd.dialer.dialer import Dialer
from acd.dialer.errors import DialerError
from acd.dialer.model import Blocker, CampaignName, Candidate
from acd.model import AgentId, AgentState
from crm_store.errors import StoreError, StoreUnavailable
from crm_store.outbound.outbound import Outbound
from cti.campaigns.keeping import KEEP_S, Keeping
from cti.campaigns.outbox import GivenBack
from cti.campaigns.settling import Settling
from switch.clock import Clock

log = logging.getLogger(__name__)

_LOOK_S: Final = 0.25
"""How often the dialer is asked what it wants, while a campaign runs."""
_EMPTY_S: Final = 5.0
"""A list that had nothing is asked again after so long: retries and call-backs fall due."""
_OWN_S: Final = 10.0
"""How often call-backs are looked for that a free agent has promised."""
_FAULT_S: Final = 15.0
_KNOWN: Final = (StoreError, DialerError)
"""Of a campaign that was deleted or changed in this moment."""
_MOST: Final = 200
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0


class Feeding:
    """One task for all campaigns."""

    def __init__(
        self,
        *,
        dialer: Dialer,
        store: Outbound,
        settling: Settling,
        clock: Clock,
        agents_of: Callable[[CampaignName], Collection[AgentId]],
        running: Callable[[], Sequence[CampaignName]],
    ) -> None:
        """`agents_of` are a campaign's agents; `running` those that are to have records now."""
        self._dialer = dialer
        self._store = store
        self._settling = settling
        self._clock = clock
        self._agents_of = agents_of
        self._running = running
        self._keeping = Keeping(dialer=dialer, store=store, clock=clock, running=running)
        self._again: dict[CampaignName, float] = {}
        """When an empty list is asked again."""
        self._own_again: dict[CampaignName, float] = {}
        self._wake = asyncio.Event()
        self._pause = 0.0
        self.trouble = ""
        """Why the store brought nothing at the last attempt; empty when it did."""

    def hurry(self, name: CampaignName | None = None) -> None:
        """Something changed: a list may have records now, or a campaign runs."""
        if name is None:
            self._again.clear()
        else:
            self._again.pop(name, None)
        self._keeping.hurry()
        self._wake.set()

    def blockers(self, name: CampaignName) -> tuple[Blocker, ...]:
        """What keeps records from coming."""
        if self._settling.is_behind and not self.trouble:
            words = "What became of the latest dials is not in the database yet; then records come."
            return (Blocker(code="store-away", words=words),)
        if self.trouble:
            words = f"The database is away ({self.trouble}): no records come; it is tried again."
            return (Blocker(code="store-away", words=words),)
        return ()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            try:
                async with asyncio.timeout(self._rest()):
                    await self._wake.wait()
            except TimeoutError:
                pass
            try:
                await self._look_after_records()
                for name in self._running():
                    await self._feed_one(name)
            except StoreUnavailable as error:
                self._is_away(error)
            else:
                self._is_there()

    def _rest(self) -> float | None:
        """How long there is nothing to do by itself."""
        if self._running():
            return max(_LOOK_S, self._pause)
        return KEEP_S if len(self._dialer) else None

    async def _look_after_records(self) -> None:
        """Also while nothing new may be asked for. Raises `StoreUnavailable`."""
        try:
            await self._keeping.look()
        except StoreUnavailable:
            raise
        except _KNOWN as error:
            log.warning("campaigns: records at hand are looked after in %g s: %s", _FAULT_S, error)
            self._keeping.rest(_FAULT_S)
        except Exception:
            # Without this task no campaign dials any more.
            log.exception(
                "campaigns: a fault; what is at hand is dialled, and looked after in %g s", _FAULT_S
            )
            self._keeping.rest(_FAULT_S)

    async def _feed_one(self, name: CampaignName) -> None:
        """What ails one campaign keeps no other from its records. Raises `StoreUnavailable`."""
        try:
            await self._feed(name)
        except StoreUnavailable:
            raise
        except _KNOWN as error:
            log.warning("campaign %s: no records for %g s: %s", name, _FAULT_S, error)
            self._rest_of(name)
        except Exception:
            log.exception("campaign %s: a fault; no records for %g s, others go on", name, _FAULT_S)
            self._rest_of(name)

    def _rest_of(self, name: CampaignName) -> None:
        self._again[name] = self._own_again[name] = self._clock.now() + _FAULT_S

    async def _feed(self, name: CampaignName) -> None:
        if self._settling.is_behind:
            return
        now = self._clock.now()
        if now >= self._own_again.get(name, 0.0):
            self._own_again[name] = now + _OWN_S
            await self._bring_own(name)
        wanted = min(self._dialer.wanted(name), _MOST)
        if wanted <= 0 or now < self._again.get(name, 0.0):
            return
        found = await self._store.lists.claim(name, self._clock.wall(), wanted)
        if not found:
            self._again[name] = self._clock.now() + _EMPTY_S
        self._supply(name, found)

    async def _bring_own(self, name: CampaignName) -> None:
        """Call-backs that were promised by agents who are free now."""
        members = self._agents_of(name)
        waited_for = await self._store.lists.awaited(name, self._clock.wall())
        gone = [agent for agent in waited_for if agent not in members]
        if gone and members:
            count = await self._store.lists.free(name, gone, self._clock.wall())
            names = ", ".join(gone[:10])
            log.info("campaign %s: %d records waited for %s, who are not there", name, count, names)
            self._again.pop(name, None)
        for agent in waited_for:
            if agent in members and self._dialer.agent_state(agent) is AgentState.AVAILABLE:
                await self.bring(name, agent, own_only=True)

    async def bring(self, name: CampaignName, agent: AgentId, *, own_only: bool = False) -> None:
        """The next record for an agent, its own call-backs first. Raises `StoreError`."""
        if self._settling.is_behind:
            raise StoreUnavailable("what became of the latest dials is not in the database yet")
        found = await self._store.lists.claim(
            name, self._clock.wall(), 1, for_agent=agent, own_only=own_only
        )
        if found:
            self._supply(name, found)

    def _supply(self, name: CampaignName, found: list[Candidate]) -> None:
        """Bring them; a campaign that was paused meanwhile does not want them any more."""
        if name in self._running():
            self._dialer.supply(name, found)
        elif found:
            held = tuple([each.held for each in found])
            self._settling.tell(GivenBack(held, self._clock.wall(), "not-running"))

    def _is_away(self, error: StoreUnavailable) -> None:
        if not self.trouble:
            log.warning("campaigns: no records can be had: %s", error)
        self.trouble = " ".join(str(error).split())[:200] or "away"
        self._pause = min(max(self._pause * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)

    def _is_there(self) -> None:
        if self.trouble:
            log.warning("campaigns: records can be had again")
        self.trouble, self._pause = "", 0.0
