"""Who gets whom, seen through the core."""

from __future__ import annotations

from collections import Counter

import pytest

from acd.errors import BadSettingsError
from acd.model import AgentId, ContactId, OfferFailure, SkillNeed
from acd.routing.router import Router
from tests.acd.scene import ANN, BOB, CY, SALES, SUPPORT, Scene, agent, queue


def test_the_agent_idle_longest_is_taken() -> None:
    scene = Scene([agent(ANN), agent(BOB), agent(CY)])
    for name in (BOB, CY, ANN):
        scene.phone(name)
        scene.advance(10.0)
    assert [scene.offered_to(scene.call()) for _ in range(3)] == [BOB, CY, ANN]


def test_work_is_spread_evenly_over_equal_agents() -> None:
    names = [AgentId(str(2000 + n)) for n in range(7)]
    scene = Scene([agent(name, static=True, wrap_up_s=0.0) for name in names])
    share: Counter[AgentId] = Counter()
    for _ in range(70):
        contact = scene.call()
        scene.advance(1.0)
        share[scene.answers(contact)] += 1
        scene.advance(20.0)
        scene.ends(contact)
    assert set(share.values()) == {10}


def test_idle_time_is_since_the_agent_became_available_not_since_it_signed_on() -> None:
    scene = Scene([agent(ANN), agent(BOB)])
    scene.phone(ANN)
    scene.advance(1.0)
    scene.phone(BOB)
    scene.advance(1.0)
    scene.not_ready(ANN)
    scene.ready(ANN)
    assert scene.offered_to(scene.call()) == BOB


def test_first_come_first_served_over_two_queues() -> None:
    scene = Scene([agent(ANN, SALES, SUPPORT)])
    calls = []
    for name in (SUPPORT, SALES, SUPPORT, SALES):
        calls.append(scene.call(name))
        scene.advance(1.0)
    scene.phone(ANN)
    assert served_in_order(scene) == calls


def test_priority_counts_minutes_of_waiting_across_queues() -> None:
    scene = Scene([agent(ANN, SALES, SUPPORT)])
    old = scene.call(SALES)
    scene.advance(100.0)
    two_minutes_ahead = scene.call(SUPPORT, priority=2)
    one_minute_ahead = scene.call(SALES, priority=1)
    plain = scene.call(SUPPORT)
    scene.phone(ANN)
    assert served_in_order(scene) == [two_minutes_ahead, old, one_minute_ahead, plain]


def test_the_priority_of_a_queue_is_added() -> None:
    scene = Scene([agent(ANN, SALES, SUPPORT)], [queue(SALES), queue(SUPPORT, priority=5)])
    low, high = scene.call(SALES, priority=4), scene.call(SUPPORT)
    scene.phone(ANN)
    assert served_in_order(scene) == [high, low]


def test_a_contact_that_comes_back_is_where_it_first_stood() -> None:
    scene = Scene([agent(ANN)])
    scene.advance(50.0)
    now, before = scene.call(), scene.call(entered_at=10.0)
    later_than_now = scene.call(entered_at=1e9)
    assert scene.acd.waiting(SALES) == (before, now, later_than_now)
    assert scene.acd.contact(before).position == 1
    assert scene.acd.contact(later_than_now).entered_at == 50.0


def test_skills_and_levels_are_demanded() -> None:
    scene = Scene(
        [agent(ANN, german=1), agent(BOB), agent(CY, german=4)],
        [queue(SALES)],
    )
    for name in (ANN, BOB, CY):
        scene.phone(name)
        scene.advance(30.0)
    contact = scene.call(needs={"german": 3})
    assert scene.offered_to(contact) == CY
    words = {c.agent: (c.eligible, c.note) for c in scene.offer(contact).decision.candidates}
    assert words == {
        CY: (True, "longest idle: 30 s; german level 4"),
        ANN: (False, "german level 1 of 3"),
        BOB: (False, "no german"),
    }


def test_needs_of_the_queue_and_of_the_contact_add_up_to_the_higher_level() -> None:
    skills = (SkillNeed(skill="sales", level=2),)
    scene = Scene(
        [agent(ANN, sales=1), agent(BOB, sales=2), agent(CY, sales=5, german=2)],
        [queue(SALES, skills=skills)],
    )
    scene.phone(ANN, BOB, CY)
    assert scene.offered_to(scene.call(needs={"german": 2})) == CY
    assert scene.offered_to(scene.call(needs={"sales": 1})) == BOB
    assert scene.offered_to(scene.call()) is None


