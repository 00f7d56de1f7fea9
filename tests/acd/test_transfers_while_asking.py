"""Phones transfer by themselves (REFER) or go on elsewhere (Replaces) while somebody is asked at the desk."""

from __future__ import annotations

import pytest

from acd.consult_state import ConsultState
from acd.contact_events import ContactParty, ContactResult, ContactTransferred
from acd.model import AgentState
from acd.party import PartyState
from switch.calls.causes import EndCause, Result
from switch.calls.roles import Role
from switch.ids import LegId
from tests.acd.call_centre import MENU, QUEUE, RECORDED
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY
from tests.acd.test_consultations import Talk

BUSY = EndCause(Result.BUSY, "busy", 486)
BYE = EndCause(Result.COMPLETED, "callee-hung-up")


class Asking(Talk):
    """Ann talks to Bob, and the customer hears music; all is recorded."""

    def __init__(self) -> None:
        super().__init__(RECORDED)
        self.bob = self.asked(BOB)


@pytest.fixture
def talk() -> Asking:
    return Asking()


def transfer(talk: Talk, who: Leg, whom: Leg, phone: str, *, at_once: bool = True) -> Leg:
    """A phone refers whom it talks to to another phone; not `at_once`: it hangs up before that answers."""
    taker = talk.switch.called_for(whom, phone)
    if at_once:
        talk.switch.confirm(taker)
    talk.switch.replaced(who, whom, taker)
    talk.centre.settle()
    return taker


def gone(talk: Talk) -> None:
    """The customer hangs up, and nobody is left in a call that is over."""
    talk.switch.end(talk.customer)
    talk.centre.settle()
    assert not talk.switch.legs
    assert talk.centre.finished().result is ContactResult.ANSWERED


def recorded(talk: Talk) -> set[str]:
    """Who is in the right channel."""
    recording = talk.contact.recording
    assert recording is not None
    return set(talk.switch.recorded[recording][1])


# --- who is asked ---------------------------------------------------------------------------------


def test_who_is_asked_sends_the_agent_on_and_the_next_is_asked_in_its_place(talk: Asking) -> None:
    cy = transfer(talk, talk.bob, talk.ann, CY)
    assert talk.together(talk.ann, cy)
    assert talk.customer.music
    assert recorded(talk) == {talk.ann.id, cy.id}
    told = [(e.number, e.state) for e in talk.centre.told(ContactParty)][-2:]
    assert told == [(CY, PartyState.CALLING), (CY, PartyState.TALKING)]
    talk.do.toggle(talk.contact)
    talk.centre.settle()
    assert talk.together(talk.customer, talk.ann)
    assert cy.music
    talk.do.complete(talk.contact)
    talk.centre.settle()
    assert talk.together(talk.customer, cy)
    assert talk.centre.state(CY) is AgentState.TALKING
    assert talk.centre.state(BOB) is AgentState.AVAILABLE
    gone(talk)


@pytest.mark.parametrize("restarts", [False, True])
def test_while_the_next_one_rings_it_is_called_as_any_other(talk: Asking, restarts: bool) -> None:
    cy = transfer(talk, talk.bob, talk.ann, CY, at_once=False)
    assert talk.contact.consult is not None
    assert talk.contact.consult.state is ConsultState.CALLING
    if restarts:
        talk.centre.restart()
    talk.switch.confirm(cy)
    talk.centre.settle()
    assert talk.together(talk.ann, cy)
    assert talk.customer.music
    gone(talk)


def test_when_it_does_not_want_the_agent_is_back_with_the_customer(talk: Asking) -> None:
    cy = transfer(talk, talk.bob, talk.ann, CY, at_once=False)
    talk.switch.end(cy, BUSY)
    talk.centre.settle()
    assert talk.together(talk.customer, talk.ann)
    gone(talk)


def test_of_an_agent_who_went_back_meanwhile_nobody_is_called_any_more(talk: Asking) -> None:
    cy = talk.switch.called_for(talk.ann, CY)
    talk.do.toggle(talk.contact)
    talk.switch.settle()
    talk.switch.replaced(talk.bob, talk.ann, cy)
    talk.centre.settle()
    assert cy.id not in talk.switch.legs
    assert talk.together(talk.customer, talk.ann)
    gone(talk)


def test_who_is_asked_goes_on_at_another_phone(talk: Asking) -> None:
    mobile = transfer(talk, talk.bob, talk.ann, BOB)
    assert talk.together(talk.ann, mobile)
    talk.do.join(talk.contact)
    talk.centre.settle()
    assert talk.together(talk.customer, talk.ann, mobile)
    gone(talk)


