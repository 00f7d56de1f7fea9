"""Simulated callers: when the next one dials, and what becomes of one that was given away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cti.demo.callers import Callers, Persona
from cti.schema import Event, EventData, EventType, InteractionView, TransferView
from tests.kit.patience import PATIENCE_S

DESK, COLLEAGUE = "1001", "1026"
ANN = Persona(number="+12025550109", dials="4001")
BEN = Persona(number="+12025550100", dials="4001")


class Floor:
    """Calls that last until hung up, and the server's news of them."""

    def __init__(self) -> None:
        self.dialled: asyncio.Queue[str] = asyncio.Queue()
        self.over: asyncio.Queue[str] = asyncio.Queue()
        self.callers = Callers(self._call, (ANN, BEN), agent=DESK, pause_s=0.0, talks_on_s=0.01)
        self.hang_up = asyncio.Event()

    async def _call(self, persona: Persona) -> str:
        self.dialled.put_nowait(persona.number)
        try:
            await self.hang_up.wait()
        finally:
            self.over.put_nowait(persona.number)
        return "hung up"

    def tell(self, type: EventType, data: EventData) -> None:
        """News of the interaction `i-1`."""
        event = Event(seq=1, id="e", at=0.0, type=type, data=data, interaction_id="i-1")
        self.callers.heard(event)

    def talks(self, agent: str | None, type: EventType = EventType.ESTABLISHED) -> None:
        """Ann's call begins, or is connected to somebody."""
        self.tell(type, self.view(agent))

    @staticmethod
    def view(agent: str | None, campaign: str = "") -> InteractionView:
        return InteractionView(
            interaction_id="i-1",
            channel="voice",
            stage="talking",
            since=0.0,
            started=0.0,
            caller_number=ANN.number,
            caller_name="",
            called="4001",
            agent_id=agent,
            campaign=campaign,
        )

    async def stays_quiet(self) -> bool:
        """Whether nobody dials and nobody hangs up, whatever was ready to run."""
        for _ in range(20):
            await asyncio.sleep(0)
        return self.dialled.empty() and self.over.empty()


async def next_of(numbers: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(PATIENCE_S):
        return await numbers.get()


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    """Ann has called, and talks to the desk."""
    floor = Floor()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(floor.callers.run())
        assert await next_of(floor.dialled) == ANN.number
        floor.talks(None, EventType.INTERACTION_STARTED)
        floor.talks(DESK)
        yield floor
        running.cancel()


async def test_the_next_one_calls_when_the_last_hung_up(floor: Floor) -> None:
    assert await floor.stays_quiet()
    floor.hang_up.set()
    assert await next_of(floor.over) == ANN.number
    assert await next_of(floor.dialled) == BEN.number


@pytest.mark.parametrize("to", [COLLEAGUE, None])
async def test_who_was_given_away_makes_room_and_hangs_up_after_a_while(
    floor: Floor, to: str | None
) -> None:
    floor.talks(to)
    assert await next_of(floor.dialled) == BEN.number
    assert await next_of(floor.over) == ANN.number


async def test_who_waits_in_a_queue_again_makes_room_and_stays(floor: Floor) -> None:
    floor.tell(EventType.TRANSFERRED, TransferView(kind="queue", former_id=DESK, queue="support"))
    assert await next_of(floor.dialled) == BEN.number
    assert floor.over.empty()


async def test_who_is_parked_is_still_the_desks(floor: Floor) -> None:
    floor.tell(EventType.TRANSFERRED, TransferView(kind="parked", former_id=DESK, number="701"))
    assert await floor.stays_quiet()


async def test_who_comes_back_stays_as_long_as_the_agent_likes(floor: Floor) -> None:
    floor.talks(COLLEAGUE)
    floor.talks(DESK)
    assert await next_of(floor.dialled) == BEN.number
    assert floor.over.empty()


async def test_a_campaign_that_calls_the_same_number_is_somebody_elses() -> None:
    floor = Floor()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(floor.callers.run())
        assert await next_of(floor.dialled) == ANN.number
        floor.tell(EventType.INTERACTION_STARTED, floor.view(None, campaign="renewals"))
        floor.talks(COLLEAGUE)
        assert await floor.stays_quiet()
        running.cancel()
