"""When a campaign is over by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from acd.dialer.model import CampaignName, CampaignState
from acd.inputs import FinishWrapUp
from acd.model import AgentState
from crm_store.outbound.views import Penetration
from cti.campaigns.upkeep import Upkeep
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.acd.hand_switch import Leg
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
        self.looks = 0

    def reached(self, count: int) -> None:
        self._counted = msgspec.structs.replace(self._counted, goal_reached=count)

    async def penetration(self, name: CampaignName) -> Penetration:
        self.looks += 1
        return self._counted


def upkeep(
    centre: Outbound,
    ready: int,
    shelved: int,
    *,
    counts: Counts | None = None,
    settled: bool = True,
) -> Upkeep:
    store: Any = counts or Counts(ready, shelved)
    return Upkeep(
        dialer=centre.dialer,
        store=store,
        clock=centre.process,
        states=lambda: {SPRING: CampaignState.RUNNING},
        changed=lambda name: None,
        is_settled=lambda name: settled,
    )


def talk(centre: Outbound) -> Leg:
    """A campaign's next record, on the line with Ann, who has a desk."""
    centre.desk(ANN)
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    return customer


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


async def test_a_list_is_not_over_while_its_last_person_talks_or_its_agent_wraps_up() -> None:
    centre = Outbound()
    centre.phones(ANN)
    centre.campaign(records=1)
    customer = talk(centre)
    made = upkeep(centre, 0, 0)
    await made._look(SPRING, CampaignState.RUNNING)
    assert centre.dialer.view(SPRING).state is CampaignState.RUNNING
    centre.switch.end(customer)
    assert centre.state(ANN) is AgentState.WRAP_UP
    await made._look(SPRING, CampaignState.RUNNING)
    assert centre.dialer.view(SPRING).state is CampaignState.RUNNING
    centre.distribution.tell(FinishWrapUp(agent=ANN))
    await made._look(SPRING, CampaignState.RUNNING)
    assert centre.dialer.view(SPRING).state is CampaignState.FINISHED


async def test_who_wraps_up_for_an_earlier_process_may_yet_choose() -> None:
    centre = Outbound()
    centre.phones(ANN)
    centre.campaign(records=1)
    centre.switch.end(talk(centre))
    centre.restart()
    assert centre.state(ANN) is AgentState.WRAP_UP
    await upkeep(centre, 0, 0)._look(SPRING, CampaignState.RUNNING)
    assert centre.dialer.view(SPRING).state is CampaignState.RUNNING


async def test_what_was_chosen_last_is_counted_before_a_list_is_over() -> None:
    centre = Outbound()
    centre.campaign(records=0)
    counts = Counts(0, 0)
    made = upkeep(centre, 0, 0, counts=counts, settled=False)
    await made._look(SPRING, CampaignState.RUNNING)
    assert centre.dialer.view(SPRING).state is CampaignState.RUNNING, (
        "it is on its way to the store"
    )
    made = upkeep(centre, 0, 0, counts=counts)
    await made._look(SPRING, CampaignState.RUNNING)
    assert centre.dialer.view(SPRING).state is CampaignState.FINISHED
    assert counts.looks == 3, "what was counted before says nothing of what was chosen since"


async def test_a_goal_is_reached_by_the_records_that_people_see_counted() -> None:
    centre = Outbound()
    centre.phones(ANN)
    centre.campaign(records=2, goal=2)
    counts = Counts(1, 0)
    made = upkeep(centre, 1, 0, counts=counts)
    customer = talk(centre)
    counts.reached(2)
    await made.count(SPRING)
    assert made.goal_reached(SPRING) == 1, "the one on the line may yet ask to be called back"
    centre.switch.end(customer)
    centre.distribution.tell(FinishWrapUp(agent=ANN))
    centre.advance(2.0)
    counts.reached(1)
    await made.count(SPRING)
    await made._look(SPRING, CampaignState.RUNNING)
    assert centre.dialer.view(SPRING).state is CampaignState.RUNNING, "it asked to be called back"
    counts.reached(2)
    await made.count(SPRING)
    await made._look(SPRING, CampaignState.RUNNING)
    assert made.goal_reached(SPRING) == 2
    view = centre.dialer.view(SPRING)
    assert (view.state, view.reason) == (CampaignState.FINISHED, "goal")


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
        is_settled=lambda name: True,
    )
    task = asyncio.create_task(upkeep.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await told.get()
            upkeep.hurry(SPRING, is_awaited=True)
            await told.get()
    finally:
        task.cancel()


async def test_a_fault_of_one_campaign_keeps_no_other_from_being_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    autumn, gone = CampaignName("autumn"), CampaignName("gone")

    class Faulty(Counts):
        async def penetration(self, name: CampaignName) -> Penetration:
            if name == autumn:
                raise RuntimeError("a fault")
            return await super().penetration(name)

    centre = Outbound()
    centre.campaign(records=0)
    centre.campaign(autumn, records=0)
    told: asyncio.Queue[CampaignName] = asyncio.Queue()
    store: Any = Faulty(3, 0)
    made = Upkeep(
        dialer=centre.dialer,
        store=store,
        clock=centre.process,
        states=lambda: dict.fromkeys((gone, autumn, SPRING), CampaignState.DRAFT),
        changed=told.put_nowait,
        is_settled=lambda name: True,
    )
    task = asyncio.create_task(made.run())
    async with asyncio.timeout(PATIENCE_S):
        assert await told.get() == SPRING
    assert not task.done()
    task.cancel()
    (said,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert said.getMessage() == "campaign autumn: a fault in its upkeep; it is tried again"
    assert said.exc_info is not None
