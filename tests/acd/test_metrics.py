"""Figures: a fold over the events, and the formulas over the counters."""

from __future__ import annotations

import pytest

from acd.events import AgentFigures, QueueChanged
from acd.inputs import Engaged, OfferRinging, SignOn
from acd.metrics import Metrics
from acd.model import AgentState, OfferFailure, SignedOnBy
from acd.service_level import Formula, Outcomes, service_level
from acd.settings import AcdSettings
from acd.tallies import OTHER_REASON
from tests.acd.scene import ANN, BOB, SALES, SUPPORT, Scene, agent, of_kind, queue

DAY = Outcomes(
    answered=1000, answered_within=860, abandoned=60, abandoned_within=20, abandoned_short=10
)


@pytest.mark.parametrize(
    ("formula", "percent"),
    [
        (Formula.ANSWERED_ONLY, 86.0),
        (Formula.ALL_OFFERED, 81.1),
        (Formula.CREDIT_EARLY_ABANDONS, 83.0),
        (Formula.IGNORE_EARLY_ABANDONS, 82.7),
        (Formula.IGNORE_SHORT_CALLS, 81.9),
    ],
)
def test_one_day_gives_five_service_levels(formula: Formula, percent: float) -> None:
    level = service_level(DAY, formula)
    assert level is not None
    assert 100 * level == pytest.approx(percent, abs=0.05)


def test_the_usual_one_leaves_early_abandons_out() -> None:
    assert service_level(DAY) == 860 / (1000 + 40)


def test_before_anything_happened_there_is_none() -> None:
    nothing = Outcomes(
        answered=0, answered_within=0, abandoned=0, abandoned_within=0, abandoned_short=0
    )
    assert service_level(nothing) is None


@pytest.fixture
def scene() -> Scene:
    scene = Scene([agent(ANN), agent(BOB, SALES, SUPPORT)])
    scene.desk(ANN)
    return scene


def test_a_queue_counts_what_became_of_its_contacts(scene: Scene) -> None:
    talk = scene.talks()
    for waited_s in (3.0, 12.0, 30.0):
        contact = scene.call()
        scene.advance(waited_s)
        scene.hangs_up(contact)
    late = scene.call()
    overflow = scene.call()
    scene.hangs_up(overflow, "overflow")
    scene.advance(25.0)
    scene.ends(talk)
    scene.advance(5.0)
    scene.answers(late)
    figures = scene.acd.queue(SALES, scene.now)
    assert (figures.entered, figures.answered, figures.answered_within) == (6, 2, 1)
    assert (figures.abandoned, figures.abandoned_within) == (3, 2)
    assert figures.service_level == 1 / (2 + 1)
    assert figures.average_wait_s == 15.0
    assert figures.average_talk_s == 70.0
    assert (figures.waiting, figures.offered, figures.talking) == (0, 0, 1)
    day = scene.acd.day(SALES)
    assert day.abandoned_short == 1
    assert day.left == {"abandoned": 3, "overflow": 1}


def test_the_longest_wait_is_of_the_oldest_not_of_the_first_in_line(scene: Scene) -> None:
    scene.not_ready(ANN)
    scene.call()
    scene.advance(10.0)
    scene.call(priority=5)
    assert scene.acd.queue(SALES, 15.0).longest_wait_s == 15.0


def test_an_agent_counts_for_each_of_its_queues(scene: Scene) -> None:
    scene.phone(BOB)
    sales, support = scene.acd.queues(scene.now)
    assert (sales.agents_signed_on, sales.agents_available) == (2, 2)
    assert (support.agents_signed_on, support.agents_available) == (1, 1)