def test_a_contact_nobody_is_right_for_does_not_hold_up_those_behind_it() -> None:
    scene = Scene([agent(ANN)])
    rare, plain = scene.call(needs={"klingon": 1}), scene.call()
    scene.phone(ANN)
    assert scene.offered_to(plain) == ANN
    assert scene.acd.waiting(SALES) == (rare,)


def test_the_preferred_agent_is_taken_before_one_idle_longer() -> None:
    scene = Scene([agent(ANN), agent(BOB)])
    scene.phone(ANN, BOB)
    scene.advance(9.0)
    contact = scene.call(preferred=BOB)
    assert scene.offered_to(contact) == BOB
    decision = scene.offer(contact).decision
    assert decision.in_words() == "preferred agent; idle: 9 s"
    assert [c.agent for c in decision.candidates] == [BOB, ANN]


def test_a_preferred_agent_who_cannot_be_had_is_named_with_the_reason() -> None:
    scene = Scene([agent(ANN), agent(BOB), agent(CY, SUPPORT)])
    scene.phone(ANN, BOB)
    scene.not_ready(BOB)
    contact = scene.call(preferred=BOB)
    assert scene.offered_to(contact) == ANN
    assert scene.offer(contact).decision.candidates[-1].note == "preferred, but not-ready"
    scene.hangs_up(contact)
    for other, note in ((CY, "preferred, but not one who can take it"), (AgentId("77"), "")):
        contact = scene.call(preferred=other)
        notes = [c.note for c in scene.offer(contact).decision.candidates if not c.eligible]
        assert notes == ([note] if note else [])
        scene.hangs_up(contact)


def test_a_decision_keeps_ten_candidates_and_counts_the_rest() -> None:
    names = [AgentId(str(2000 + n)) for n in range(25)]
    scene = Scene([agent(name, static=True) for name in names])
    scene.advance(184.0)
    decision = scene.offer(scene.call()).decision
    assert [c.agent for c in decision.candidates] == names[:10]
    assert decision.others == 15
    assert decision.in_words() == "longest idle: 184 s"


def test_pools_for_rare_needs_do_not_pile_up() -> None:
    scene = Scene([agent(ANN, german=5)])
    scene.phone(ANN)
    for number in range(300):
        scene.hangs_up(scene.call(needs={"german": 1, f"skill{number}": 1}))
    assert len(scene.acd._router.pools()) <= 2 + 64
    assert scene.offered_to(scene.call(needs={"german": 1})) == ANN


def test_a_contact_finds_its_agents_again_after_its_pool_was_dropped() -> None:
    scene = Scene([agent(ANN, german=5), agent(BOB, german=5)])
    scene.phone(ANN)
    contact = scene.call(needs={"german": 1})
    for number in range(100):
        scene.hangs_up(scene.call(needs={f"skill{number}": 1}))
    scene.fails(contact, OfferFailure.BUSY)
    assert scene.acd.waiting(SALES) == (contact,)
    scene.phone(BOB)
    assert scene.offered_to(contact) == BOB


def test_a_router_of_its_own_needs_no_clock_and_no_calls() -> None:
    router = Router([agent(ANN, german=2)], [queue(SALES)])
    pool = router.pool(SALES, (SkillNeed(skill="german", level=2),))
    assert router.agent_for(pool, None) is None
    place = router.add_idle(ANN, 5.0)
    assert router.agent_for(pool, None) == ANN
    router.remove_idle(ANN)
    pool.waiting.add((0.0, 0.0, 1, ContactId("c")))
    router.return_idle(place)
    assert router.contact_for(ANN) == "c"


def test_settings_that_do_not_fit_together_are_refused() -> None:
    for agents, queues in (
        ([agent(ANN), agent(ANN)], [queue(SALES)]),
        ([agent(ANN, SUPPORT)], [queue(SALES)]),
        ([], [queue(SALES), queue(SALES)]),
    ):
        with pytest.raises(BadSettingsError):
            Scene(agents, queues)


def served_in_order(scene: Scene) -> list[ContactId]:
    """Let the one agent there is take everybody, and return the order."""
    served = []
    while offered := [c.contact for c in scene.acd.contacts() if c.agent is not None]:
        served += offered
        scene.answers(offered[0])
        scene.ends(offered[0])
    return served
