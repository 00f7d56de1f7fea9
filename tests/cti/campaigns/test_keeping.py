"""Claims are kept up, and what must not be called any more is let go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from acd.dialer.model import CampaignName, CampaignState, Candidate, Held, Mode, RecordId
from acd.dialer.views import PreviewStep
from acd.model import AgentId
from crm_store.errors import StoreUnavailable
from cti.campaigns.feeding import Feeding
from cti.campaigns.keeping import Keeping
from cti.campaigns.outbox import Moved, Outbox
from cti.campaigns.settling import Settling
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.acd.scene import ANN
from tests.kit.patience import PATIENCE_S

GONE = AgentId("gone")


class Lists:
    """The store's side: what it was asked, and what it says."""

    def __init__(self) -> None:
        self.lists = self.campaigns = self
        self.renewed: list[RecordId] = []
        self.lost: set[RecordId] = set()
        self.bad: set[str] = set()
        self.is_away = False
        self.claimed: list[AgentId | None] = []
        self.freed: list[AgentId] = []

    async def renew(self, held: Sequence[Held], *, at: float) -> dict[RecordId, float]:
        self.renewed += [each.record for each in held]
        return {each.record: at + 600.0 for each in held if each.record not in self.lost}

    async def forbidden(
        self, campaign: CampaignName, numbers: Sequence[str], at: float
    ) -> set[str]:
        return self.bad & set(numbers)

    async def awaited(self, campaign: CampaignName, at: float) -> list[AgentId]:
        return [ANN, GONE]

    async def free(self, campaign: CampaignName, agents: Sequence[AgentId], at: float) -> int:
        self.freed += agents
        return 1

    async def set_state(self, *_: object, **__: object) -> None:
        if self.is_away:
            raise StoreUnavailable("it is away")

    async def claim(
        self, *_: object, for_agent: AgentId | None = None, **__: object
    ) -> list[Candidate]:
        self.claimed.append(for_agent)
        return []


@pytest.fixture
def centre() -> Outbound:
    centre = Outbound()
    centre.phones(ANN)
    centre.campaign(mode=Mode.MANUAL, records=0)
    return centre


def keeping(centre: Outbound, lists: Lists) -> Keeping:
    store: Any = lists
    return Keeping(
        dialer=centre.dialer, store=store, clock=centre.process, running=lambda: [SPRING]
    )


async def test_a_record_that_is_read_for_long_stays_claimed(centre: Outbound) -> None:
    lists = Lists()
    made = keeping(centre, lists)
    (record,) = centre.supply(1, claim=7, lapses_at=centre.process.wall() + 600.0)
    centre.dialer.take(ANN, SPRING)
    for _ in range(15):
        centre.advance(100.0)
        await made.look()
    assert set(lists.renewed) == {record.record}
    preview = centre.dialer.preview(ANN)
    assert preview is not None
    assert preview.candidate.lapses_at == centre.process.wall() + 600.0
    lists.lost.add(record.record)
    centre.advance(100.0)
    await made.look()
    assert centre.previews(ANN)[-1].step is PreviewStep.OVER
    assert centre.attempts[-1].reason == "claim-lapsed"


async def test_a_number_that_is_forbidden_in_hand_is_not_dialled(centre: Outbound) -> None:
    lists = Lists()
    made = keeping(centre, lists)
    first, second, third = centre.supply(3, claim=7)
    centre.dialer.take(ANN, SPRING)
    await made.look()
    lists.bad = {first.number, second.number}
    made.hurry()
    await made.look()
    assert centre.released == [(second.record, "forbidden")]
    assert [each.reason for each in centre.attempts] == ["forbidden"]
    assert centre.dialer.in_hand.not_dialled(SPRING) == [third]


async def test_no_records_come_while_earlier_calls_are_not_stored(
    centre: Outbound, tmp_path: Path
) -> None:
    lists: Any = Lists()
    lists.is_away = True
    settling = Settling(lists, Outbox(tmp_path / "outbound.jsonl"))
    feeding = Feeding(
        dialer=centre.dialer,
        store=lists,
        settling=settling,
        clock=centre.process,
        agents_of=lambda name: [ANN],
        running=lambda: [SPRING],
    )
    settling.start()
    settling.tell(Moved(SPRING, CampaignState.PAUSED, 5.0, "super"))
    await until(lambda: bool(settling.trouble))
    with pytest.raises(StoreUnavailable):
        await feeding.bring(SPRING, ANN)
    await feeding._feed(SPRING)
    assert lists.claimed == []
    assert [each.code for each in feeding.blockers(SPRING)] == ["store-away"]
    lists.is_away = False
    await until(lambda: not settling.is_behind)
    assert feeding.blockers(SPRING) == ()
    await feeding._feed(SPRING)
    assert lists.freed == [GONE]
    assert lists.claimed == [ANN, None]
    await settling.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - the settling runs by itself
            await asyncio.sleep(0.005)
