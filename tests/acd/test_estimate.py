"""What the caller is told of its wait."""

from __future__ import annotations

import pytest

from acd.actions import Announce
from acd.estimate import WaitHistory, expected_wait_s
from acd.model import OfferFailure
from acd.settings import AcdSettings
from tests.acd.scene import ANN, BOB, SALES, Scene, agent, of_kind, queue


@pytest.mark.parametrize(("ahead", "wait_s"), [(0, 18.0), (3, 59.9), (9, 115.5)])
def test_ten_agents_three_minutes_a_call_two_minutes_of_patience(ahead: int, wait_s: float) -> None:
    told = expected_wait_s(ahead, serving=10, handle_s=180.0, patience_s=120.0)
    assert told == pytest.approx(wait_s, abs=0.05)


def history_of(talk_s: float, count: int = 3) -> WaitHistory:
    history = WaitHistory(AcdSettings())
    for _ in range(count):
        history.answered(0.0)
        history.talk_ended(talk_s)
        history.wrapped_up(0.0)
    return history


def test_nothing_is_told_without_agents_or_before_three_conversations() -> None:
    assert history_of(60.0, 2).estimate_s(0, serving=5, waited_s=0.0, now=0.0) is None
    assert history_of(60.0).estimate_s(0, serving=0, waited_s=0.0, now=0.0) is None
    assert history_of(60.0).estimate_s(0, serving=2, waited_s=0.0, now=0.0) == 30.0


def test_patience_is_a_guess_until_callers_have_shown_theirs() -> None:
    history = WaitHistory(AcdSettings(patience_s=120.0, patience_weight=3.0))
    assert history.patience_s == 120.0
    for _ in range(97):
        history.gave_up(20.0)
    assert history.patience_s == pytest.approx((360 + 97 * 20) / 100)


def test_waits_of_those_who_stayed_show_patience_too() -> None:
    history = WaitHistory(AcdSettings())
    for _ in range(10):
        history.gave_up(30.0)
        history.answered(300.0)
    assert history.patience_s > 250.0


def test_the_handle_time_follows_a_change_within_a_hundred_contacts_or_so() -> None:
    history = history_of(60.0, 1000)
    for _ in range(300):
        history.talk_ended(120.0)
        history.wrapped_up(10.0)
    assert history.handle_s == pytest.approx(130.0, rel=0.05)


def test_when_staffing_just_changed_the_latest_wait_is_believed_if_longer() -> None:
    history = history_of(60.0)
    history.answered(200.0)
    history.staffing_at = 1000.0
    assert history.estimate_s(0, serving=2, waited_s=50.0, now=1010.0) == 150.0
    assert history.estimate_s(0, serving=2, waited_s=50.0, now=1061.0) == 30.0


def told(scene: Scene) -> list[tuple[str, int, float | None]]:
    return [(a.contact, a.position, a.wait_s) for a in of_kind(scene.actions, Announce)]


def test_position_and_wait_are_told_first_after_ten_seconds_and_then_every_thirty() -> None:
    scene = Scene([agent(ANN)])
    first = scene.call()
    scene.advance(5.0)
    second = scene.call()
    scene.advance(9.9)
    assert told(scene) == [(first, 1, None)]
    scene.advance(0.1)
    assert told(scene)[1:] == [(second, 2, None)]
    scene.hangs_up(first)
    scene.advance(30.0)
    assert told(scene)[2:] == [(second, 1, None)]


def test_a_queue_that_announces_never_does_not() -> None:
    scene = Scene([agent(ANN)], [queue(SALES, announce_every_s=0.0)])
    scene.call()
    scene.advance(3600.0)
    assert scene.actions == []
    assert scene.acd.get_timer() is None


def test_nothing_is_told_while_an_agent_is_called_and_at_once_if_it_was_due() -> None:
    scene = Scene([agent(ANN)])
    scene.phone(ANN)
    contact = scene.call()
    scene.rings(contact)
    scene.advance(20.0)
    assert told(scene) == []
    scene.fails(contact, OfferFailure.NO_ANSWER)
    scene.advance(0.0)
    assert told(scene) == [(contact, 1, None)]


def test_the_wait_that_is_told_counts_agents_at_work_and_what_they_took() -> None:
    scene = Scene([agent(ANN, wrap_up_s=20.0), agent(BOB, wrap_up_s=20.0)])
    scene.desk(ANN, BOB)
    for _ in range(3):
        contact = scene.talks()
        scene.advance(100.0)
        scene.ends(contact)
        scene.advance(20.0)
    scene.talks()
    scene.talks()
    scene.advance(130.0)  # past one handle time since both signed on
    waiting = scene.call()
    wait_s = scene.acd.wait_s(waiting, scene.now)
    assert wait_s == pytest.approx(1 / (2 / 120.0))
    scene.not_ready(ANN)  # takes effect later: she still finishes this one
    assert scene.acd.wait_s(waiting, scene.now) == wait_s
