"""What time brings about: a campaign's begin and end, its goal, the end of its list; and counts of lists."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from acd.dialer.dialer import DialerInterface
from acd.dialer.errors import DialerError
from acd.dialer.model import Blocker, CampaignName, CampaignState
from crm_store.errors import StoreError
from crm_store.outbound.ports import Outbound
from cti.campaigns.checks import moment
from cti.campaigns.views import list_view
from cti.schema_campaigns import CampaignListView
from switch.clock import Clock

log = logging.getLogger(__name__)

_LOOK_S: Final = 5.0
_COUNT_S: Final = 30.0
"""Lists that nobody dials from are counted so seldom."""


class Upkeep:
    """One task for all campaigns."""

    def __init__(
        self,
        *,
        dialer: DialerInterface,
        store: Outbound,
        clock: Clock,
        states: Callable[[], dict[CampaignName, CampaignState]],
        changed: Callable[[CampaignName], None],
    ) -> None:
        """`states` are those of all campaigns, `changed` is told of lists that were counted anew."""
        self._dialer = dialer
        self._store = store
        self._clock = clock
        self._states = states
        self._changed = changed
        self._lists: dict[CampaignName, CampaignListView] = {}
        self._goals: dict[CampaignName, int] = {}

    def records(self, name: CampaignName) -> CampaignListView:
        """How far the list is worked through, as it was counted last."""
        return self._lists.get(name, _NOT_COUNTED)

    def goal_reached(self, name: CampaignName) -> int:
        """Records that count towards the goal, as they were counted last."""
        return self._goals.get(name, 0)

    def forget(self, name: CampaignName) -> None:
        """It is gone."""
        self._lists.pop(name, None)
        self._goals.pop(name, None)

    def has_begun(self, name: CampaignName) -> bool:
        """Whether its time has come."""
        begins = _moment(self._dialer.settings(name).begins)
        return begins is None or self._clock.wall() >= begins

    def blockers(self, name: CampaignName) -> tuple[Blocker, ...]:
        """Its time has not come."""
        settings = self._dialer.settings(name)
        if self.has_begun(name):
            return ()
        words = f"It begins on {settings.begins}; set begins to change that."
        return (Blocker(code="not-begun", words=words, until=_moment(settings.begins)),)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for name, state in list(self._states().items()):
                try:
                    await self._look(name, state)
                except StoreError as error:
                    log.debug("campaign %s: its list cannot be counted: %s", name, error)
                except Exception:
                    log.exception("campaign %s: its upkeep failed", name)
            await asyncio.sleep(_LOOK_S)

    async def count(self, name: CampaignName) -> CampaignListView:
        """Count a list now. Raises `StoreError`."""
        counted = await self._store.campaigns.penetration(name)
        view = self._lists[name] = list_view(counted, self._clock.wall())
        self._goals[name] = counted.goal_reached
        self._changed(name)
        return view

    async def _look(self, name: CampaignName, state: CampaignState) -> None:
        before = self._lists.get(name)
        is_running = state is CampaignState.RUNNING
        if is_running or before is None or self._clock.wall() - (before.at or 0.0) >= _COUNT_S:
            await self.count(name)
        if is_running and self._states().get(name) is CampaignState.RUNNING:
            self._end(name)

    def _end(self, name: CampaignName) -> None:
        """Finish it if its date, its goal or the end of its list is reached."""
        settings, records = self._dialer.settings(name), self.records(name)
        ends = _moment(settings.ends)
        why = ""
        if ends is not None and self._clock.wall() >= ends:
            why = "end-date"
        elif settings.goal and self.goal_reached(name) >= settings.goal:
            why = "goal"
        elif records.total and not records.ready and not records.claimed:
            why = "list-empty"
        if why:
            log.info("campaign %s is finished: %s", name, why)
            try:
                self._dialer.finish(name, why)
            except DialerError as error:
                log.debug("campaign %s: %s", name, error)


_NOT_COUNTED: Final = CampaignListView()


def _moment(text: str) -> float | None:
    try:
        return moment(text)
    except ValueError:
        return None
