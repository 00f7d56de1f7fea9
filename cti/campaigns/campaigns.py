"""Campaigns of a node, put together: the dialer, the service beside it, and what the API speaks to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from acd.contact_events import ContactEvent
from acd.contacts import Contacts
from acd.dialer.dialer import Dialer
from acd.dialer.model import CampaignName
from acd.distribution import Distribution
from acd.events import AcdEvent
from acd.inbound import Inbound
from acd.model import AgentId
from crm_store.outbound.misjudging import Misjudged
from crm_store.store import Store
from cti.api.ports import Account
from cti.bus import Bus
from cti.campaigns.cards import Cards, Lookup
from cti.campaigns.checks import Ground, problems_of, warnings_of
from cti.campaigns.desk import CampaignDesk
from cti.campaigns.imports import ImportJobs
from cti.campaigns.records_desk import RecordsDesk
from cti.campaigns.routes import CampaignRoutes
from cti.campaigns.service import CampaignService, midnight
from cti.campaigns.uploads import Uploads
from cti.schema import CampaignView, DispositionSet, Event, EventType
from cti.settings import Settings
from cti.site import Site
from cti.switching import Switching
from ivr.flow import Flow
from switch.clock import Clock


class Campaigns:
    """Everything outbound of one node."""

    def __init__(
        self,
        *,
        settings: Settings,
        site: Site,
        flows: Mapping[str, Flow],
        clock: Clock,
        bus: Bus,
        store: Store,
        switching: Switching,
        contacts: Contacts,
        distribution: Distribution,
        inbound: Inbound,
        lookup: Lookup,
        new_id: Callable[[str], str],
        report: Callable[[ContactEvent], None],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        """`lookup` finds customers by their number; `spawn` runs a coroutine beside the calls."""
        self._spawn = spawn
        self._bus = bus
        self._clock = clock
        self.dialer = Dialer(
            contacts=contacts,
            distribution=distribution,
            callers=inbound,
            control=switching.calls,
            clock=clock,
            routes=CampaignRoutes(
                switching.plan, switching.carriers.trunks, switching.calls, clock
            ),
            new_id=new_id,
            report=report,
        )
        data = Path(settings.data.folder).absolute()
        members: dict[str, set[AgentId]] = {}
        for agent in site.agents:
            for queue in agent.queues:
                members.setdefault(queue, set()).add(agent.agent)
        ground = Ground.of(settings, flows, site.trunks)
        self.service = service = CampaignService(
            dialer=self.dialer,
            store=store.outbound,
            bus=bus,
            clock=clock,
            data=data,
            agents_of_queue=lambda queue: members.get(queue, ()),
            section=settings.campaigns,
            problems=lambda settings: problems_of(settings, ground),
            warnings=lambda settings: warnings_of(settings, ground),
        )
        self.cards = Cards(
            dialer=self.dialer,
            lookup=lookup,
            past=store.outbound.records.past,
            publish=lambda view: service.news.preview(view, clock.wall()),
            spawn=spawn,
        )
        service.preview_changed = self.cards.show
        self.desk = CampaignDesk(
            service,
            ground=ground,
            clock=clock,
            queues_of=lambda agent: site.agent_queues.get(agent, ()),
        )
        uploads = Uploads(data / "uploads")
        self.records = RecordsDesk(
            store.outbound,
            uploads=uploads,
            jobs=ImportJobs(
                store.outbound,
                uploads,
                data / "imports",
                clock,
                spawn=spawn,
                imported=service.list_changed,
                agents=site.agent_queues.keys(),
            ),
            clock=clock,
            known=lambda name: CampaignName(name) in service.states,
            lists_changed=service.list_changed,
            misjudged=self._misjudged,
        )
        self._queues = site.agent_queues
        self.takes = self.dialer.takes
        bus.listen(self._disposition_set, EventType.DISPOSITION_SET)

    def start(self) -> None:
        """Begin to work, once calls are accepted."""
        self.service.start(self._spawn)

    async def close(self) -> None:
        """The calls are over: take to the store what became of them."""
        await self.service.close()

    def report(self, event: AcdEvent | ContactEvent) -> None:
        """What contacts and distribution report, after the translator had it."""
        self.dialer.acd_event(event)

    def close_door(self) -> None:
        """The server is stopping: nobody is called any more."""
        self.dialer.close()

    def seen_by(self, account: Account) -> tuple[CampaignView, ...]:
        """For a snapshot."""
        return self.desk.views(account)

    def are_loading(self) -> bool:
        """Whether the store has not told all of them yet."""
        return not self.service.loaded.is_set()

    def _misjudged(self, name: CampaignName, found: Misjudged) -> None:
        is_of_today = found.dialled_at >= midnight(self._clock.wall())
        self.dialer.misjudged(name, found.answered_at, found.was, found.doubt, today=is_of_today)

    def _disposition_set(self, event: Event) -> None:
        interaction, data = event.interaction_id, event.data
        if not interaction or not isinstance(data, DispositionSet):
            return
        if not self.service.dispose(interaction, data.code):
            self.service.late.add(interaction, data.code)
