"""An agent dials: its own phone rings first, then the number."""

from __future__ import annotations

import pytest

from acd.contact_events import ContactResult
from acd.model import AgentState
from switch.calls.causes import EndCause, Result
from tests.acd.call_centre import QUEUE, CallCentre
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY

NUMBER = "+12025550102"


@pytest.fixture
def centre() -> CallCentre:
    centre = CallCentre()
    centre.phones(ANN)
    return centre


def dial(centre: CallCentre, number: str = NUMBER) -> Leg:
    """Ann's own leg of a call that she began."""
    assert centre.agent_dial.dial(ANN, number) is None
    centre.settle()
    return centre.switch.phone_leg(ANN)


def called(centre: CallCentre, own: Leg) -> Leg:
    """The leg to the number, once Ann picked up."""
    centre.switch.confirm(own)
    centre.settle()
    return list(centre.switch.legs.values())[-1]


def test_the_number_is_called_when_the_agent_picked_up(centre: CallCentre) -> None:
    own = dial(centre)
    assert ("call", NUMBER) not in centre.switch.log
    assert centre.state(ANN) is AgentState.ENGAGED
    other = called(centre, own)
    assert own.players, "the agent hears ringback"
    centre.switch.confirm(other)
    centre.settle()
    assert centre.switch.are_bridged(own.id, other.id)
    centre.advance(3.0)
    centre.switch.end(other)
    centre.settle()
    assert centre.finished().result is ContactResult.DIRECT
    assert centre.finished().talked_s == 3.0
    assert not centre.switch.legs
    assert centre.state(ANN) is AgentState.AVAILABLE


@pytest.mark.parametrize(
    ("cause", "result"),
    [
        (EndCause(Result.BUSY, "busy", 486), ContactResult.BUSY),
        (EndCause(Result.REJECTED, "declined", 603), ContactResult.REJECTED),
        (EndCause(Result.UNREACHABLE, "unknown-number", 404), ContactResult.UNREACHABLE),
        (EndCause(Result.NO_ANSWER, "unavailable", 480), ContactResult.NO_ANSWER),
        (EndCause(Result.FAILED, "refused-by-peer", 500), ContactResult.FAILED),
        (None, ContactResult.NO_ANSWER),
    ],
)
def test_a_number_that_does_not_answer_ends_the_call_and_says_why(
    centre: CallCentre, cause: EndCause | None, result: ContactResult
) -> None:
    other = called(centre, dial(centre))
    if cause is not None:
        centre.switch.end(other, cause)
        centre.settle()
    else:
        centre.advance(60.0)
    assert centre.finished().result is result
    assert centre.finished().reason == (cause.reason if cause is not None else "ring-timeout")
    assert not centre.switch.legs


def test_an_agent_who_does_not_pick_up_calls_nobody(centre: CallCentre) -> None:
    dial(centre)
    centre.advance(20.0)
    assert ("call", NUMBER) not in centre.switch.log
    assert centre.finished().result is ContactResult.CANCELLED
    assert centre.finished().reason == "own-phone-no-answer"
    assert centre.state(ANN) is AgentState.AVAILABLE


def test_an_agent_who_hangs_up_while_the_number_rings_takes_it_along(centre: CallCentre) -> None:
    own = dial(centre)
    called(centre, own)
    centre.switch.end(own, EndCause(Result.COMPLETED, "callee-hung-up"))
    centre.settle()
    assert centre.finished().reason == "agent-hung-up"
    assert centre.finished().result is ContactResult.CANCELLED
    assert not centre.switch.legs


def test_an_agent_calls_another_who_is_engaged_meanwhile(centre: CallCentre) -> None:
    centre.phones(BOB)
    other = called(centre, dial(centre, BOB))
    assert centre.state(BOB) is AgentState.ENGAGED
    centre.switch.confirm(other)
    centre.settle()
    centre.switch.press_hold(centre.switch.phone_leg(ANN))
    centre.settle()
    centre.advance(2.0)
    centre.switch.end(other)
    centre.settle()
    assert centre.finished().held_s == 2.0
    assert centre.state(BOB) is AgentState.AVAILABLE


def test_an_agent_whose_phone_sends_a_call_on_is_not_the_one_engaged(centre: CallCentre) -> None:
    centre.phones(BOB, CY)
    other = called(centre, dial(centre, BOB))
    centre.switch.send_on(other, CY)
    assert centre.state(BOB) is AgentState.AVAILABLE
    assert centre.state(CY) is AgentState.ENGAGED
    centre.switch.confirm(other)
    centre.settle()
    centre.switch.end(other)
    centre.settle()
    assert centre.state(CY) is AgentState.AVAILABLE


def test_the_agent_hears_what_the_far_end_sends_in_place_of_our_ringback(
    centre: CallCentre,
) -> None:
    own = dial(centre)
    other = called(centre, own)
    centre.switch.sounds(other)
    assert not own.players
    assert f"hear-early {other.id}" in centre.switch.verbs(own.id)
    centre.switch.confirm(other)
    centre.settle()
    assert centre.switch.are_bridged(own.id, other.id)


def test_a_customer_in_a_queue_hears_nothing_that_an_agents_phone_sends(
    centre: CallCentre,
) -> None:
    centre.call(QUEUE)
    centre.switch.sounds(centre.switch.phone_leg(ANN))
    assert not [verb for verb, _ in centre.switch.log if verb.startswith("hear-early")]


def test_what_cannot_be_dialled_is_said_in_words(centre: CallCentre) -> None:
    assert centre.agent_dial.dial(ANN, "777") == "Nobody has that number"
    assert centre.agent_dial.dial(BOB, NUMBER) == "Your phone is not registered"
    assert centre.agent_dial.dial(ANN, ANN) == "That is your own number"
    dial(centre)
    assert centre.agent_dial.dial(ANN, NUMBER) == "Finish the call you are on first"
    assert len(centre.contacts) == 1


def test_nobody_dials_while_a_contact_is_offered(centre: CallCentre) -> None:
    centre.call(QUEUE)
    assert centre.agent_dial.dial(ANN, NUMBER) == "Finish the call you are on first"
