"""What a campaign did before a start is counted once, whatever happens while it is loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from acd.dialer.legal import Counts
from acd.dialer.model import Attempt, AttemptId, CampaignName, CampaignState, Outcome
from crm_store.errors import StoreUnavailable
from crm_store.outbound.history import CampaignHistory
from crm_store.outbound.views import Campaign
from cti.bus import Bus
from cti.campaign_settings import CampaignsSection
from cti.campaigns.service import CampaignService
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


def service(centre: Outbound, shelf: Shelf, data: Path) -> CampaignService:
    store: Any = shelf
    made = CampaignService(
        dialer=centre.dialer,
        store=store,
        bus=Bus(),
        clock=centre.process,
        data=data,
        agents_of_queue=lambda queue: (ANN,),
        section=CampaignsSection(),
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
