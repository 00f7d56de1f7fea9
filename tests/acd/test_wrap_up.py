"""Wrap-up belongs to the agent and lasts exactly as long as it says."""

from __future__ import annotations

import pytest

from acd.inputs import Engaged, ExtendWrapUp, FinishWrapUp
from acd.model import AgentState
from tests.acd.scene import ANN, SALES, SUPPORT, Scene, agent


@pytest.fixture
def scene() -> Scene:
    scene = Scene([agent(ANN, SALES, SUPPORT, wrap_up_s=7.5)])
    scene.desk(ANN)
    return scene


def test_wrap_up_ends_at_its_moment_and_not_before(scene: Scene) -> None:
    contact = scene.talks()
    scene.advance(60.0)
    scene.ends(contact)
    status = scene.acd.agent(ANN)
    assert (status.state, status.until, status.contact) == (AgentState.WRAP_UP, 67.5, contact)
    assert scene.acd.get_timer() == 67.5
    assert scene.acd.handle_timer(67.499) == []
    assert scene.state(ANN) is AgentState.WRAP_UP
    scene.advance(7.5)
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert scene.acd.agent_figures(ANN, scene.now).wrap_up_s == 7.5


def test_nobody_is_offered_during_wrap_up_from_any_queue(scene: Scene) -> None:
    scene.ends(scene.talks(SALES))
    contact = scene.call(SUPPORT)
    scene.advance(7.4)
    assert scene.offered_to(contact) is None
    scene.advance(0.1)
    assert scene.offered_to(contact) == ANN


def test_the_agent_may_finish_sooner(scene: Scene) -> None:
    scene.ends(scene.talks())
    scene.advance(2.0)
    scene.tell(FinishWrapUp(agent=ANN))
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert scene.acd.get_timer() is None


def test_an_extended_wrap_up_lasts_until_it_is_finished(scene: Scene) -> None:
    scene.ends(scene.talks())
    scene.advance(5.0)
    scene.tell(ExtendWrapUp(agent=ANN))
    assert scene.acd.agent(ANN).until is None
    scene.advance(3600.0)
    assert scene.state(ANN) is AgentState.WRAP_UP
    scene.tell(FinishWrapUp(agent=ANN))
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert scene.acd.agent_figures(ANN, scene.now).wrap_up_s == 3605.0


def test_keys_pressed_after_it_ended_do_nothing(scene: Scene) -> None:
    for key in (FinishWrapUp(agent=ANN), ExtendWrapUp(agent=ANN)):
        scene.tell(key)
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_ready_during_wrap_up_does_not_cut_it_short(scene: Scene) -> None:
    scene.ends(scene.talks())
    scene.not_ready(ANN)
    scene.ready(ANN)
    scene.advance(7.4)
    assert scene.state(ANN) is AgentState.WRAP_UP


def test_a_call_of_the_agent_during_wrap_up_does_not_stretch_it(scene: Scene) -> None:
    scene.ends(scene.talks())
    scene.tell(Engaged(agent=ANN, count=1))
    assert scene.state(ANN) is AgentState.WRAP_UP
    scene.advance(7.5)
    assert scene.state(ANN) is AgentState.ENGAGED


def test_a_desk_that_signs_off_ends_its_wrap_up(scene: Scene) -> None:
    scene.ends(scene.talks())
    scene.desk_off(ANN)
    assert scene.state(ANN) is AgentState.LOGGED_OUT
    assert scene.acd.get_timer() is None


def test_without_a_desk_there_is_no_wrap_up() -> None:
    scene = Scene([agent(ANN, wrap_up_s=7.5)])
    scene.phone(ANN)
    scene.ends(scene.talks())
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_a_wrap_up_of_nothing_is_skipped() -> None:
    scene = Scene([agent(ANN, wrap_up_s=0.0)])
    scene.desk(ANN)
    scene.ends(scene.talks())
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_a_contact_may_queue_again_while_its_first_agent_still_wraps_up(scene: Scene) -> None:
    contact = scene.talks()
    scene.ends(contact)
    scene.call(SUPPORT, contact=contact)
    assert scene.acd.waiting(SUPPORT) == (contact,)
    scene.advance(7.5)
    assert scene.offered_to(contact) == ANN


def test_a_static_agent_whose_desk_goes_is_not_left_in_an_extended_wrap_up() -> None:
    scene = Scene([agent(ANN, static=True, wrap_up_s=5.0)])
    scene.desk(ANN)
    scene.ends(scene.talks())
    scene.tell(ExtendWrapUp(agent=ANN))
    scene.desk_off(ANN)
    assert scene.state(ANN) is AgentState.AVAILABLE
