"""Campaigns beside the calls, put together.

    CampaignService
    ├── Dialer       acd.dialer            decides and dials, at once
    ├── Feeding      cti.campaigns.feeding   store -> records at hand -> Dialer
    ├── Settling     cti.campaigns.settling  Dialer -> attempts -> disk -> store
    ├── Upkeep       cti.campaigns.upkeep    begin, end, goal; counts of lists
    ├── DecisionLog  cti.campaigns.decisions the pacer's decisions, in files
    ├── PacingKeeper cti.campaigns.pacing    what pacers learned, in files
    └── CampaignNews cti.campaigns.news      events for desks and wallboards

Campaigns are in the store. Those that ran when the server stopped run on when it starts, unless
`campaigns.resume` says otherwise: then they are paused, and the reason is `restart`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from acd.dialer.dialer import DialerInterface
from acd.dialer.errors import DialerError
from acd.dialer.events import CampaignMoved, DialerEvent, PacerDecided, PreviewChanged
from acd.dialer.model import (
    Attempt,
    AttemptId,
    Blocker,
    CampaignName,
    CampaignState,
    RecordId,
)
from acd.dialer.settings import CampaignSettings
from acd.model import AgentId
from crm_store.errors import StoreUnavailable
from crm_store.outbound.ports import Outbound
from crm_store.outbound.views import Campaign
from cti.bus import Bus
from cti.campaigns.decisions import DecisionLog, Logged
from cti.campaigns.feeding import Feeding
from cti.campaigns.news import CampaignNews
from cti.campaigns.outbox import GivenBack, Moved, Outbox
from cti.campaigns.pacing import PacingKeeper
from cti.campaigns.settling import Settling
from cti.campaigns.upkeep import Upkeep
from cti.campaigns.views import campaign_view, preview_view
from cti.schema import CampaignView, PreviewView
from switch.clock import Clock

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
_HISTORY_S: Final = 30 * 86400.0

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class CampaignService:
    """All campaigns of the centre."""

    def __init__(
        self,
        *,
        dialer: DialerInterface,
        store: Outbound,
        bus: Bus,
        clock: Clock,
        data: Path,
        agents_of_queue: Callable[[str], Sequence[AgentId]],
        resume: bool = True,
    ) -> None:
        """`data` is the data folder; `resume`: campaigns that ran go on after a start."""
        self.dialer = dialer
        self.store = store
        self._clock = clock
        self._resume = resume
        self.states: dict[CampaignName, CampaignState] = {}
        """As the store is told."""
        self.is_loaded = False
        """The store was there and has told what campaigns there are."""
        self.settling = Settling(store, Outbox(data / "outbound.jsonl"))
        self.feeding = Feeding(
            dialer=dialer,
            store=store,
            settling=self.settling,
            clock=clock,
            agents_of=lambda name: agents_of_queue(dialer.settings(name).queue),
            running=self._fed,
        )
        self.news = CampaignNews(bus, clock, self.view_or_none, self.running)
        self.upkeep = Upkeep(
            dialer=dialer,
            store=store,
            clock=clock,
            states=lambda: self.states,
            changed=self.news.changed,
        )
        self.decisions = DecisionLog(data / "pacing")
        self.pacing = PacingKeeper(dialer, data / "pacing")
        self.previews: dict[str, PreviewView] = {}
        """What agents have before them, by agent."""
        self.preview_changed: Callable[[PreviewView], None] = self._publish_preview
        """Told of what an agent has before it; may look up the customer first, then publish."""
        dialer.on_attempt = self._attempted
        dialer.on_release = self._released
        dialer.on_event = self._dialer_event
        self._tasks: list[asyncio.Task[None]] = []

    # --- up and down ----------------------------------------------------------------------------

    def start(self, spawn: Spawn) -> None:
        """Begin to work, once calls are accepted."""
        self.settling.start()
        works = (self._begin(), self.feeding.run(), self.decisions.run(), self.pacing.run())
        self._tasks = [spawn(work) for work in works]

    async def close(self) -> None:
        """The calls are over: take to the store what became of them."""
        self.news.close()
        for task in self._tasks:
            task.cancel()
        await self.settling.close()
        await self.decisions.flush()
        await self.pacing.flush()

    async def _begin(self) -> None:
        """Load all campaigns; while the store is away, again and again."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await self._load_all()
                break
            except StoreUnavailable as error:
                log.warning("campaigns wait for the database: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
        self.is_loaded = True
        self.feeding.hurry()
        await self.upkeep.run()

    async def _load_all(self) -> None:
        for campaign in await self.store.campaigns.all():
            if campaign.name not in self.states:
                await self.load(campaign)

    # --- campaigns ------------------------------------------------------------------------------

    async def load(self, campaign: Campaign) -> None:
        """Give a campaign of the store to the dialer. Raises `StoreUnavailable`."""
        name, state = campaign.name, campaign.state
        paused = state is CampaignState.RUNNING and not self._resume
        if paused:
            state = CampaignState.PAUSED
        past = await self._past(name)
        learned = await asyncio.to_thread(self.pacing.learned, name)
        self.states[name] = campaign.state
        try:
            self.dialer.load(campaign.settings, state=state, learned=learned, **past)
        except DialerError as error:
            # The configuration changed under it: it is there to be seen and changed, and dials nothing.
            log.error("campaign %s cannot be used: %s", name, error)
            self.states.pop(name)
            return
        self.pacing.look_at(campaign.settings)
        if paused:
            self._moved(name, state, "restart")
        self.news.at_once(name)
        self.feeding.hurry(name)

    async def _past(self, name: CampaignName) -> Mapping[str, Any]:
        """What the dialer wants to know of the days before."""
        return {}

    def changed(self, settings: CampaignSettings) -> None:
        """Settings are others from now on. Raises `DialerError`."""
        self.dialer.load(settings, state=self.states.get(settings.name, CampaignState.DRAFT))
        self.pacing.look_at(settings)
        self.news.at_once(settings.name)
        self.feeding.hurry(settings.name)

    def forget(self, name: CampaignName) -> None:
        """It was deleted."""
        self.states.pop(name, None)
        if name in self.dialer.names():
            self.dialer.unload(name)
        self.news.forget(name)
        self.upkeep.forget(name)
        self.pacing.forget(name)

    def running(self) -> Sequence[CampaignName]:
        """Those that run."""
        return [name for name, state in self.states.items() if state is CampaignState.RUNNING]

    def _fed(self) -> Sequence[CampaignName]:
        """Those that are to have records: their time has come."""
        return [name for name in self.running() if self.upkeep.has_begun(name)]

    # --- what is seen ---------------------------------------------------------------------------

    def blockers(self, name: CampaignName) -> tuple[Blocker, ...]:
        """What is in the way outside the dialer."""
        return (*self.upkeep.blockers(name), *self.feeding.blockers(name))

    def view(self, name: CampaignName) -> CampaignView:
        """A campaign as it stands. Raises `UnknownCampaignError`."""
        return campaign_view(
            self.dialer.view(name),
            self.dialer.settings(name),
            self.upkeep.records(name),
            wall=self.wall_of,
            blockers=self.blockers(name) if self.states.get(name) is CampaignState.RUNNING else (),
            goal_reached=self.upkeep.goal_reached(name),
            unsettled=self.settling.pending,
        )

    def view_or_none(self, name: CampaignName) -> CampaignView | None:
        """The same; None once it is gone."""
        return self.view(name) if name in self.states else None

    def views(self) -> tuple[CampaignView, ...]:
        """All campaigns, by name."""
        return tuple(self.view(name) for name in sorted(self.states))

    def wall_of(self, at: float) -> float:
        """Seconds since 1970 of a moment on our monotonic clock."""
        return self._clock.wall() - (self._clock.now() - at)

    # --- what happens ---------------------------------------------------------------------------

    def dispose(
        self,
        interaction: str,
        disposition: str,
        *,
        call_back_at: float | None = None,
        mine: bool = False,
    ) -> bool:
        """What the agent chose for a talk of a campaign; False: it is none, or long over."""
        attempt = AttemptId(interaction)
        if self.dialer.dispose(attempt, disposition, call_back_at=call_back_at, mine=mine):
            return True
        known = self.settling.known(attempt)
        if known is None:
            return False
        self.settling.attempt(
            msgspec.structs.replace(
                known,
                disposition=disposition or known.disposition,
                call_back_at=call_back_at if call_back_at is not None else known.call_back_at,
                call_back_mine=mine if call_back_at is not None else known.call_back_mine,
            )
        )
        return True

    def _attempted(self, attempt: Attempt) -> None:
        self.settling.attempt(attempt)
        queue = ""
        if attempt.campaign in self.states:
            queue = self.dialer.settings(attempt.campaign).queue
        self.news.attempt(attempt, queue)

    def _released(self, name: CampaignName, records: Sequence[RecordId], reason: str) -> None:
        log.debug("campaign %s gives back %d records: %s", name, len(records), reason)
        self.settling.tell(GivenBack(tuple(records)))

    def _dialer_event(self, event: DialerEvent) -> None:
        match event:
            case CampaignMoved(campaign=name, state=state, reason=reason):
                self._moved(name, state, reason)
            case PreviewChanged(view=view):
                needs = self.dialer.settings(view.campaign).human_initiated
                shown = preview_view(view, needs_click=needs, wall=self.wall_of)
                self.previews[view.agent] = shown
                self.preview_changed(shown)
            case PacerDecided():
                self._decided(event)

    def _moved(self, name: CampaignName, state: CampaignState, by: str) -> None:
        if self.states.get(name) not in (None, state):
            self.states[name] = state
            log.info("campaign %s is %s, by %s", name, state.value, by)
            self.settling.tell(Moved(name, state, self._clock.wall(), by))
        self.news.at_once(name)
        self.news.changed(name)
        self.feeding.hurry(name)

    def _decided(self, event: PacerDecided) -> None:
        self.decisions.add(
            Logged(
                campaign=event.campaign,
                at=self.wall_of(event.at),
                number=event.number,
                dials=event.dial,
                reason=event.decision.reason.value,
                vector=event.vector,
                decision=event.decision,
            )
        )

    def _publish_preview(self, view: PreviewView) -> None:
        self.news.preview(view, self._clock.wall())
