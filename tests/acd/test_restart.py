"""A core goes on from the records of another: places, countdowns and figures are kept."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from acd.core import Acd
from acd.events import AgentStateChanged
from acd.inputs import ExtendWrapUp, FinishWrapUp, OfferRinging
from acd.model import AgentState, ContactState, OfferFailure
from acd.records import AgentRecord
from acd.restoring import agent_record, day_record, queued_record, restore
from acd.settings import AcdSettings
from tests.acd.scene import ANN, BOB, SALES, SUPPORT, Scene, agent, queue


def same(moment: float) -> float:
    return moment


def test_who_waits_keeps_its_place_and_what_it_has_waited() -> None:
    scene = Scene([agent(ANN, SALES)], [queue(SALES)])
    first = scene.call()
    scene.advance(30)
    urgent = scene.call(priority=2)
    last = scene.call()
    scene.restart()
    assert scene.acd.waiting(SALES) == (urgent, first, last)
    scene.advance(5)
    assert scene.acd.queue(SALES, scene.now).longest_wait_s == 35
    scene.phone(ANN)
    assert scene.offered_to(urgent) == ANN
    assert scene.call() not in scene.acd.waiting(SALES)[:2]


def test_an_offer_and_its_watchdog_go_on() -> None:
    scene = Scene([agent(ANN, SALES), agent(BOB, SALES)], [queue(SALES)])
    scene.phone(ANN)
    contact = scene.call()
    scene.tell(OfferRinging(contact=contact, agent=ANN))
    scene.restart()
    assert scene.acd.agent(ANN).state is AgentState.RINGING
    assert scene.acd.contact(contact).state is ContactState.OFFERED
    scene.phone(BOB)
    scene.advance(30)  # nothing is ever heard of the offer
    assert scene.offered_to(contact) == BOB
    assert scene.acd.unheard_offers == 1


@pytest.mark.parametrize("extended", [False, True])
def test_wrap_up_goes_on_to_its_end(extended: bool) -> None:
    scene = Scene([agent(ANN, SALES, wrap_up_s=5)], [queue(SALES)])
    scene.desk(ANN)
    contact = scene.call()
    scene.answers(contact)
    scene.ends(contact)
    scene.advance(2)
    if extended:
        scene.tell(ExtendWrapUp(agent=ANN))
    scene.restart()
    scene.advance(2.9)
    assert scene.acd.agent(ANN).state is AgentState.WRAP_UP
    scene.advance(0.2)
    assert (scene.acd.agent(ANN).state is AgentState.WRAP_UP) == extended
    scene.tell(FinishWrapUp(agent=ANN))
    assert scene.acd.agent(ANN).state is AgentState.AVAILABLE


def test_a_wrap_up_that_ended_while_nobody_was_there_ended_at_its_end() -> None:
    scene = Scene([agent(ANN, SALES, wrap_up_s=5)], [queue(SALES)])
    scene.desk(ANN)
    scene.ends(scene.talks())
    scene.now += 60  # the server is down, and no timer fires
    scene.restart()
    scene.advance(0)
    assert scene.acd.agent(ANN).state is AgentState.AVAILABLE
    assert scene.acd.agent(ANN).since == 5
    assert scene.acd.agent_figures(ANN, scene.now).wrap_up_s == 5
    ended = [event for event in scene.events if isinstance(event, AgentStateChanged)][-1]
    assert (ended.at, ended.previous_for_s) == (5, 5)


def test_a_pause_that_ended_while_nobody_was_there_ended_at_its_end() -> None:
    scene = Scene([agent(ANN, SALES, static=True)], [queue(SALES)])
    contact = scene.call()
    scene.fails(contact, OfferFailure.BUSY)
    scene.hangs_up(contact)
    until = scene.acd.agent(ANN).until
    assert until is not None
    before = sum(scene.acd.agent_figures(ANN, until).not_ready_s.values())
    scene.now += 60
    scene.restart()
    scene.advance(0)
    assert scene.acd.agent(ANN).since == until
    assert sum(scene.acd.agent_figures(ANN, scene.now).not_ready_s.values()) == before


def test_a_wrap_up_that_ended_yesterday_has_no_time_today() -> None:
    scene = Scene([agent(ANN, SALES, wrap_up_s=5)], [queue(SALES)])
    scene.desk(ANN)
    scene.ends(scene.talks())
    record = agent_record(scene.acd.parts, ANN, same)
    now = scene.now + 60
    after = Acd(agents=[agent(ANN, SALES)], queues=[queue(SALES)], settings=AcdSettings(), now=now)
    restore(after.parts, {ANN: record}, {}, {}, same, now, same_day=False)
    after.handle_timer(now)
    assert after.agent_figures(ANN, now + 1).wrap_up_s == 0
    assert after.agent_figures(ANN, now + 1).signed_on_s == 1


def test_a_caller_whose_agent_is_not_configured_any_more_waits_again_at_its_place() -> None:
    scene = Scene([agent(ANN, SALES), agent(BOB, SALES)], [queue(SALES)])
    scene.phone(ANN)
    offered = scene.call()
    scene.advance(10)
    waiting = scene.call()
    parts = scene.acd.parts
    contacts = {c: queued_record(parts, c, same) for c in (offered, waiting)}
    after = Acd(
        agents=[agent(BOB, SALES)], queues=[queue(SALES)], settings=AcdSettings(), now=scene.now
    )
    faults = restore(
        after.parts,
        {name: agent_record(parts, name, same) for name in (ANN, BOB)},
        {name: kept for name, kept in contacts.items() if kept is not None},
        {},
        same,
        scene.now,
        same_day=True,
    )
    assert faults == ["agent 1001 is not configured any more"]
    after.check_invariants()
    assert after.waiting(SALES) == (offered, waiting)


def test_an_agent_whose_contact_is_gone_rests_and_a_queue_that_is_gone_is_told() -> None:
    scene = Scene([agent(ANN, SALES, SUPPORT)], [queue(SALES), queue(SUPPORT)])
    scene.phone(ANN)
    contact = scene.call(SUPPORT)
    scene.answers(contact)
    parts = scene.acd.parts
    record = queued_record(parts, contact, same)
    assert record is not None
    after = Acd(
        agents=[agent(ANN, SALES)], queues=[queue(SALES)], settings=AcdSettings(), now=scene.now
    )
    faults = restore(
        after.parts,
        {ANN: agent_record(parts, ANN, same)},
        {contact: record},
        {},
        same,
        scene.now,
        same_day=True,
    )
    assert faults == [f"contact {contact}: queue support is not configured any more"]
    after.check_invariants()
    assert after.agent(ANN).state is AgentState.AVAILABLE
    waiting = scene.call(SALES)
    assert after.resume(scene.now) == []
    assert waiting not in after.waiting(SALES)


def test_yesterdays_figures_are_not_todays() -> None:
    scene = Scene([agent(ANN, SALES)], [queue(SALES)])
    scene.phone(ANN)
    contact = scene.call()
    scene.answers(contact)
    scene.ends(contact)
    record = agent_record(scene.acd.parts, ANN, same)
    assert (record.answered, isinstance(record, AgentRecord)) == (1, True)
    after = Acd(
        agents=[agent(ANN, SALES)], queues=[queue(SALES)], settings=AcdSettings(), now=scene.now
    )
    restore(after.parts, {ANN: record}, {}, {}, same, scene.now, same_day=False)
    assert after.agent_figures(ANN, scene.now).answered == 0
    assert after.agent(ANN).state is AgentState.AVAILABLE


def test_a_word_of_another_version_costs_its_record_and_no_other() -> None:
    scene = Scene([agent(ANN, SALES), agent(BOB, SALES)], [queue(SALES)])
    first, second = scene.call(), scene.call()
    parts = scene.acd.parts
    strange, kept = queued_record(parts, first, same), queued_record(parts, second, same)
    assert strange is not None
    assert kept is not None
    agents = {name: agent_record(parts, name, same) for name in (ANN, BOB)}
    after = Acd(
        agents=[agent(ANN, SALES), agent(BOB, SALES)],
        queues=[queue(SALES)],
        settings=AcdSettings(),
        now=scene.now,
    )
    faults = restore(
        after.parts,
        {**agents, BOB: replace(agents[BOB], state="on-the-moon")},
        {first: replace(strange, state="unheard-of"), second: kept},
        {SALES: replace(day_record(parts, SALES), failures={"unheard-of": 1})},
        same,
        scene.now,
        same_day=True,
    )
    assert [fault.partition(":")[0] for fault in faults] == [
        f"contact {first}",
        f"agent {BOB}",
        f"the day of queue {SALES}",
    ]
    after.check_invariants()
    assert after.waiting(SALES) == (second,)
