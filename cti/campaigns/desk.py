"""Campaigns as people steer them; satisfies `cti.api.campaign_ports.CampaignDesk`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec

from acd.dialer.errors import DialerError, NothingToDialError
from acd.dialer.model import CampaignName, CampaignState
from acd.dialer.pacing.replay import replay
from acd.dialer.settings import CampaignSettings
from acd.errors import AcdError
from acd.model import AgentId
from cti.api.ports import Account
from cti.campaigns import settings_body
from cti.campaigns.checks import NAME, Ground, further_problems, past_end, problems_of
from cti.campaigns.decision_files import Logged
from cti.campaigns.errors import answering, bad_settings, told
from cti.campaigns.service import CampaignService
from cti.campaigns.settings_body import BadSettingsError
from cti.campaigns.views import knowing_the_list, preview_view, why_view
from cti.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable
from cti.schema import Role
from cti.schema_campaign_requests import (
    AuditView,
    CallBackRequest,
    CampaignCopyRequest,
    CampaignRequest,
)
from cti.schema_campaigns import (
    CampaignDetail,
    CampaignView,
    DecisionView,
    PreviewView,
    ReplayView,
    WhyCampaignView,
)
from switch.clock import Clock

log = logging.getLogger(__name__)

_RESERVED: Final = frozenset({"schema"})
"""`/campaigns/schema` is taken."""
_LOADING: Final = "Campaigns are being read from the database, or it is away: try again soon."
_LOADING_S: Final = 5.0
"""Who asks for all of them waits so long after a start."""
_LATEST_CALL_BACK_S: Final = 366 * 86400.0


class CampaignDesk:
    """Commands and questions about campaigns."""

    def __init__(
        self,
        service: CampaignService,
        *,
        ground: Ground,
        clock: Clock,
        queues_of: Callable[[str], Collection[str]],
    ) -> None:
        """`ground` is what settings are checked against; `queues_of` are an agent's."""
        self._service = service
        self._dialer = service.dialer
        self._store = service.store
        self._ground = ground
        self._clock = clock
        self._queues_of = queues_of

    # --- what is seen ---------------------------------------------------------------------------

    def views(self, account: Account) -> tuple[CampaignView, ...]:
        """All campaigns; for an agent those of its queues."""
        both = (*self._service.views(), *self._service.broken_views())
        views = tuple(sorted(both, key=lambda each: each.name))
        if account.role is not Role.AGENT:
            return views
        mine = self._queues_of(account.agent_id or "")
        return tuple(view for view in views if view.queue in mine)

    async def listed(self, account: Account) -> tuple[CampaignView, ...]:
        """As `views`, once all are known: a part of them would look as if others were lost."""
        try:
            async with asyncio.timeout(_LOADING_S):
                await self._service.loaded.wait()
        except TimeoutError:
            raise Unavailable("loading", _LOADING) from None
        return self.views(account)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a campaign's settings."""
        return settings_body.schema()

    async def detail(self, name: str) -> CampaignDetail:
        """A campaign with its settings."""
        return self._detail(self._known(name))

    async def panel(self, name: str) -> CampaignView:
        """It as it stands, with its list counted now where the store is there."""
        known = self._known(name)
        try:
            async with answering(2.0):
                await self._service.upkeep.count(known)
        except Unavailable:
            log.debug("the panel of %s shows an older count of its list", name)
        return self._service.view(known)

    async def why(self, name: str) -> WhyCampaignView:
        """Why it dials as it does."""
        known = self._known(name)
        async with answering():
            funnel = await self._store.lists.funnel(known, self._clock.wall())
        view = self._dialer.view(known)
        left = knowing_the_list(view.blockers, self._service.upkeep.records(known))
        blockers = (*self._service.blockers(known), *left)
        return why_view(funnel, view.state.value, blockers, ahead=view.ahead)

    async def audit(self, name: str) -> tuple[AuditView, ...]:
        """Who did what to it, newest first: changes of settings and state, and imports."""
        known = self._known(name)
        async with answering():
            versions = await self._store.campaigns.versions(known)
            batches = await self._store.imports.batches(known)
        found = [
            AuditView(
                at=each.at,
                campaign=name,
                by=each.by,
                what="change",
                words=each.what,
                version=each.version,
                state=each.state.value,
            )
            for each in versions
        ]
        found += [
            AuditView(
                at=each.at,
                campaign=name,
                by=each.by,
                what="import",
                words=f"{each.file}: {each.added} records added ({each.state.value})",
            )
            for each in batches
        ]
        return tuple(sorted(found, key=lambda each: -each.at))

    async def decisions(self, name: str, most: int) -> tuple[DecisionView, ...]:
        """The pacer's latest decisions, newest first."""
        found = await self._service.decisions.last(self._known(name), most)
        return tuple(_decision(each) for each in reversed(found))

    async def replay(self, name: str, most: int) -> ReplayView:
        """The same, made again from what it knew then."""
        found = await self._service.decisions.last(self._known(name), most)
        again = await asyncio.to_thread(_made_again, found)
        return ReplayView(
            campaign=name,
            decisions=len(again),
            same=sum(dials == each.dials for each, dials in again),
            differ=tuple(_decision(each, dials) for each, dials in again if dials != each.dials),
        )

    # --- what is done ---------------------------------------------------------------------------

    async def create(self, request: CampaignRequest, actor: Account) -> CampaignDetail:
        """A new one, as a draft."""
        self._must_be_loaded()
        name = self._new_name(request.name)
        async with answering():
            body = {**request.settings, "name": name}
            settings = self._read(lambda: settings_body.read(body), request.settings)
            self._check(settings, "ends")
            kept = await self._store.campaigns.create(settings, at=self._now(), by=actor.login)
            await self._service.load(kept)
        log.info("campaign %s was created by %s", name, actor.login)
        return self._detail(kept.name)

    async def change(self, name: str, change: dict[str, Any], actor: Account) -> CampaignDetail:
        """Other settings from now on."""
        known = self._known(name, broken=True)
        broken = self._service.broken.get(known)
        before = self._dialer.settings(known) if broken is None else broken[0].settings
        async with answering():
            settings = self._read(lambda: settings_body.changed(before, change), change)
            self._check(settings, *change)
            kept = await self._store.campaigns.update(settings, at=self._now(), by=actor.login)
            if broken is None:
                self._service.changed(kept.settings)
            else:
                await self._service.load(kept)
        log.info("campaign %s was changed by %s: %s", name, actor.login, ", ".join(change))
        return self._detail(known)

    async def copy(self, name: str, request: CampaignCopyRequest, actor: Account) -> CampaignDetail:
        """A new one like this."""
        known, new = self._known(name), self._new_name(request.name)
        async with answering(120.0):
            kept = await self._store.campaigns.copy(
                known, new, at=self._now(), by=actor.login, with_list=request.with_list
            )
            await self._service.load(kept)
        log.info("campaign %s was copied as %s by %s", name, new, actor.login)
        return self._detail(new)

    async def remove(self, name: str, actor: Account) -> None:
        """Delete one that does not run."""
        known = self._known(name, broken=True)
        if self._service.states.get(known) is CampaignState.RUNNING:
            raise Conflict("campaign-runs", "It runs; pause or finish it first.")
        async with answering(60.0):
            await self._store.campaigns.delete(known, at=self._now(), by=actor.login)
        queue = self._queue_of(known)
        self._service.forget(known)
        self._service.news.removed(known, actor.login, queue)
        log.info("campaign %s was deleted by %s", name, actor.login)

    def move(self, name: str, step: str, actor: Account, reason: str = "") -> CampaignView:
        """`start`, `pause` or `finish`, at once; that is written down when the store has time."""
        known = self._known(name)
        if step == "start":
            self._check(self._dialer.settings(known), "ends")
            self._service.examine(self._dialer.settings(known))
        by = f"{actor.login}: {reason.strip()[:200]}" if reason.strip() else actor.login
        try:
            getattr(self._dialer, step)(known, by)
        except DialerError as error:
            raise told(error) from None
        return self._service.view(known)

    def click(self, name: str, actor: Account) -> None:
        """Let it dial one number; it is kept with the attempt who did that."""
        known = self._known(name)
        if actor.role is Role.AGENT:
            self._must_be_of(known, actor.agent_id or "")
        try:
            self._dialer.click(known, actor.login)
        except DialerError as error:
            raise told(error) from None
        log.info("campaign %s: %s clicked for a dial", name, actor.login)

    # --- agents ---------------------------------------------------------------------------------

    async def take(self, name: str, agent_id: str, actor: Account) -> PreviewView:
        """Show an agent its next record; one is fetched if none is at hand."""
        known, agent = self._known(name), AgentId(agent_id)
        self._must_be_of(known, agent_id)
        async with answering(5.0):
            try:
                view = self._dialer.take(agent, known)
            except NothingToDialError:
                await self._service.feeding.bring(known, agent)
                view = self._dialer.take(agent, known)
        needs = self._dialer.settings(known).human_initiated
        return preview_view(view, needs_click=needs, wall=self._service.wall_of)

    def dial(self, agent_id: str, actor: Account) -> None:
        """Dial the record that the agent reads: the person's own act."""
        try:
            self._dialer.dial(AgentId(agent_id))
        except AcdError as error:
            raise told(error) from None
        log.info("agent %s dials its record, by %s", agent_id, actor.login)

    def skip(self, agent_id: str, reason: str, actor: Account) -> None:
        """Give it back."""
        try:
            self._dialer.skip(AgentId(agent_id), reason.strip()[:100] or "skipped")
        except AcdError as error:
            raise told(error) from None

    async def call_back(
        self, interaction_id: str, request: CallBackRequest, actor: Account
    ) -> None:
        """The customer wants to be called then."""
        now = self._now()
        if not now < request.at <= now + _LATEST_CALL_BACK_S:
            raise Invalid("bad-time", "A call-back is in the future, at most a year ahead.")
        at, mine = request.at, request.mine
        done = self._service.dispose(interaction_id, "", call_back_at=at, mine=mine)
        if not done:
            async with answering():
                done = await self._service.recall(interaction_id)
            done = done and self._service.dispose(interaction_id, "", call_back_at=at, mine=mine)
        if not done:
            words = "No campaign called in this interaction."
            raise NotFound("no-such-attempt", words)

    # --- inside ---------------------------------------------------------------------------------

    def _detail(self, name: CampaignName) -> CampaignDetail:
        settings = settings_body.as_data(self._dialer.settings(name))
        return CampaignDetail(campaign=self._service.view(name), settings=settings)

    def _read(
        self, read: Callable[[], CampaignSettings], given: Collection[str]
    ) -> CampaignSettings:
        """Read settings that were sent. Raises `BadSettingsError`, with all that is wrong in them."""
        try:
            return read()
        except BadSettingsError as error:
            error.problems += further_problems(error, given, self._ground)
            raise

    def _check(self, settings: CampaignSettings, *changed: str) -> None:
        problems = problems_of(settings, self._ground)
        if "ends" in changed:
            problems += past_end(settings, self._now())
        if problems:
            raise bad_settings(problems)

    def _known(self, name: str, *, broken: bool = False) -> CampaignName:
        known = CampaignName(name)
        if known in self._service.broken:
            if broken:
                return known
            why = self._service.broken[known][1]
            raise Conflict(
                "campaign-unusable", f"It cannot be used here: {why}. Change that first."
            )
        if known not in self._service.states:
            self._must_be_loaded()
            raise NotFound("no-such-campaign", f"There is no campaign {name[:63]}.")
        return known

    def _new_name(self, text: str) -> CampaignName:
        name = CampaignName(text.strip())
        if not NAME.fullmatch(name):
            raise bad_settings(
                ["name: has 1 to 63 of a-z, 0-9 and -, and begins with a letter or digit"]
            )
        if name in _RESERVED:
            raise bad_settings([f"name: {name} means something else in the API; take another"])
        if name in self._service.states or name in self._service.broken:
            raise Conflict("campaign-exists", f"There is a campaign {name} already.")
        return name

    def _must_be_loaded(self) -> None:
        if not self._service.loaded.is_set():
            raise Unavailable("loading", _LOADING)

    def _must_be_of(self, name: CampaignName, agent_id: str) -> None:
        if self._dialer.settings(name).queue not in self._queues_of(agent_id):
            raise NotAllowed("not-your-campaign", f"You are not in the queue of campaign {name}.")

    def _queue_of(self, name: CampaignName) -> str:
        broken = self._service.broken.get(name)
        return self._dialer.settings(name).queue if broken is None else broken[0].settings.queue

    def _now(self) -> float:
        return self._clock.wall()


def _decision(logged: Logged, again: int | None = None) -> DecisionView:
    return DecisionView(
        number=logged.number,
        at=logged.at,
        dials=logged.dials,
        reason=logged.reason,
        vector=msgspec.to_builtins(logged.decision),
        replayed=again,
    )


def _made_again(decisions: list[Logged]) -> list[tuple[Logged, int]]:
    return [(each, replay(each.decision)) for each in decisions]
