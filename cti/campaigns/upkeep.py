"""What time brings about: counts of lists, and the end of campaigns whose goal or list is reached."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from acd.dialer.compliance_moves import Stage
from acd.dialer.dialer import Dialer
from acd.dialer.errors import DialerError
from acd.dialer.model import AttemptId, CampaignName, CampaignState
from crm_store.errors import StoreError
from crm_store.outbound.outbound import Outbound
from cti.campaigns.views import list_view
from cti.schema_campaigns import CampaignListView
from switch.clock import Clock

log = logging.getLogger(__name__)

_LOOK_S: Final = 5.0
_LEAST_S: Final = 1.0
"""Nor is it looked more often, however often lists change."""
_IDLE_S: Final = 300.0
"""Lists that nobody dials from are counted so seldom."""
_SHARE: Final = 50.0
"""Counting takes at most one part of so many of the time: two million records take a while."""


class Upkeep:
    """One task for all campaigns."""

    def __init__(
        self,
        *,
        dialer: Dialer,
        store: Outbound,
        clock: Clock,
        states: Callable[[], dict[CampaignName, CampaignState]],
        changed: Callable[[CampaignName], None],
        is_settled: Callable[[CampaignName], bool],
    ) -> None:
        """`states` are those of all campaigns, `changed` is told of lists that were counted anew.

        `is_settled`: the store knows all that became of a campaign's attempts.
        """
        self._dialer = dialer
        self._store = store
        self._clock = clock
        self._states = states
        self._changed = changed
        self._is_settled = is_settled
        self._lists: dict[CampaignName, CampaignListView] = {}
        self._goals: dict[CampaignName, int] = {}
        self._unwanted: dict[CampaignName, int] = {}
        """Records that a full quota holds back."""
        self._wake = asyncio.Event()
        self._again: dict[CampaignName, float] = {}
        """When it may be counted again."""

    def records(self, name: CampaignName) -> CampaignListView:
        """How far the list is worked through, as it was counted last."""
        return self._lists.get(name, _NOT_COUNTED)

    def goal_reached(self, name: CampaignName) -> int:
        """Records that count towards the goal, as they were counted last.

        Not those of talks whose outcome may still be chosen: who asks to be called back counts not yet.
        """
        return self._goals.get(name, 0)

    def forget(self, name: CampaignName) -> None:
        """It is gone."""
        self._lists.pop(name, None)
        self._goals.pop(name, None)
        self._unwanted.pop(name, None)
        self._again.pop(name, None)

    def hurry(self, name: CampaignName, *, is_awaited: bool = False) -> None:
        """Its list is another: count it soon. `is_awaited`: somebody looks at it, within a second."""
        self._again[name] = -_IDLE_S
        if is_awaited:
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for name, state in list(self._states().items()):
                try:
                    await self._look(name, state)
                except (StoreError, DialerError) as error:  # the store is away, or it was deleted
                    log.debug("campaign %s: its list cannot be counted: %s", name, error)
                except Exception:
                    log.exception("campaign %s: a fault in its upkeep; it is tried again", name)
            await asyncio.sleep(_LEAST_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S - _LEAST_S):
                    await self._wake.wait()
            self._wake.clear()

    async def count(self, name: CampaignName) -> CampaignListView:
        """Count a list now. Raises `StoreError`."""
        began = self._clock.now()
        undecided = self._undecided(name)
        counted = await self._store.campaigns.penetration(name)
        now = self._clock.now()
        self._again[name] = now + max(_LOOK_S, _SHARE * (now - began))
        view = self._lists[name] = list_view(counted, self._clock.wall())
        undecided |= self._undecided(name)
        self._goals[name] = max(counted.goal_reached - len(undecided), 0)
        self._unwanted[name] = counted.by_stage.get(Stage.QUOTA, 0)
        self._changed(name)
        return view

    async def _look(self, name: CampaignName, state: CampaignState) -> None:
        is_running = state is CampaignState.RUNNING
        due = self._again.get(name, 0.0) + (0.0 if is_running else _IDLE_S)
        if name not in self._lists or self._clock.now() >= due:
            await self.count(name)
        if is_running and self._why_over(name) and self._is_settled(name):
            await self.count(name)  # what was chosen since may ask for another call
            self._end(name)

    def _end(self, name: CampaignName) -> None:
        """Finish it if its goal or the end of its list is reached; its end date the dialer knows."""
        why = self._why_over(name)
        if why:
            log.info("campaign %s is finished: %s", name, why)
            try:
                self._dialer.finish(name, why)
            except DialerError as error:
                log.debug("campaign %s: %s", name, error)

    def _why_over(self, name: CampaignName) -> str:
        """Why it is over, by what was counted last; empty: it is not."""
        if self._states().get(name) is not CampaignState.RUNNING:
            return ""
        settings, records = self._dialer.settings(name), self.records(name)
        if settings.goal and self.goal_reached(name) >= settings.goal:
            return "goal"
        if not records.total or records.claimed or records.ready > self._unwanted.get(name, 0):
            return ""
        if self._dialer.attempts(name) or self._undecided(name):
            return ""  # who is or was talked to may yet ask to be called back
        return "quotas" if records.ready else "list-empty"

    def _undecided(self, name: CampaignName) -> frozenset[AttemptId]:
        """Talks whose outcome may still be chosen; of a campaign that is deleted meanwhile: none."""
        return self._dialer.undecided(name) if name in self._states() else frozenset()


_NOT_COUNTED: Final = CampaignListView()
