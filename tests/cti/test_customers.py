"""Customers and outcomes for desks: what a store that is away, or a record that is wrong, becomes."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from crm_store.errors import BadRecord, StoreUnavailable
from crm_store.facts import CustomerDraft, CustomerFacts, InteractionFacts, TimelineFacts
from cti import customers
from cti.api.ports import Account
from cti.bus import Bus
from cti.customers import CustomerDesk, InteractionDesk
from cti.errors import Conflict, Invalid, NotFound, Unavailable
from cti.live import LiveInteraction
from cti.schema import CustomerCard, CustomerRequest, Event, EventType, Role

ANN = Account(login="1001", name="Ann", role=Role.AGENT, agent_id="1001")


def facts(customer_id: str, name: str) -> CustomerFacts:
    return CustomerFacts(
        customer_id=customer_id,
        kind="person",
        name=name,
        company="",
        tier="",
        language="",
        remarks="",
        reference=None,
    )


class Store:
    """One customer; `away` and `hangs` as a store can be."""

    def __init__(self) -> None:
        self.away = False
        self.hangs = False
        self.drafts: list[CustomerDraft] = []
        self.interactions: dict[str, InteractionFacts] = {}

    async def _look(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise StoreUnavailable("away")

    async def find_by_number(self, number: str) -> list[CustomerFacts]:
        await self._look()
        return [facts("c-1", "Ben Cole")]

    find_by_name = find_by_number

    async def get_customer(self, customer_id: str) -> CustomerFacts | None:
        await self._look()
        return facts("c-1", "Ben Cole") if customer_id == "c-1" else None

    async def interaction_agent(self, interaction_id: str) -> str | None:
        await self._look()
        return None

    async def get_interaction(self, interaction_id: str) -> InteractionFacts | None:
        await self._look()
        return self.interactions.get(interaction_id)

    async def create_customer(self, draft: CustomerDraft) -> CustomerFacts:
        await self._look()
        if not draft.name:
            raise BadRecord("the name is missing")
        self.drafts.append(draft)
        return facts("c-2", draft.name)


class Live:
    """Stands for the floor and the translator: one live interaction."""

    def agent_of_ended(self, _interaction_id: str) -> str | None:
        return None

    def __init__(self) -> None:
        self.linked: list[tuple[str, str]] = []
        self.one: LiveInteraction | None = LiveInteraction(
            id="i-1",
            call_id="c-1",
            channel="voice",
            stage="talking",
            since=0.0,
            started=0.0,
            caller_number="+12025550101",
            caller_name="",
            called="100",
            agent_id="1001",
        )

    def live(self, interaction_id: str) -> LiveInteraction | None:
        return self.one

    interaction = live

    def link(self, interaction_id: str, customer: CustomerCard, how: str) -> None:
        self.linked.append((customer.name, how))


class Parts:
    """The two desks over hand-made parts."""

    def __init__(self) -> None:
        self.store = cast("Any", Store())
        self.live = cast("Any", Live())
        self.events: list[Event] = []
        bus = Bus()
        bus.listen(self.events.append)
        self.customers = CustomerDesk(self.store, self.live)
        self.interactions = InteractionDesk(
            store=self.store, bus=bus, translator=self.live, codes=frozenset({"done"})
        )


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def test_a_store_that_is_away_is_unavailable_to_every_question(parts: Parts) -> None:
    parts.store.away = True
    for question in (
        parts.customers.by_number("1"),
        parts.customers.by_name("x"),
        parts.customers.get("c-1"),
        parts.customers.link("i-1", CustomerRequest(name="Cy"), ANN),
        parts.interactions.interaction("i-1"),
    ):
        with pytest.raises(Unavailable):
            await question


async def test_a_store_that_hangs_is_unavailable_after_a_while(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "_LONGEST_S", 0.0)
    parts.store.hangs = True
    for question in (
        parts.customers.by_number("1"),
        parts.customers.by_name("x"),
        parts.customers.get("c-1"),
        parts.customers.link("i-1", CustomerRequest(name="Cy"), ANN),
        parts.customers.link("i-1", CustomerRequest(customer_id="c-1"), ANN),
        parts.interactions.interaction("i-1"),
        parts.interactions.interaction_agent("i-1"),
    ):
        with pytest.raises(Unavailable, match="does not answer"):
            await question
    assert parts.live.linked == []


async def test_a_customer_is_picked_or_created_with_the_callers_number(parts: Parts) -> None:
    await parts.customers.link("i-1", CustomerRequest(customer_id="c-1"), ANN)
    await parts.customers.link("i-1", CustomerRequest(name="Cy"), ANN)
    assert parts.live.linked == [("Ben Cole", "picked"), ("Cy", "created")]
    assert parts.store.drafts[0].phones == ("+12025550101",)


async def test_a_customer_who_was_created_a_moment_ago_is_not_created_again(parts: Parts) -> None:
    await parts.customers.link("i-1", CustomerRequest(name=" ben  cole "), ANN)
    assert parts.live.linked == [("Ben Cole", "picked")]
    assert parts.store.drafts == []


async def test_what_cannot_be_linked_is_told_apart(parts: Parts) -> None:
    with pytest.raises(NotFound):
        await parts.customers.link("i-1", CustomerRequest(customer_id="c-9"), ANN)
    with pytest.raises(Invalid, match="the name is missing"):
        await parts.customers.link("i-1", CustomerRequest(name=""), ANN)
    parts.live.one = None
    with pytest.raises(Conflict):
        await parts.customers.link("i-1", CustomerRequest(name="Cy"), ANN)
    with pytest.raises(NotFound):
        await parts.interactions.interaction("i-9")


async def test_notes_and_outcomes_go_with_the_events_whether_the_store_is_there_or_not(
    parts: Parts,
) -> None:
    parts.store.away = True
    await parts.interactions.add_note("i-1", "will call", ANN)
    await parts.interactions.set_disposition("i-1", "done", ANN)
    assert [event.type for event in parts.events] == [
        EventType.NOTE_ADDED,
        EventType.DISPOSITION_SET,
    ]
    assert parts.live.one.disposition == "done"
    with pytest.raises(Invalid, match="done"):
        await parts.interactions.set_disposition("i-1", "fine", ANN)


async def test_a_store_that_is_away_for_long_leaves_nothing_in_memory(parts: Parts) -> None:
    parts.store.away = True
    lengths = []
    for _ in range(3):
        with pytest.raises(Unavailable) as raised:
            await parts.customers.by_number("+12025550101")
        lengths.append(len(raised.traceback))
    assert len(set(lengths)) == 1, "an exception that is raised again and again keeps every frame"


async def test_agents_do_not_read_afterwards_who_listened_to_them(parts: Parts) -> None:
    """What they did not see while it lasted; nor do they where it is configured that they see it."""
    parts.store.interactions["i-1"] = InteractionFacts(
        interaction_id="i-1",
        channel="voice",
        direction="inbound",
        caller_number="",
        caller_name="",
        called="100",
        queue=None,
        agent_id="1001",
        agent_name=None,
        customer_id=None,
        customer_name="",
        started=1.0,
        ended=2.0,
        result="answered",
        reason=None,
        waited_s=0.0,
        talked_s=1.0,
        held_s=0.0,
        disposition=None,
        why="",
        timeline=tuple(
            TimelineFacts(seq=seq, at=1.0, type=type, data={})
            for seq, type in enumerate(("Established", "Supervised", "NoteAdded"))
        ),
    )
    for_agent = await parts.interactions.interaction("i-1")
    assert [line.type for line in for_agent.timeline] == ["Established", "NoteAdded"]
    for_supervisor = await parts.interactions.interaction("i-1", for_supervisor=True)
    assert [line.type for line in for_supervisor.timeline] == [
        "Established",
        "Supervised",
        "NoteAdded",
    ]
    parts.interactions._shows_supervisors = True
    assert await parts.interactions.interaction("i-1") == for_supervisor


@pytest.mark.parametrize("caller", ["anonymous", "sip:ann", "12", ""])
async def test_a_caller_without_a_number_can_become_a_customer(parts: Parts, caller: str) -> None:
    parts.live.one.caller_number = caller
    card = await parts.customers.link("i-1", CustomerRequest(name="Cy"), ANN)
    assert card.name == "Cy"
    assert parts.store.drafts[0].phones == ()
