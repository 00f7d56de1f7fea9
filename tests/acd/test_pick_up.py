"""Somebody picks up what rings at another one's phone."""

from __future__ import annotations

import pytest

from acd.contact import Stage
from acd.contact_events import ContactResult
from acd.dialled_codes import PARK, PICK_UP
from acd.errors import CannotReachError, NotNowError
from acd.events import ContactAnswered, OfferEnded
from acd.inputs import SetNotReady
from acd.model import AgentState
from acd.pick_up import Whose
from switch.calls.causes import EndCause, Result
from switch.ids import LegId
from tests.acd.call_centre import CallCentre
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY
from tests.acd.test_consultations import Talk

REFUSED = EndCause(Result.REJECTED, "declined", 603)


class Ringing:
    """A customer for whom Ann's phone rings; Bob serves the same queue, Cy another."""

    def __init__(self, *, pick_up: Whose = "all") -> None:
        self.centre = CallCentre(pick_up=pick_up)
        self.switch = self.centre.switch
        self.centre.phones(ANN)
        self.centre.desk(ANN)
        self.customer = self.centre.call()
        self.ann = self.switch.phone_leg(ANN)
        self.switch.ringing(self.ann)
        self.centre.phones(BOB, CY)
        self.centre.desk(BOB)
        self.centre.desk(CY)


@pytest.fixture
def scene() -> Ringing:
    return Ringing()


@pytest.mark.parametrize("number", ["*8", f"*8{ANN}"])
def test_who_dials_the_code_has_the_call(scene: Ringing, number: str) -> None:
    bob = scene.switch.dials(BOB, PICK_UP, number)
    assert scene.switch.are_bridged(scene.customer.id, bob.id)
    assert scene.ann.id not in scene.switch.legs
    assert scene.centre.state(BOB) is AgentState.TALKING
    assert scene.centre.state(ANN) is AgentState.AVAILABLE, "she has missed nothing"
    assert scene.centre.told(OfferEnded)[-1].failure == "withdrawn"
    assert scene.centre.told(ContactAnswered)[-1].agent == BOB
    scene.switch.end(scene.customer)
    assert not scene.switch.legs
    assert scene.centre.finished().result is ContactResult.ANSWERED


def test_at_a_desk_it_rings_there_instead(scene: Ringing) -> None:
    scene.centre.pick_ups.ask(BOB, ANN)
    scene.centre.settle()
    bob = scene.switch.phone_leg(BOB)
    assert scene.ann.id not in scene.switch.legs
    scene.switch.confirm(bob)
    assert scene.switch.are_bridged(scene.customer.id, bob.id)


@pytest.mark.parametrize("at_once", [True, False])
def test_the_phone_of_who_asks_at_a_desk_is_asked_to_answer_by_itself(
    scene: Ringing, at_once: bool
) -> None:
    scene.centre.pick_ups.ask(BOB, ANN, at_once=at_once)
    scene.centre.settle()
    bob = scene.switch.phone_leg(BOB)
    assert ("Call-Info" in scene.switch.headers[bob.id]) is at_once
    scene.switch.end(bob, REFUSED)
    scene.centre.settle()
    again = scene.switch.phone_leg(ANN)
    assert "Call-Info" not in scene.switch.headers[again.id], "she has not asked for it"


def test_who_picks_up_and_does_not_answer_has_missed_it_and_it_rings_on(scene: Ringing) -> None:
    scene.centre.pick_ups.ask(BOB, "")
    scene.centre.settle()
    scene.switch.end(scene.switch.phone_leg(BOB), REFUSED)
    assert scene.centre.state(BOB) is AgentState.NOT_READY
    contact = scene.centre.contact(scene.customer)
    assert (contact.stage, contact.agent) == (Stage.OFFERED, ANN)


def test_an_agent_who_is_not_ready_may_pick_up_and_is_not_ready_again(scene: Ringing) -> None:
    scene.centre.distribution.tell(SetNotReady(agent=BOB, reason="lunch"))
    bob = scene.switch.dials(BOB, PICK_UP, "*8")
    assert scene.switch.are_bridged(scene.customer.id, bob.id)
    scene.switch.end(scene.customer)
    scene.centre.advance(60.0)
    assert scene.centre.state(BOB) is AgentState.NOT_READY


@pytest.mark.parametrize("number", ["*8", f"*8{ANN}", f"*8{CY}"])
def test_offers_are_for_agents_of_the_queue(scene: Ringing, number: str) -> None:
    leg = scene.switch.dials(CY, PICK_UP, number)
    assert "reject 480" in scene.switch.verbs(leg.id)
    assert scene.ann.id in scene.switch.legs
    with pytest.raises((NotNowError, CannotReachError)):
        scene.centre.pick_ups.ask(CY, ANN)


def test_nothing_rings_nothing_happens(scene: Ringing) -> None:
    scene.switch.confirm(scene.ann)
    leg = scene.switch.dials(BOB, PICK_UP, "*8")
    assert "reject 480" in scene.switch.verbs(leg.id)
    assert scene.switch.are_bridged(scene.customer.id, scene.ann.id)


def test_what_is_called_back_can_be_picked_up() -> None:
    talk = Talk()
    contact = talk.contact
    talk.centre.parking.park(contact)
    talk.centre.settle()
    talk.centre.advance(61.0)
    bob = talk.switch.dials(BOB, PICK_UP, f"*8{ANN}")
    assert talk.together(talk.customer, bob)