def test_a_turn_reports_a_queue_once_and_only_when_a_figure_changed(scene: Scene) -> None:
    def reports() -> list[QueueChanged]:
        found = of_kind(scene.events, QueueChanged)
        scene.events.clear()
        return found

    reports()
    contact = scene.call()
    (changed,) = reports()
    assert (changed.entered, changed.offered, changed.waiting) == (1, 1, 0)
    scene.rings(contact)
    scene.tell(OfferRinging(contact=contact, agent=ANN))
    scene.tell(SignOn(agent=ANN, by=SignedOnBy.DESK))
    scene.advance(4.0)
    assert reports() == []
    scene.answers(contact)
    (changed,) = reports()
    assert (changed.answered, changed.talking) == (1, 1)


def test_what_changes_no_figure_is_not_reported(scene: Scene) -> None:
    scene.not_ready(ANN)
    scene.events.clear()
    scene.tell(Engaged(agent=ANN, count=1))
    assert scene.state(ANN) is AgentState.ENGAGED
    assert of_kind(scene.events, QueueChanged) == []


def test_an_agent_learns_its_figures_after_each_contact(scene: Scene) -> None:
    contact = scene.talks()
    scene.advance(60.0)
    scene.ends(contact)
    scene.advance(15.0)
    first, second = of_kind(scene.events, AgentFigures)
    assert (first.answered, first.talk_s, first.wrap_up_s) == (1, 60.0, 0.0)
    assert (second.wrap_up_s, second.at) == (5.0, 65.0)
    figures = scene.acd.agent_figures(ANN, scene.now)
    assert figures.occupancy == 65.0 / 75.0
    assert figures.signed_on_s == 75.0
    scene.fails(scene.call(), OfferFailure.REJECTED)
    assert of_kind(scene.events, AgentFigures)[-1].missed == 1


def test_midnight_begins_the_day_anew_and_nobody_is_cut_off(scene: Scene) -> None:
    contact = scene.talks()
    waiting = scene.call()
    scene.advance(100.0)
    assert scene.acd.new_day(scene.now) == []
    assert {event.queue for event in of_kind(scene.acd.take_events(), QueueChanged)} >= {SALES}
    figures = scene.acd.queue(SALES, scene.now)
    assert (figures.entered, figures.answered, figures.service_level) == (0, 0, None)
    assert (figures.waiting, figures.talking) == (1, 1)
    scene.advance(20.0)
    scene.ends(contact)
    own = scene.acd.agent_figures(ANN, scene.now)
    assert (own.answered, own.talk_s, own.signed_on_s) == (0, 20.0, 20.0)
    scene.advance(5.0)
    scene.answers(waiting)
    assert scene.acd.queue(SALES, scene.now).answered == 1


def test_the_figures_of_a_day_come_out_of_its_events_alone(scene: Scene) -> None:
    replay = Metrics(
        [agent(ANN), agent(BOB, SALES, SUPPORT)],
        [queue(SALES), queue(SUPPORT)],
        AcdSettings(),
        0.0,
    )
    scene.phone(BOB)
    for name, failure in ((SALES, OfferFailure.BUSY), (SUPPORT, OfferFailure.NO_ANSWER)):
        contact = scene.call(name)
        scene.advance(2.0)
        scene.fails(contact, failure)
        scene.hangs_up(contact)
        scene.desk(ANN, BOB)
    for event in scene.events:
        replay.fold(event)
    for name in (SALES, SUPPORT):
        assert replay.queues[name].figures(9.0, None).entered == 1
        assert replay.queues[name].day == scene.acd.day(name)
    for who in (ANN, BOB):
        assert replay.agents[who].figures(9.0) == scene.acd.agent_figures(who, 9.0)


def test_inventing_reasons_does_not_fill_the_memory(scene: Scene) -> None:
    for number in range(100):
        scene.not_ready(ANN, f"reason {number}")
        scene.advance(1.0)
    booked = scene.acd.agent_figures(ANN, scene.now).not_ready_s
    assert len(booked) == 33
    assert booked[OTHER_REASON] == 68.0
    assert scene.state(ANN) is AgentState.NOT_READY
