"""Screen pops: the card before the ring, and never a ring that waits for a store."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from acd.actions import Offer
from acd.model import AgentId, ContactId, Decision, QueueName
from cti.bus import Bus
from cti.live import LiveInteraction
from cti.pops import WAIT_S, PopService
from cti.schema import CustomerCard, Event, EventType, ScreenPop
from tests.kit.virtual_clock import VirtualClock

ANN, BOB = AgentId("1001"), AgentId("1002")
CALL = ContactId("i-1")


def card(name: str) -> CustomerCard:
    return CustomerCard(customer_id=f"c-{name}", name=name)


class Store:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.answers: asyncio.Future[list[CustomerCard]] = (
            asyncio.get_running_loop().create_future()
        )
        self.asked: list[str] = []
        self.at_hand: list[CustomerCard] | None = None

    def known(self, number: str) -> list[CustomerCard] | None:
        return self.at_hand

    async def by_number(self, number: str) -> list[CustomerCard]:
        self.asked.append(number)
        return await asyncio.shield(self.answers)


class OneCall:
    """Satisfies `cti.pops.Floor`: one live interaction, and the desks that are connected."""

    def __init__(self) -> None:
        self.desks: set[str] = {ANN, BOB}
        self.linked: list[str] = []
        self.interaction: LiveInteraction | None = LiveInteraction(
            id=CALL,
            call_id="c-1",
            channel="voice",
            stage="offered",
            since=0.0,
            started=0.0,
            caller_number="2025550101",
            caller_name="",
            called="100",
            queue="sales",
        )

    def has_desk(self, agent_id: str) -> bool:
        return agent_id in self.desks

    def live(self, interaction_id: str) -> LiveInteraction | None:
        return self.interaction

    def facts(self, interaction_id: str) -> dict[str, str]:
        return {"account": "42"}

    def link(self, interaction_id: str, customer: CustomerCard, how: str) -> None:
        self.linked.append(f"{customer.name} {how}")


class Pops:
    """The service over hand-made parts, with what was published and who was rung."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.store = Store()
        self.floor = OneCall()
        self.rung: list[str] = []
        self.published: list[Event] = []
        self._tasks: list[asyncio.Task[None]] = []
        bus = Bus(wall=self.clock.wall)
        bus.listen(self.published.append)
        self.service = PopService(
            bus=bus,
            clock=self.clock,
            lookup=self.store,
            floor=self.floor,
            normalise=lambda number: f"+1{number}" if number else "",
            queue_titles={"sales": "Sales"},
            spawn=self._spawn,
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    def offer(self, agent: AgentId = ANN) -> None:
        assert self.floor.interaction is not None
        self.floor.interaction.agent_id = agent
        decision = Decision(
            contact=CALL,
            agent=agent,
            queue=QueueName("sales"),
            rule="longest-idle",
            at=0.0,
            waited_s=3.0,
            candidates=(),
        )
        offer = Offer(contact=CALL, agent=agent, ring_timeout_s=20.0, decision=decision)
        self.service.offer(offer, lambda: self.rung.append(agent))

    async def found(self, *names: str) -> None:
        """The store answers."""
        self.store.answers.set_result([card(name) for name in names])
        await self.turn()

    async def turn(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    def pops(self) -> list[ScreenPop]:
        return [event.data for event in self.published if isinstance(event.data, ScreenPop)]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def pops() -> Any:
    pops = Pops()
    yield pops
    await pops.close()


async def test_the_card_is_there_before_the_ring_and_the_ring_at_its_acknowledgement(
    pops: Pops,
) -> None:
    pops.service.prefetch(CALL, "2025550101")
    await pops.found("Ann Lee")
    pops.offer()
    (event,) = pops.published
    assert (event.type, event.agent_id, event.customer_id) == (
        EventType.SCREEN_POP,
        ANN,
        "c-Ann Lee",
    )
    (pop,) = pops.pops()
    assert (pop.customer, pop.queue_title, pop.facts, pop.late) == (
        card("Ann Lee"),
        "Sales",
        {"account": "42"},
        False,
    )
    assert pop.chosen is not None
    assert pop.chosen.rule in pop.why.replace(" ", "-")
    assert pops.rung == []
    pops.service.acknowledged(ANN, event.seq)
    assert pops.rung == [ANN]
    pops.clock.advance(1.0)
    assert pops.rung == [ANN]
    assert (pops.service.confirmed, pops.service.late) == (1, 0)
    assert pops.floor.linked == ["Ann Lee found"]


async def test_a_look_up_that_ends_during_the_offer_shows_its_card_in_time(pops: Pops) -> None:
    pops.service.prefetch(CALL, "2025550101")
    pops.offer()
    assert not pops.pops()
    pops.clock.advance(0.03)
    await pops.found("Ann Lee")
    assert not pops.pops()[0].late
    pops.service.acknowledged(ANN, pops.published[0].seq)
    assert pops.rung == [ANN]


async def test_a_store_that_hangs_holds_the_ring_for_50_ms_and_its_card_comes_late(
    pops: Pops,
) -> None:
    pops.service.prefetch(CALL, "2025550101")
    await pops.turn()
    pops.offer()
    pops.clock.advance(WAIT_S - 0.001)
    assert pops.rung == []
    pops.clock.advance(0.001)
    assert pops.rung == [ANN]
    await pops.found("Ann Lee")
    assert pops.pops()[0].late
    assert pops.rung == [ANN]
    assert pops.service.late == 1


async def test_a_card_that_nobody_acknowledges_holds_the_ring_for_50_ms(pops: Pops) -> None:
    pops.service.prefetch(CALL, "2025550101")
    await pops.found("Ann Lee")
    pops.offer()
    pops.clock.advance(WAIT_S)
    assert pops.rung == [ANN]


@pytest.mark.parametrize(("agent", "off"), [(BOB, 0), (ANN, 1), (ANN, None)])
async def test_an_acknowledgement_of_something_else_releases_nothing(
    pops: Pops, agent: AgentId, off: int | None
) -> None:
    pops.service.prefetch(CALL, "2025550101")
    if off is not None:
        await pops.found("Ann Lee")
    pops.offer()
    pops.service.acknowledged(agent, 0 if off is None else pops.published[0].seq + off)
    assert pops.rung == []


async def test_a_store_that_fails_gives_an_empty_card(pops: Pops) -> None:
    pops.service.prefetch(CALL, "2025550101")
    await pops.turn()
    pops.store.answers.set_exception(OSError("away"))
    await pops.turn()
    pops.offer()
    assert pops.pops()[0].customer is None
    pops.clock.advance(WAIT_S)
    assert pops.rung == [ANN]


async def test_an_agent_without_a_desk_is_rung_at_once_and_gets_no_card(pops: Pops) -> None:
    pops.floor.desks.clear()
    pops.service.prefetch(CALL, "2025550101")
    pops.offer()
    assert pops.rung == [ANN]
    await pops.found("Ann Lee")
    assert not pops.pops()
    assert pops.clock.pending == 0


async def test_several_with_one_number_are_all_shown_and_none_is_linked(pops: Pops) -> None:
    pops.service.prefetch(CALL, "2025550101")
    await pops.found("Ann Lee", "Ben Lee")
    pops.offer()
    (pop,) = pops.pops()
    assert pop.customer is None
    assert [each.name for each in pop.candidates] == ["Ann Lee", "Ben Lee"]
    assert (pop.new_customer_number, pops.floor.linked) == ("", [])
    pops.service.linked(ANN, CALL, card("Ben Lee"))
    current = pops.service.current(ANN)
    assert current is not None
    assert (current.customer, current.candidates) == (card("Ben Lee"), ())


async def test_who_has_it_next_sees_the_customer_that_was_picked_or_created(pops: Pops) -> None:
    pops.service.prefetch(CALL, "2025550101")
    await pops.found("Ann Lee", "Ben Lee")
    pops.offer()
    assert pops.floor.interaction is not None
    pops.floor.interaction.customer_id = card("Ben Lee").customer_id
    pops.service.linked(ANN, CALL, card("Ben Lee"))
    pops.offer(BOB)
    pop = pops.pops()[-1]
    assert (pop.customer, pop.candidates) == (card("Ben Lee"), ())


async def test_a_desk_that_was_away_at_the_offer_gets_its_card_when_it_is_back(pops: Pops) -> None:
    pops.service.prefetch(CALL, "2025550101")
    await pops.found("Ann Lee")
    pops.floor.desks.clear()
    pops.offer()
    assert pops.service.current(ANN) is None
    pop = pops.service.remade(ANN, CALL)
    assert pop is not None
    assert pop.customer == card("Ann Lee")
    assert pops.service.current(ANN) == pop


async def test_after_a_restart_the_customer_is_looked_for_again(pops: Pops) -> None:
    assert pops.floor.interaction is not None
    pops.floor.interaction.customer_id = card("Ben Lee").customer_id
    pops.offer()
    await pops.found("Ann Lee", "Ben Lee")
    assert pops.pops()[-1].customer == card("Ben Lee")
    assert pops.floor.linked == []


async def test_a_number_that_nobody_has_is_kept_for_a_new_customer(pops: Pops) -> None:
    pops.service.prefetch(CALL, "2025550101")
    await pops.found()
    pops.offer()
    assert pops.pops()[0].new_customer_number == "+12025550101"


async def test_a_withheld_number_is_not_looked_up(pops: Pops) -> None:
    assert pops.floor.interaction is not None
    pops.floor.interaction.caller_number = ""
    pops.service.prefetch(CALL, "")
    pops.offer()
    await pops.turn()
    assert pops.store.asked == []
    assert pops.pops()[0].new_customer_number == ""


async def test_a_caller_who_goes_while_its_card_travels_rings_nobody(pops: Pops) -> None:
    pops.service.prefetch(CALL, "2025550101")
    pops.offer()
    pops.service.forget(CALL)
    pops.clock.advance(1.0)
    await pops.found("Ann Lee")
    assert (pops.rung, pops.pops(), pops.clock.pending) == ([], [], 0)
    assert pops.service.late == 0


async def test_the_next_agent_has_50_ms_of_its_own(pops: Pops) -> None:
    pops.service.prefetch(CALL, "2025550101")
    pops.offer(ANN)
    pops.clock.advance(0.03)
    pops.offer(BOB)
    pops.clock.advance(0.03)
    assert pops.rung == []
    pops.clock.advance(0.02)
    assert pops.rung == [BOB]


@pytest.mark.parametrize("names", [(), ("Ann Lee", "Bo Lee")])
async def test_what_the_store_has_at_hand_is_shown_without_a_search(
    pops: Pops, names: tuple[str, ...]
) -> None:
    pops.store.at_hand = [card(name) for name in names]
    pops.service.prefetch(CALL, "2025550101")
    pops.offer()
    await pops.turn()
    (pop,) = pops.pops()
    assert (pop.customer, pop.late) == (None, False)
    assert [found.name for found in pop.candidates] == list(names)
    assert pops.store.asked == pops.floor.linked == []


async def test_one_customer_at_hand_is_still_linked_by_a_search(pops: Pops) -> None:
    pops.store.at_hand = [card("Ann Lee")]
    pops.service.prefetch(CALL, "2025550101")
    assert pops.floor.linked == [], "the contact's own beginning is not told yet"
    await pops.found("Ann Lee")
    assert pops.floor.linked == ["Ann Lee found"]
