from __future__ import annotations

import pytest

from acd.actions import CancelOffer
from acd.errors import BadReasonError, NotSignedOnError, UnknownAgentError
from acd.inputs import Engaged, PhoneReachability, SignOn
from acd.model import AgentId, AgentState, OfferFailure, SignedOnBy
from tests.acd.scene import ANN, BOB, SALES, Scene, agent, of_kind


@pytest.fixture
def scene() -> Scene:
    return Scene([agent(ANN), agent(BOB)])


def test_a_phone_without_a_desk_makes_its_agent_available(scene: Scene) -> None:
    scene.tell(SignOn(agent=ANN, by=SignedOnBy.PHONE))
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_a_desk_signs_on_not_ready_until_it_says_ready(scene: Scene) -> None:
    scene.tell(PhoneReachability(agent=ANN, reachable=True))
    scene.tell(SignOn(agent=ANN, by=SignedOnBy.DESK))
    assert (scene.state(ANN), scene.reason(ANN)) == (AgentState.NOT_READY, "signed-on")
    scene.ready(ANN)
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_a_desk_may_sign_on_ready(scene: Scene) -> None:
    scene.desk(ANN)
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_a_desk_of_an_available_phone_leaves_it_available(scene: Scene) -> None:
    scene.phone(ANN)
    scene.tell(SignOn(agent=ANN, by=SignedOnBy.DESK))
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert scene.acd.agent(ANN).desk_connected


def test_a_phone_that_registers_after_the_desk_does_not_make_it_ready(scene: Scene) -> None:
    scene.tell(SignOn(agent=ANN, by=SignedOnBy.DESK))
    scene.phone(ANN)
    assert (scene.state(ANN), scene.reason(ANN)) == (AgentState.NOT_READY, "signed-on")


def test_a_desk_that_connects_again_changes_nothing(scene: Scene) -> None:
    scene.desk(ANN)
    scene.not_ready(ANN, "lunch")
    scene.tell(SignOn(agent=ANN, by=SignedOnBy.DESK))
    assert scene.reason(ANN) == "lunch"


def test_a_phone_that_goes_signs_off_an_agent_without_a_desk(scene: Scene) -> None:
    scene.phone(ANN)
    scene.phone_gone(ANN)
    assert scene.state(ANN) is AgentState.LOGGED_OUT


def test_a_phone_that_goes_makes_an_agent_with_a_desk_unreachable_until_it_is_back(
    scene: Scene,
) -> None:
    scene.desk(ANN)
    scene.phone(ANN)
    scene.phone_gone(ANN)
    assert (scene.state(ANN), scene.reason(ANN)) == (AgentState.NOT_READY, "phone-unreachable")
    scene.phone(ANN)
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_the_reason_of_the_agent_outlives_an_unreachable_phone(scene: Scene) -> None:
    scene.phone(ANN)
    scene.not_ready(ANN, "lunch")
    scene.tell(PhoneReachability(agent=ANN, reachable=False))
    scene.tell(PhoneReachability(agent=ANN, reachable=True))
    assert (scene.state(ANN), scene.reason(ANN)) == (AgentState.NOT_READY, "lunch")


def test_who_signs_off_at_the_desk_stays_off_while_the_phone_stays_registered(
    scene: Scene,
) -> None:
    scene.phone(ANN)
    scene.desk(ANN)
    scene.desk_off(ANN)
    assert scene.state(ANN) is AgentState.LOGGED_OUT
    scene.phone(ANN)  # refreshes its registration
    assert scene.state(ANN) is AgentState.LOGGED_OUT
    scene.phone_gone(ANN)
    scene.phone(ANN)
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_a_sign_off_while_talking_waits_for_the_end(scene: Scene) -> None:
    scene.desk(ANN)
    contact = scene.talks()
    scene.desk_off(ANN)
    assert scene.state(ANN) is AgentState.TALKING
    assert scene.acd.agent(ANN).next_state is AgentState.LOGGED_OUT
    scene.ends(contact)
    assert scene.state(ANN) is AgentState.LOGGED_OUT


def test_signing_on_again_while_talking_takes_the_sign_off_back(scene: Scene) -> None:
    scene.desk(ANN)
    contact = scene.talks()
    scene.desk_off(ANN)
    scene.tell(SignOn(agent=ANN, by=SignedOnBy.DESK))
    scene.ends(contact)
    scene.advance(5.0)
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_a_sign_off_while_ringing_gives_the_caller_to_somebody_else(scene: Scene) -> None:
    scene.desk(ANN)
    scene.advance(1.0)
    scene.desk(BOB)
    contact = scene.call()
    scene.rings(contact)
    actions = scene.desk_off(ANN)
    assert of_kind(actions, CancelOffer)[0].agent == ANN
    assert scene.state(ANN) is AgentState.LOGGED_OUT
    assert scene.offered_to(contact) == BOB


