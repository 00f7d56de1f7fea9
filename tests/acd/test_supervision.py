"""Supervisors listen, whisper, barge in and take over."""

from __future__ import annotations

import pytest

from acd.contact_events import ContactParty, ContactTransferred
from acd.errors import CannotReachError, NotNowError
from acd.model import AgentState
from acd.party import PartyState
from switch.calls.causes import EndCause, Result
from switch.calls.roles import Role
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY
from tests.acd.test_consultations import Talk

BYE = EndCause(Result.COMPLETED, "callee-hung-up")


@pytest.fixture
def talk() -> Talk:
    return Talk()


def attending(talk: Talk, role: Role) -> Leg:
    """Cy, who is the supervisor, attends the talk of Ann."""
    talk.centre.supervision.attend(talk.contact, "super", CY, role)
    leg = talk.switch.phone_leg(CY)
    talk.switch.confirm(leg)
    return leg


def test_the_phone_of_the_supervisor_is_called_and_roles_change_without_a_new_call(
    talk: Talk,
) -> None:
    cy = attending(talk, Role.MONITOR)
    assert cy.attends == (talk.ann.id, Role.MONITOR)
    assert talk.together(talk.customer, talk.ann)
    talk.centre.supervision.attend(talk.contact, "super", CY, Role.BARGE)
    talk.centre.settle()
    assert cy.attends == (talk.ann.id, Role.BARGE)
    assert len(talk.switch.legs) == 3
    told = [(e.state, e.role, e.by) for e in talk.centre.told(ContactParty)]
    assert told == [
        (PartyState.CALLING, Role.MONITOR, "super"),
        (PartyState.ATTENDING, Role.MONITOR, "super"),
        (PartyState.ATTENDING, Role.BARGE, "super"),
    ]


def test_the_end_of_the_contact_ends_it(talk: Talk) -> None:
    attending(talk, Role.MONITOR)
    talk.switch.end(talk.customer)
    assert not talk.switch.legs
    assert talk.centre.state(CY) is AgentState.AVAILABLE


def test_it_follows_the_contact_to_the_next_agent(talk: Talk) -> None:
    cy = attending(talk, Role.WHISPER)
    bob = talk.asked(BOB)
    assert cy.attends == (talk.ann.id, Role.WHISPER)
    talk.do.complete(talk.contact)
    talk.centre.settle()
    assert cy.attends == (bob.id, Role.WHISPER)


def test_who_takes_over_is_the_agent_of_the_contact(talk: Talk) -> None:
    cy = attending(talk, Role.MONITOR)
    talk.centre.supervision.take_over(talk.contact, "super", CY)
    talk.centre.settle()
    assert cy.attends is None
    assert talk.together(talk.customer, cy)
    assert talk.contact.agent == CY
    assert talk.centre.state(ANN) is AgentState.WRAP_UP
    assert talk.centre.state(CY) is AgentState.TALKING
    assert talk.centre.told(ContactTransferred)[-1].kind == "taken-over"


def test_taking_over_at_once_calls_the_phone_first_and_survives_a_restart(talk: Talk) -> None:
    talk.centre.supervision.take_over(talk.contact, "super", CY)
    talk.centre.restart()
    cy = talk.switch.phone_leg(CY)
    talk.switch.confirm(cy)
    assert talk.together(talk.customer, cy)


@pytest.mark.parametrize("answers_first", [True, False])
def test_a_takeover_that_meets_a_consultation_ends_it(talk: Talk, answers_first: bool) -> None:
    """Who takes over wants the customer, whoever the agent is asking."""
    talk.centre.supervision.take_over(talk.contact, "super", CY)
    talk.centre.settle()
    cy = talk.switch.phone_leg(CY)
    bob = talk.asked(BOB) if answers_first else talk.consult(BOB)
    talk.switch.confirm(cy)
    assert talk.together(talk.customer, cy)
    assert bob.id not in talk.switch.legs
    assert (talk.contact.agent, talk.contact.consult) == (CY, None)
    assert talk.centre.state(ANN) is AgentState.WRAP_UP
    assert talk.centre.state(BOB) is AgentState.AVAILABLE
    told = [(e.number, e.state) for e in talk.centre.told(ContactParty)]
    assert (BOB, PartyState.LEFT) in told


def test_a_takeover_of_a_contact_that_is_being_handed_over_takes_it(talk: Talk) -> None:
    cy = attending(talk, Role.MONITOR)
    talk.do.transfer(talk.contact, BOB)
    talk.centre.settle()
    talk.centre.supervision.take_over(talk.contact, "super", CY)
    talk.centre.settle()
    assert talk.together(talk.customer, cy)
    assert talk.contact.agent == CY


def test_a_restart_keeps_who_attends(talk: Talk) -> None:
    cy = attending(talk, Role.WHISPER)
    talk.centre.restart()
    talk.centre.supervision.leave(talk.contact, "super")
    talk.centre.settle()
    assert cy.id not in talk.switch.legs
    assert talk.together(talk.customer, talk.ann)


def test_the_supervisor_hangs_up_and_nothing_else_happens(talk: Talk) -> None:
    talk.switch.end(attending(talk, Role.BARGE), BYE)
    assert talk.together(talk.customer, talk.ann)
    assert talk.centre.state(ANN) is AgentState.TALKING


def test_what_makes_no_sense_is_refused_in_words(talk: Talk) -> None:
    supervision = talk.centre.supervision
    with pytest.raises(NotNowError):
        supervision.leave(talk.contact, "super")
    with pytest.raises(CannotReachError):
        supervision.attend(talk.contact, "super", ANN, Role.MONITOR)
    talk.switch.phone(CY, reachable=False)
    with pytest.raises(CannotReachError):
        supervision.attend(talk.contact, "super", CY, Role.MONITOR)
