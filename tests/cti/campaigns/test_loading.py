"""What a campaign did before a start is counted once, whatever happens while it is loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acd.dialer.legal import Counts
from acd.dialer.model import Attempt, AttemptId, Blocker, CampaignName, CampaignState, Outcome
from acd.dialer.settings import CampaignSettings
from acd.model import QueueName
from crm_store.errors import StoreUnavailable
from crm_store.outbound.history import CampaignHistory
from crm_store.outbound.views import Campaign
from cti.bus import Bus
from cti.campaign_settings import CampaignsSection
from cti.campaigns.service import CampaignService
from cti.schema import CampaignsLoaded, Event, EventType
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.acd.scene import ANN
from tests.kit.patience import PATIENCE_S


class Shelf:
    """The store: it knows attempts once they are settled."""

    def __init__(self) -> None:
        self.lists = self.campaigns = self.records = self
        self.kept: dict[AttemptId, Attempt] = {}
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.is_away = False
        self.found: list[Campaign] = []

    async def all(self) -> list[Campaign]:
        return self.found

    async def settle(self, attempts: Sequence[Attempt]) -> None:
        await asyncio.sleep(0)
        if self.is_away:
            raise StoreUnavailable("it is away")
        self.kept.update({each.id: each for each in attempts})

    async def history(
        self, name: CampaignName, *, since: float, midnight: float, without: Sequence[AttemptId]
    ) -> CampaignHistory:
        self.asked += 1
        known = [each for each in self.kept.values() if each.id not in without]
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        await asyncio.sleep(0)
        connected = sum(each.outcome is Outcome.CONNECTED for each in known)
        counts = Counts(live=connected, connected=connected)
        counted = [(each.dialled_at, counts) for each in known[:1]]
        totals = {Outcome.CONNECTED: connected}
        return CampaignHistory(totals=totals, today=totals, counted=counted)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def talking() -> Outbound:
    """A talk goes on over a restart of the server."""
    centre = Outbound()
    centre.phones(ANN)
    centre.campaign(records=1)
    centre.advance(1.0)
    centre.switch.confirm(centre.customer())
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.restart()
    return centre


def service(centre: Outbound, shelf: Shelf, data: Path, **more: Any) -> CampaignService:
    store: Any = shelf
    made = CampaignService(
        dialer=centre.dialer,
        store=store,
        bus=Bus(),
        clock=centre.process,
        data=data,
        agents_of_queue=lambda queue: (ANN,),
        section=CampaignsSection(),
        **more,
    )
    made.settling.start()
    return made


def campaign(centre: Outbound) -> Campaign:
    return Campaign(
        name=SPRING,
        state=CampaignState.RUNNING,
        settings=centre.dialer.settings(SPRING),
        version=1,
        created_at=0.0,
        created_by="ann",
        changed_at=0.0,
        changed_by="ann",
    )


@pytest.mark.parametrize("ends", ["before", "during", "after"])
async def test_a_talk_that_ends_while_its_campaign_is_loaded_counts_once(
    shelf: Shelf, tmp_path: Path, ends: str
) -> None:
    centre = talking()
    (begun,) = centre.attempts
    shelf.kept[begun.id] = begun
    made = service(centre, shelf, tmp_path)

    def end() -> None:
        centre.switch.end(centre.customer())

    if ends == "before":
        end()
    elif ends == "during":
        shelf.meanwhile = end
    async with asyncio.timeout(PATIENCE_S):
        await made.load(campaign(centre))
    if ends == "after":
        end()
    view = centre.dialer.view(SPRING)
    assert view.total[Outcome.CONNECTED] == view.today[Outcome.CONNECTED] == 1
    assert view.rates[0].live == 1.0
    assert shelf.asked == (2 if ends == "during" else 1)
    await made.close()


async def test_a_campaign_is_not_loaded_while_its_attempts_wait_for_the_store(
    shelf: Shelf, tmp_path: Path
) -> None:
    centre = talking()
    made = service(centre, shelf, tmp_path)
    shelf.is_away = True
    centre.switch.end(centre.customer())
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(PATIENCE_S):
            await made.load(campaign(centre))
    shelf.is_away = False
    await made.close()


async def test_it_is_told_when_all_campaigns_are_known(shelf: Shelf, tmp_path: Path) -> None:
    centre = talking()
    centre.switch.end(centre.customer())
    good = campaign(centre)
    bad = msgspec.structs.replace(
        good,
        name=CampaignName("bad"),
        settings=CampaignSettings(name=CampaignName("bad"), queue=QueueName("nowhere")),
    )
    shelf.found = [good, bad]
    made = service(centre, shelf, tmp_path)
    told: list[Event] = []
    made.news._bus.listen(told.append, EventType.CAMPAIGN_CHANGED, EventType.CAMPAIGNS_LOADED)
    begun = asyncio.create_task(made._begin())
    async with asyncio.timeout(PATIENCE_S):
        await made.loaded.wait()
    assert [each.data for each in told][1:] == [*made.broken_views(), CampaignsLoaded(count=2)]
    begun.cancel()
    await made.close()


async def test_what_keeps_nobody_from_dialing_is_not_in_the_way(
    shelf: Shelf, tmp_path: Path
) -> None:
    centre = talking()
    generic = Blocker(code="generic-message", words="The message says not who called.")
    made = service(centre, shelf, tmp_path, warnings=lambda settings: [generic])
    centre.switch.end(centre.customer())
    await made.load(campaign(centre))
    view = made.view(SPRING)
    assert [each.code for each in view.warnings] == ["generic-message"]
    assert "generic-message" not in [each.code for each in view.blockers]
    await made.close()