def test_a_phone_that_goes_while_it_rings_waits_for_the_leg(scene: Scene) -> None:
    scene.phone(ANN)
    contact = scene.call()
    scene.rings(contact)
    scene.phone_gone(ANN)
    assert scene.state(ANN) is AgentState.RINGING
    scene.fails(contact, OfferFailure.UNREACHABLE)
    assert scene.state(ANN) is AgentState.LOGGED_OUT
    assert scene.acd.waiting(SALES) == (contact,)


def test_a_call_of_its_own_engages_an_agent_and_gives_its_state_back(scene: Scene) -> None:
    scene.phone(ANN, BOB)
    scene.not_ready(BOB, "lunch")
    for name in (ANN, BOB):
        scene.tell(Engaged(agent=name, count=1))
        assert scene.state(name) is AgentState.ENGAGED
    contact = scene.call()
    assert scene.offered_to(contact) is None
    scene.hangs_up(contact)
    for name in (ANN, BOB):
        scene.tell(Engaged(agent=name, count=2))
        scene.tell(Engaged(agent=name, count=0))
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert (scene.state(BOB), scene.reason(BOB)) == (AgentState.NOT_READY, "lunch")


def test_a_call_of_a_phone_that_is_signed_off_engages_nobody(scene: Scene) -> None:
    scene.phone(ANN)
    scene.desk_off(ANN)
    scene.tell(Engaged(agent=ANN, count=1))
    assert scene.state(ANN) is AgentState.LOGGED_OUT


def test_a_consultation_while_talking_leaves_the_agent_talking(scene: Scene) -> None:
    scene.phone(ANN)
    contact = scene.talks()
    scene.tell(Engaged(agent=ANN, count=1))
    assert scene.state(ANN) is AgentState.TALKING
    scene.ends(contact)
    assert scene.state(ANN) is AgentState.ENGAGED


def test_not_ready_while_talking_takes_effect_after_wrap_up(scene: Scene) -> None:
    scene.desk(ANN)
    contact = scene.talks()
    scene.not_ready(ANN, "lunch")
    assert scene.state(ANN) is AgentState.TALKING
    assert scene.acd.agent(ANN).next_state is AgentState.NOT_READY
    scene.ends(contact)
    assert scene.state(ANN) is AgentState.WRAP_UP
    scene.advance(5.0)
    assert (scene.state(ANN), scene.reason(ANN)) == (AgentState.NOT_READY, "lunch")


def test_news_of_what_comes_next_does_not_restart_the_clock_of_the_state(scene: Scene) -> None:
    scene.desk(ANN)
    scene.talks()
    scene.advance(30.0)
    scene.not_ready(ANN)
    assert scene.acd.agent(ANN).since == 0.0


def test_a_new_reason_begins_a_new_interval(scene: Scene) -> None:
    scene.desk(ANN)
    scene.not_ready(ANN, "lunch")
    scene.advance(60.0)
    scene.not_ready(ANN, "training")
    scene.advance(30.0)
    assert scene.acd.agent(ANN).since == 60.0
    figures = scene.acd.agent_figures(ANN, scene.now)
    assert figures.not_ready_s == {"lunch": 60.0, "training": 30.0}


def test_commands_that_make_no_sense_are_refused_and_change_nothing(scene: Scene) -> None:
    with pytest.raises(UnknownAgentError) as caught:
        scene.ready(AgentId("9999"))
    assert (caught.value.error_id, caught.value.details) == ("unknown-agent", {"agent": "9999"})
    with pytest.raises(NotSignedOnError):
        scene.ready(ANN)
    scene.phone(ANN)
    for reason in ("", "x" * 65):
        with pytest.raises(BadReasonError):
            scene.not_ready(ANN, reason)
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_a_static_agent_is_signed_on_from_the_start_and_stays_so() -> None:
    scene = Scene([agent(ANN, static=True)])
    assert scene.state(ANN) is AgentState.AVAILABLE
    scene.phone_gone(ANN)
    scene.desk_off(ANN)
    assert scene.state(ANN) is AgentState.AVAILABLE
