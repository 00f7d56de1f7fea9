"""Campaigns beside the calls, put together.

    CampaignService
    ├── Dialer       acd.dialer            decides and dials, at once
    ├── Feeding      cti.campaigns.feeding   store -> records at hand -> Dialer
    ├── Settling     cti.campaigns.settling  Dialer -> attempts -> disk -> store
    ├── Upkeep       cti.campaigns.upkeep    begin, end, goal; counts of lists
    ├── DecisionLog  cti.campaigns.decisions the pacer's decisions, in files
    ├── PacingKeeper cti.campaigns.pacing    what pacers learned, in files
    ├── LateChoices  cti.campaigns.late_choices  what agents chose for talks of an earlier process
    └── CampaignNews cti.campaigns.news      events for desks and wallboards

Campaigns are in the store. Those that ran when the server stopped run on when it starts, unless
`campaigns.resume` says otherwise: then they are paused, and the reason is `restart`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from acd.dialer.dialer import Dialer
from acd.dialer.errors import DialerError
from acd.dialer.events import CampaignMoved, DialerEvent, PacerDecided, PreviewChanged
from acd.dialer.model import (
    Attempt,
    AttemptId,
    Blocker,
    CampaignName,
    CampaignState,
    Candidate,
)
from acd.dialer.settings import CampaignSettings
from acd.model import AgentId
from crm_store.errors import StoreUnavailable
from crm_store.outbound.history import CampaignHistory
from crm_store.outbound.outbound import Outbound
from crm_store.outbound.views import Campaign
from cti.bus import Bus
from cti.campaign_settings import CampaignsSection
from cti.campaigns.decision_files import Logged
from cti.campaigns.decisions import DecisionLog
from cti.campaigns.feeding import Feeding
from cti.campaigns.late_choices import LateChoices
from cti.campaigns.news import CampaignNews
from cti.campaigns.outbox import GivenBack, Moved, Outbox
from cti.campaigns.pacing import PacingKeeper
from cti.campaigns.settling import Settling
from cti.campaigns.upkeep import Upkeep
from cti.campaigns.views import broken_view, campaign_view, preview_view
from cti.schema import CampaignView, PreviewView
from switch.clock import Clock

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
_HISTORY_S: Final = 30 * 86400.0
_RUNNING: Final = CampaignState.RUNNING
_FRESH_S: Final = 0.5

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class CampaignService:
    """All campaigns of the centre."""

    def __init__(
        self,
        *,
        dialer: Dialer,
        store: Outbound,
        bus: Bus,
        clock: Clock,
        data: Path,
        agents_of_queue: Callable[[str], Collection[AgentId]],
        section: CampaignsSection,
        problems: Callable[[CampaignSettings], list[str]] = lambda settings: [],
        warnings: Callable[[CampaignSettings], list[Blocker]] = lambda settings: [],
    ) -> None:
        """`data` is the data folder, `section` what is configured.

        `problems` says what in settings does not fit the site, `warnings` what ought to be better.
        """
        self.dialer = dialer
        self.store = store
        self._clock = clock
        self._resume = section.resume
        self._problems_of = problems
        self._warnings_of = warnings
        self._problems: dict[CampaignName, tuple[Blocker, ...]] = {}
        self._warnings: dict[CampaignName, tuple[Blocker, ...]] = {}
        self.states: dict[CampaignName, CampaignState] = {}
        """As the store is told."""
        self.broken: dict[CampaignName, tuple[Campaign, str]] = {}
        """Those of the store that the configuration has no room for, and why."""
        self._seen: dict[CampaignName, tuple[float, CampaignView]] = {}
        self.loaded = asyncio.Event()
        """The store was there and has told what campaigns there are."""
        self.settling = Settling(store, Outbox(data / "outbound.jsonl"))
        self.feeding = Feeding(
            dialer=dialer,
            store=store,
            settling=self.settling,
            clock=clock,
            agents_of=lambda name: agents_of_queue(dialer.settings(name).queue),
            running=self.running,
        )
        self.news = CampaignNews(bus, clock, self.view_or_none, self.running)
        self.upkeep = Upkeep(
            dialer=dialer,
            store=store,
            clock=clock,
            states=lambda: self.states,
            changed=self.news.changed,
            is_settled=self.settling.is_settled,
        )
        self.decisions = DecisionLog(data / "pacing", section)
        self.pacing = PacingKeeper(dialer, data / "pacing")
        self.late = LateChoices(self.recall, self.dispose)
        self.preview_changed: Callable[[PreviewView], None] = lambda view: None
        """Told of what an agent has before it."""
        dialer.on_attempt = self._attempted
        dialer.on_release = self._released
        dialer.on_event = self._dialer_event
        self._tasks: list[asyncio.Task[None]] = []

    # --- up and down ----------------------------------------------------------------------------

    def start(self, spawn: Spawn) -> None:
        """Begin to work, once calls are accepted."""
        self.settling.start()
        works = (
            self._begin(),
            self.feeding.run(),
            self.decisions.run(),
            self.pacing.run(),
            self.late.run(),
        )
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
        """Load all campaigns; while the store is away, again and again.

        First the store learns what an earlier process left: states, and who was abandoned.
        """
        await self.settling.caught_up.wait()
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await self._load_all()
                break
            except StoreUnavailable as error:
                log.warning("campaigns wait for the database: %s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
        self.loaded.set()
        self.news.loaded(self.broken_views(), len(self.states) + len(self.broken))
        self.feeding.hurry()
        await self.upkeep.run()

    async def _load_all(self) -> None:
        for campaign in await self.store.campaigns.all():
            if campaign.name not in self.states:
                await self._load_one(campaign)

    async def _load_one(self, campaign: Campaign) -> None:
        """One that cannot be loaded keeps no other from running. Raises `StoreUnavailable`."""
        try:
            await self.load(campaign)
        except StoreUnavailable:
            raise
        except Exception as error:
            log.exception("campaign %s cannot be loaded; the others are", campaign.name)
            self.broken[campaign.name] = (campaign, f"a fault: {error}")

    # --- campaigns ------------------------------------------------------------------------------

    async def load(self, campaign: Campaign) -> None:
        """Give a campaign of the store to the dialer. Raises `StoreUnavailable`."""
        name = campaign.name
        learned = await asyncio.to_thread(self.pacing.learned, name)
        past = await self._history(name)
        self.states[name] = campaign.state
        try:
            self.dialer.load(
                campaign.settings,
                state=campaign.state,
                totals=past.totals,
                today=past.today,
                history=past.counted,
                learned=learned,
            )
        except DialerError as error:
            # The configuration changed under it: it is there to be seen and changed, and dials nothing.
            log.error("campaign %s cannot be used: %s", name, error)
            del self.states[name]
            self.broken[name] = (campaign, str(error))
            return
        self.pacing.look_at(campaign.settings)
        self.broken.pop(name, None)
        self.examine(campaign.settings)
        if self.states[name] is _RUNNING and not (self._resume or self.loaded.is_set()):
            self.dialer.pause(name, "restart")
        self.feeding.hurry(name)

    async def _history(self, name: CampaignName) -> CampaignHistory:
        """What became of its attempts that are over: all of them, and each once.

        Those of an earlier process may end any moment: then it is asked again.
        """
        while True:
            await self.settling.delivered(name)
            told, now = self.settling.told(name), self._clock.wall()
            is_known = name in self.dialer.names()
            live = [each.id for each in self.dialer.attempts(name)] if is_known else []
            past = await self.store.campaigns.history(
                name, since=now - _HISTORY_S, midnight=midnight(now), without=live
            )
            if self.settling.told(name) == told:
                return past

    def list_changed(self, name: CampaignName | None) -> None:
        """A list has other records now, or others must not be called; None: all lists."""
        self.feeding.hurry(name)
        for each in self.states if name is None else (name,):
            self.upkeep.hurry(each, is_awaited=name is not None)
            self.news.changed(each)

    def changed(self, settings: CampaignSettings) -> None:
        """Settings are others from now on. Raises `DialerError`."""
        self.examine(settings)
        self.dialer.load(settings, state=self.states[settings.name])
        self.pacing.look_at(settings)
        self.feeding.hurry(settings.name)

    def forget(self, name: CampaignName) -> None:
        """It was deleted."""
        self.states.pop(name, None)
        self.broken.pop(name, None)
        self._problems.pop(name, None)
        self._warnings.pop(name, None)
        self._seen.pop(name, None)
        if name in self.dialer.names():
            self.dialer.unload(name)
        self.news.forget(name)
        self.upkeep.forget(name)
        self.pacing.forget(name)
        self.decisions.forget(name)

    def running(self) -> Sequence[CampaignName]:
        """Those that run."""
        return [name for name, state in self.states.items() if state is CampaignState.RUNNING]

    # --- what is seen ---------------------------------------------------------------------------

    def blockers(self, name: CampaignName) -> tuple[Blocker, ...]:
        """What is in the way outside the dialer."""
        away = self.feeding.blockers(name) if self.states.get(name) is _RUNNING else ()
        return (*away, *self._problems.get(name, ()))

    def examine(self, settings: CampaignSettings) -> None:
        """The configuration, or a prompt, may have changed since it was made."""
        self._problems[settings.name] = tuple(
            Blocker(code="settings", words=f"Its settings do not fit: {problem}.")
            for problem in self._problems_of(settings)
        )
        self._warnings[settings.name] = tuple(self._warnings_of(settings))

    def view(self, name: CampaignName) -> CampaignView:
        """A campaign as it stands. Raises `UnknownCampaignError`."""
        view = campaign_view(
            self.dialer.view(name),
            self.dialer.settings(name),
            self.upkeep.records(name),
            wall=self.wall_of,
            blockers=self.blockers(name),
            warnings=self._warnings.get(name, ()),
            goal_reached=self.upkeep.goal_reached(name),
            unsettled=self.settling.pending,
        )
        self._seen[name] = (self._clock.now(), view)
        return view

    def view_or_none(self, name: CampaignName) -> CampaignView | None:
        """The same; None once it is gone."""
        return self.view(name) if name in self.states else None

    def views(self) -> tuple[CampaignView, ...]:
        """All campaigns, by name; some are as they stood a moment ago: each costs a look at its agents."""
        return tuple(self._lately(name) for name in sorted(self.states))

    def broken_views(self) -> tuple[CampaignView, ...]:
        """Those that cannot be used here."""
        return tuple(broken_view(each, why) for each, why in self.broken.values())

    def _lately(self, name: CampaignName) -> CampaignView:
        at, view = self._seen.get(name, (-math.inf, None))
        is_fresh = view is not None and self._clock.now() - at < _FRESH_S
        return view if view is not None and is_fresh else self.view(name)

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
        """What the agent chose for a talk of a campaign; False: it is none, or to be recalled first."""
        attempt = AttemptId(interaction)
        if self.dialer.dispose(attempt, disposition, call_back_at=call_back_at, mine=mine):
            return True
        known = self.settling.known(attempt)
        if known is None:
            return False
        self.settling.attempt(known.chosen(disposition, call_back_at, mine=mine))
        return True

    async def recall(self, interaction: str) -> bool:
        """Know a talk again that the store alone knows; False: it is no campaign's. Raises `StoreError`."""
        await self.settling.caught_up.wait()
        kept = await self.store.records.attempt(interaction)
        if kept is not None:
            self.dialer.recall(kept)
        return kept is not None

    def _attempted(self, attempt: Attempt) -> None:
        self.settling.attempt(attempt)
        if attempt.goes_on:
            self.news.changed(attempt.campaign)  # it is told when that is over
            return
        queue = ""
        if attempt.campaign in self.states:
            queue = self.dialer.settings(attempt.campaign).queue
        self.news.attempt(attempt, queue)

    def _released(self, name: CampaignName, found: Sequence[Candidate], reason: str) -> None:
        log.debug("campaign %s gives back %d records: %s", name, len(found), reason)
        held = tuple([each.held for each in found])
        self.settling.tell(GivenBack(held, self._clock.wall(), reason))

    def _dialer_event(self, event: DialerEvent) -> None:
        match event:
            case CampaignMoved(campaign=name, state=state, reason=reason):
                self._moved(name, state, reason)
            case PreviewChanged(view=view):
                needs = self.dialer.settings(view.campaign).human_initiated
                shown = preview_view(view, needs_click=needs, wall=self.wall_of)
                self.preview_changed(shown)
            case PacerDecided():
                self._decided(event)

    def _moved(self, name: CampaignName, state: CampaignState, by: str) -> None:
        self._seen.pop(name, None)
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
                decision=event.decision,
            )
        )


def midnight(now: float) -> float:
    """The last one here."""
    return (
        datetime.fromtimestamp(now)
        .astimezone()
        .replace(hour=0, minute=0, second=0, microsecond=0)
        .timestamp()
    )