def test_a_place_behind_the_code_is_fetched() -> None:
    talk = Talk()
    talk.centre.parking.park(talk.contact)
    talk.centre.settle()
    bob = talk.switch.dials(BOB, PICK_UP, "*8701")
    assert talk.together(talk.customer, bob)


# --- direct calls ---------------------------------------------------------------------------------


def direct(scene: Ringing, to: str = CY) -> tuple[Leg, Leg]:
    """Phone 1008 calls Cy, or somebody else."""
    switch = scene.switch
    caller = Leg(LegId("leg-x"), switch.newest_call(), "1008", False)
    callee = Leg(LegId("leg-y"), caller.call, to, True)
    for leg in (caller, callee):
        switch.legs[leg.id] = leg
    switch.direct[callee.id] = caller.id
    return caller, callee


def test_a_direct_call_is_picked_up_by_the_code(scene: Ringing) -> None:
    caller, callee = direct(scene)
    bob = scene.switch.dials(BOB, PICK_UP, f"*8{CY}")
    assert scene.switch.direct == {bob.id: caller.id}
    assert callee.id not in scene.switch.legs


def test_a_direct_call_is_picked_up_at_a_desk_unless_somebody_is_faster(scene: Ringing) -> None:
    caller, callee = direct(scene)
    scene.centre.pick_ups.ask(BOB, CY)
    scene.centre.settle()
    bob = scene.switch.phone_leg(BOB)
    scene.switch.confirm(bob)
    assert scene.switch.direct == {bob.id: caller.id}
    scene.switch.end(bob)
    scene.switch.direct[callee.id] = caller.id
    scene.switch.legs[callee.id] = callee
    scene.centre.pick_ups.ask(BOB, CY)
    scene.centre.settle()
    bob = scene.switch.phone_leg(BOB)
    scene.switch.confirm(callee)
    assert bob.id not in scene.switch.legs


# --- named by Replaces ----------------------------------------------------------------------------


def test_an_offer_that_is_named_is_booked_to_who_picks_it_up(scene: Ringing) -> None:
    bob = scene.switch.names(BOB, scene.ann)
    assert scene.switch.are_bridged(scene.customer.id, bob.id)
    assert scene.ann.id not in scene.switch.legs
    assert scene.centre.state(BOB) is AgentState.TALKING
    assert scene.centre.state(ANN) is AgentState.AVAILABLE, "she has missed nothing"
    assert scene.centre.told(OfferEnded)[-1].failure == "withdrawn"
    assert scene.centre.told(ContactAnswered)[-1].agent == BOB
    scene.switch.end(scene.customer)
    assert not scene.switch.legs
    assert scene.centre.finished().result is ContactResult.ANSWERED
    assert scene.centre.pick_ups.counted == {"offer": 1}


@pytest.mark.parametrize("phone", [CY, ANN, "1009"])
def test_an_offer_that_is_named_is_for_other_agents_of_its_queue(
    scene: Ringing, phone: str
) -> None:
    leg = scene.switch.names(phone, scene.ann)
    assert scene.switch.verbs(leg.id) == ["reject 403"]
    assert scene.switch.refused[-1][2] == "You may not pick up that call"
    assert scene.centre.pick_ups.counted == {}
    scene.switch.confirm(scene.ann)
    assert scene.switch.are_bridged(scene.customer.id, scene.ann.id)


@pytest.mark.parametrize(
    ("pick_up", "phone", "is_had"),
    [
        ("all", "1009", True),
        ("queue", BOB, False),
        ("queue", "1009", False),
        ("nobody", BOB, False),
        ("nobody", CY, True),
    ],
)
def test_a_direct_call_that_is_named_is_for_whom_the_configuration_says(
    pick_up: Whose, phone: str, is_had: bool
) -> None:
    """Another device of the number that rings has it in any case."""
    scene = Ringing(pick_up=pick_up)
    caller, callee = direct(scene)
    leg = scene.switch.names(phone, callee)
    assert scene.switch.direct == {leg.id if is_had else callee.id: caller.id}
    assert ("reject 403" in scene.switch.verbs(leg.id)) is not is_had


def test_colleagues_of_a_queue_name_what_rings_at_one_of_them() -> None:
    scene = Ringing(pick_up="queue")
    caller, callee = direct(scene, ANN)
    bob = scene.switch.names(BOB, callee)
    assert scene.switch.direct == {bob.id: caller.id}


def test_what_is_called_back_can_be_named() -> None:
    talk = Talk()
    talk.centre.parking.park(talk.contact)
    talk.centre.settle()
    talk.centre.advance(61.0)
    bob = talk.switch.names(BOB, talk.switch.phone_leg(ANN))
    assert talk.together(talk.customer, bob)


def test_who_is_asked_in_a_consultation_is_nobody_elses() -> None:
    talk = Talk()
    cy = talk.consult(CY)
    bob = talk.switch.names(BOB, cy)
    assert "reject 403" in talk.switch.verbs(bob.id)
    talk.switch.confirm(cy)
    assert talk.together(talk.ann, cy)


def test_what_rings_outside_is_not_picked_up(scene: Ringing) -> None:
    caller, callee = direct(scene)
    callee.phone = None
    leg = scene.switch.names(BOB, callee)
    assert "reject 403" in scene.switch.verbs(leg.id)
    assert scene.switch.direct == {callee.id: caller.id}


def test_park_and_pick_up_do_not_meet(scene: Ringing) -> None:
    assert scene.switch.refuses(PICK_UP, f"*8{ANN}", scene.customer.id) == 403
    assert scene.switch.refuses(PARK, "701", scene.customer.id) == 403, "it only waits"
