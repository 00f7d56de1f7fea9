"""When a campaign is over by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from acd.dialer.model import CampaignName, CampaignState
from crm_store.outbound.views import Penetration
from cti.campaigns.upkeep import Upkeep
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.acd.scene import ANN
from tests.kit.patience import PATIENCE_S


class Counts:
    """The store's side."""

    def __init__(self, ready: int, shelved: int) -> None:
        self.campaigns = self
        self._counted = Penetration(
            campaign=SPRING,
            total=9,
            untouched=0,
            by_state={"ready": ready, "done": 9 - ready},
            by_stage={"quota": shelved, "ready": ready - shelved},
            by_outcome={},
            goal_reached=0,
            attempts=0,
        )

    async def penetration(self, name: CampaignName) -> Penetration:
        return self._counted


def upkeep(centre: Outbound, ready: int, shelved: int) -> Upkeep:
    store: Any = Counts(ready, shelved)
    return Upkeep(
        dialer=centre.dialer,
        store=store,
        clock=centre.process,
        states=lambda: {SPRING: CampaignState.RUNNING},
        changed=lambda name: None,
    )


@pytest.mark.parametrize(
    ("ready", "shelved", "reason"), [(0, 0, "list-empty"), (2, 2, "quotas"), (3, 2, "")]
)
async def test_a_list_is_over_when_nobody_on_it_is_wanted(
    ready: int, shelved: int, reason: str
) -> None:
    centre = Outbound()
    centre.campaign(records=0)
    await upkeep(centre, ready, shelved)._look(SPRING, CampaignState.RUNNING)
    view = centre.dialer.view(SPRING)
    assert (view.state is CampaignState.FINISHED) is bool(reason)
    assert view.reason == (reason or "loaded")


async def test_a_list_is_not_over_while_its_last_person_talks() -> None:
    centre = Outbound()
    centre.phones(ANN)
    centre.campaign(records=1)
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    made = upkeep(centre, 0, 0)
    await made._look(SPRING, CampaignState.RUNNING)
    assert centre.dialer.view(SPRING).state is CampaignState.RUNNING
    centre.switch.end(customer)
    await made._look(SPRING, CampaignState.RUNNING)
    assert centre.dialer.view(SPRING).state is CampaignState.FINISHED


async def test_a_list_that_was_imported_is_counted_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cti.campaigns.upkeep._LEAST_S", 0.0)
    monkeypatch.setattr("cti.campaigns.upkeep._LOOK_S", 3600.0)
    centre = Outbound()
    centre.campaign(records=0)
    told: asyncio.Queue[CampaignName] = asyncio.Queue()
    store: Any = Counts(3, 0)
    upkeep = Upkeep(
        dialer=centre.dialer,
        store=store,
        clock=centre.process,
        states=lambda: {SPRING: CampaignState.DRAFT},
        changed=told.put_nowait,
    )
    task = asyncio.create_task(upkeep.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await told.get()
            upkeep.hurry(SPRING, is_awaited=True)
            await told.get()
    finally:
        task.cancel()
