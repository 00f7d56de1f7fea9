"""What agents see of a record: what is known at once, and what the store tells a moment later."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from acd.dialer.model import AttemptId, CampaignName, Candidate, RecordId
from acd.dialer.settings import CampaignSettings
from crm_store.errors import StoreUnavailable
from crm_store.outbound.past import PastAttempt
from cti.campaigns.cards import Cards
from cti.schema import PreviewView
from cti.schema_outbound import OutboundCard
from tests.cti.desk.campaigns_kit import preview

SPRING = CampaignName("spring")
BEFORE = (
    PastAttempt(
        id="a-2",
        dialled_at=2000.0,
        outcome="connected",
        disposition="later",
        agent="Ann Lee",
        talked_s=20.0,
        note="  he will think \nand calls his wife",
        call_back_at=9000.0,
    ),
    PastAttempt(
        id="a-1",
        dialled_at=1000.0,
        outcome="no-answer",
        disposition="",
        agent="",
        talked_s=0.0,
        note="",
        call_back_at=None,
    ),
)


class Scene:
    """One attempt, `i-7`, before the agent 1001; satisfies the dialer and both stores."""

    def __init__(self, *, is_promised: bool = True, has_past: bool = True) -> None:
        self.found: Sequence[PastAttempt] = BEFORE
        self.is_away = False
        self.asked = 0
        self.shown: list[PreviewView] = []
        self.known_later: list[tuple[str, OutboundCard]] = []
        self._candidate = Candidate(
            campaign=SPRING,
            record=RecordId("r-1"),
            number="+12025550123",
            position=0,
            zone="UTC",
            is_promised=is_promised,
            has_past=has_past,
        )
        self._works: list[Coroutine[Any, Any, None]] = []
        dialer: Any = self
        lookup: Any = self
        self.cards = Cards(
            dialer=dialer,
            lookup=lookup,
            past=self.past,
            publish=self.shown.append,
            spawn=self._works.append,
        )
        self.cards.on_card = lambda interaction, card: self.known_later.append((interaction, card))

    async def past(self, record: RecordId) -> Sequence[PastAttempt]:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return self.found

    def known(self, number: str) -> list[Any]:
        return []

    def candidate(self, attempt: AttemptId) -> Candidate:
        return self._candidate

    def settings(self, name: CampaignName) -> CampaignSettings:
        return CampaignSettings(name=name)

    async def settle(self) -> None:
        works, self._works[:] = tuple(self._works), []
        await asyncio.gather(*works)


async def test_the_calls_before_follow_on_the_card_of_a_preview_and_stay() -> None:
    scene = Scene()
    scene.cards.show(preview())
    assert [view.card.recent for view in scene.shown] == [()], "it is shown at once"
    await scene.settle()
    card = scene.shown[-1].card
    assert [(each.outcome, each.note, each.agent_name) for each in card.recent] == [
        ("connected", "he will think", "Ann Lee"),
        ("no-answer", "", ""),
    ]
    assert (card.call_back_of, card.call_back_by) == (9000.0, "Ann Lee")
    scene.cards.show(preview("dialling"))
    assert scene.shown[-1].card.recent == card.recent
    assert scene.cards.card("i-7", SPRING) == card, "the talk has the same"
    assert scene.asked == 1


async def test_they_follow_on_the_card_of_a_talk() -> None:
    scene = Scene(is_promised=False)
    made = scene.cards.card("i-7", SPRING)
    assert made is not None
    await scene.settle()
    ((interaction, card),) = scene.known_later
    assert interaction == "i-7"
    assert len(card.recent) == 2
    assert card.call_back_of is None, "this is not the call that was asked for"
    assert scene.cards.card("i-7", SPRING) == card


@pytest.mark.parametrize("is_away", [True, False])
async def test_without_them_the_card_stays_as_it_is(is_away: bool) -> None:
    scene = Scene()
    scene.is_away, scene.found = is_away, ()
    scene.cards.show(preview())
    await scene.settle()
    assert len(scene.shown) == 1
    assert scene.known_later == []


async def test_the_store_is_not_asked_for_a_record_that_nobody_had_before() -> None:
    scene = Scene(has_past=False)
    scene.cards.show(preview())
    assert scene.cards.card("i-7", SPRING) is not None
    await scene.settle()
    assert scene.asked == 0