# --- who asks -------------------------------------------------------------------------------------


def test_the_agent_goes_on_asking_at_another_phone(talk: Asking) -> None:
    mobile = transfer(talk, talk.ann, talk.bob, ANN)
    assert talk.together(mobile, talk.bob)
    assert talk.customer.music
    assert talk.contact.agent_leg == mobile.id
    assert talk.centre.state(ANN) is AgentState.HELD
    assert talk.contact.held_since is not None
    talk.do.cancel(talk.contact)
    talk.centre.settle()
    assert talk.together(talk.customer, mobile)
    assert talk.centre.state(ANN) is AgentState.TALKING
    assert talk.centre.told(ContactTransferred) == []
    gone(talk)


@pytest.mark.parametrize("at_once", [True, False])
def test_whoever_the_asked_one_is_sent_on_to_joins_it_with_the_customer(
    talk: Asking, at_once: bool
) -> None:
    cy = transfer(talk, talk.ann, talk.bob, CY, at_once=at_once)
    assert talk.contact.agent == BOB
    if not at_once:
        assert talk.together(talk.customer, talk.bob)
        talk.switch.confirm(cy)
        talk.centre.settle()
    assert talk.together(talk.customer, talk.bob, cy)
    assert recorded(talk) == {talk.bob.id, cy.id}
    gone(talk)


def test_a_transfer_of_the_customer_lets_go_of_who_was_asked(talk: Asking) -> None:
    talk.do.toggle(talk.contact)
    cy = transfer(talk, talk.ann, talk.customer, CY)
    assert talk.together(talk.customer, cy)
    assert talk.bob.id not in talk.switch.legs
    assert (BOB, PartyState.LEFT) in [(e.number, e.state) for e in talk.centre.told(ContactParty)]
    gone(talk)


def test_also_one_that_waits_for_an_answer(talk: Asking) -> None:
    talk.do.toggle(talk.contact)
    cy = transfer(talk, talk.ann, talk.customer, CY, at_once=False)
    assert talk.bob.id not in talk.switch.legs
    talk.switch.confirm(cy)
    talk.centre.settle()
    assert talk.together(talk.customer, cy)
    gone(talk)


def test_and_one_to_a_queue_after_which_no_desk_shows_who_was_asked(talk: Asking) -> None:
    talk.do.toggle(talk.contact)
    talk.centre.settle()
    talk.switch.sent_to(talk.ann, talk.customer, QUEUE)
    talk.centre.settle()
    assert talk.bob.id not in talk.switch.legs
    told = [e.state for e in talk.centre.told(ContactParty) if e.number == BOB]
    assert told[-1] is PartyState.LEFT


@pytest.mark.parametrize("entry", [QUEUE, MENU])
def test_to_a_queue_or_a_menu_a_phone_transfers_the_customer_alone(
    talk: Asking, entry: str
) -> None:
    """In a private talk it would send away who is asked, or be sent away, and the customer be cut off."""
    refuses = talk.switch.refuses
    assert refuses(entry, entry, talk.bob.id) == 403
    assert refuses(entry, entry, talk.ann.id) == 403
    assert refuses(entry, entry, talk.customer.id) is None
    assert refuses(entry, entry, LegId("leg-of-nobody")) is None


# --- the transferor is let go of ------------------------------------------------------------------


def test_who_is_called_for_a_transferor_that_is_let_go_of_is_called_no_more() -> None:
    talk = Talk()
    talk.centre.supervision.attend(talk.contact, "super", CY, Role.MONITOR)
    cy = talk.switch.phone_leg(CY)
    talk.switch.confirm(cy)
    bob = talk.switch.called_for(talk.customer, BOB)  # Ann's phone has asked for that
    talk.centre.supervision.take_over(talk.contact, "super", CY)
    talk.switch.replaced(talk.ann, talk.customer, bob)
    talk.centre.settle()
    assert bob.id not in talk.switch.legs
    assert talk.together(talk.customer, cy)
    gone(talk)


# --- a hold of one's own ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["toggle", "join", "cancel"])
def test_who_goes_to_somebody_is_heard_there_whoever_was_on_hold_before(
    talk: Asking, how: str
) -> None:
    if how == "toggle":
        talk.do.toggle(talk.contact)
        talk.centre.settle()
    talk.switch.press_hold(talk.ann)
    assert talk.ann.held
    getattr(talk.do, how)(talk.contact)
    talk.centre.settle()
    assert not talk.ann.held
    assert not talk.contact.leg_held
    is_away = how == "toggle"
    assert talk.centre.state(ANN) is (AgentState.HELD if is_away else AgentState.TALKING)
    gone(talk)
