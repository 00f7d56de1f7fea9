"""Parked calls: by desk, by code, by transfer; fetched, called back, passed on; nobody is lost."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from acd.contact import Contact, Stage
from acd.contact_events import (
    ContactFinished,
    ContactParked,
    ContactResult,
    ContactTransferred,
    ParkNews,
)
from acd.dialled_codes import PARK as ENTRY
from acd.dialled_codes import PICK_UP
from acd.errors import CannotReachError, NotNowError
from acd.events import AgentFigures
from acd.model import AgentState, QueueName
from acd.park_state import ParkState
from switch.calls.causes import EndCause, Result
from switch.ids import LegId
from tests.acd.call_centre import PARK, QUEUE, RECORDED, CallCentre
from tests.acd.hand_switch import HandSwitch, Leg
from tests.acd.scene import ANN, BOB, CY, SALES
from tests.acd.test_consultations import Talk

BUSY = EndCause(Result.BUSY, "busy", 486)
BYE = EndCause(Result.COMPLETED, "callee-hung-up")


@pytest.fixture
def talk() -> Talk:
    return Talk(RECORDED)


def parked(talk: Talk, slot: str = "") -> Contact:
    """Ann has parked the customer."""
    contact = talk.contact
    talk.centre.parking.park(contact, slot=slot)
    talk.centre.settle()
    return contact


def news(talk: Talk) -> list[ParkNews]:
    return [event.news for event in talk.centre.told(ContactParked)]


def two_phones(centre: CallCentre) -> tuple[Leg, Leg]:
    """Phone 1009 has called Bob past all queues; gives both legs."""
    switch = centre.switch
    caller = Leg(LegId("leg-x"), switch.newest_call(), "1009", False, answered=True)
    callee = Leg(LegId("leg-y"), caller.call, BOB, True, answered=True)
    for leg in (caller, callee):
        switch.legs[leg.id] = leg
    switch.direct[callee.id] = caller.id
    switch.bridged.add(frozenset((caller.id, callee.id)))
    return caller, callee


def test_the_customer_hears_music_on_the_recording_and_the_agent_is_done(talk: Talk) -> None:
    contact = parked(talk)
    assert contact.stage is Stage.PARKED
    assert contact.park is not None
    assert contact.park.slot == "701"
    assert talk.customer.music
    assert talk.ann.id not in talk.switch.legs
    assert talk.centre.state(ANN) is AgentState.WRAP_UP
    (recording,) = talk.switch.recordings
    assert talk.switch.recorded[recording] == (talk.customer.id, ())
    told = talk.centre.told(ContactTransferred)[-1]
    assert (told.kind, told.former, told.number) == ("parked", ANN, "701")


def test_a_certain_place_may_be_asked_for_and_one_that_is_taken_is_not(talk: Talk) -> None:
    parked(talk, "703")
    assert talk.centre.parking.places.is_taken("703")
    for slot, error in (("703", NotNowError), ("704", CannotReachError)):
        with pytest.raises(error):
            talk.centre.parking.places.free(slot)


def test_a_place_that_was_just_left_is_not_the_next(talk: Talk) -> None:
    parked(talk)
    talk.switch.end(talk.customer)
    assert talk.centre.parking.places.free() == "702"
    talk.centre.advance(6.0)
    assert talk.centre.parking.places.free() == "701"


def test_who_dials_the_place_has_the_call(talk: Talk) -> None:
    contact = parked(talk)
    bob = talk.switch.dials(BOB, ENTRY, "701")
    assert talk.together(talk.customer, bob)
    assert (contact.agent, contact.stage, contact.park) == (BOB, Stage.TALKING, None)
    assert talk.centre.state(BOB) is AgentState.TALKING
    assert news(talk) == [ParkNews.PARKED, ParkNews.FETCHING, ParkNews.FETCHED]
    (recording,) = talk.switch.recordings
    assert talk.switch.recorded[recording] == (talk.customer.id, (bob.id,))
    talk.switch.end(bob, BYE)
    assert not talk.switch.legs
    assert talk.centre.finished().result is ContactResult.ANSWERED


def test_who_fetches_what_it_parked_has_answered_one_contact(talk: Talk) -> None:
    parked(talk)
    talk.centre.restart()
    ann = talk.switch.dials(ANN, ENTRY, "701")
    assert talk.together(talk.customer, ann)
    talk.switch.end(talk.customer)
    talk.centre.advance(10.0)
    figures = [e for e in talk.centre.told(AgentFigures) if e.agent == ANN]
    assert figures[-1].answered == 1


def test_a_desk_fetches_by_having_its_phone_called(talk: Talk) -> None:
    contact = parked(talk)
    talk.centre.parking.fetch("701", BOB)
    talk.centre.settle()
    bob = talk.switch.phone_leg(BOB)
    assert talk.customer.music
    with pytest.raises(NotNowError):
        talk.centre.parking.fetch("701", CY)
    talk.switch.confirm(bob)
    assert talk.together(talk.customer, bob)
    assert contact.agent == BOB


def test_the_phone_of_who_asks_for_it_at_a_desk_is_asked_to_answer_by_itself(talk: Talk) -> None:
    parked(talk)
    talk.centre.parking.fetch("701", BOB, at_once=True)
    talk.centre.settle()
    headers = talk.switch.headers[talk.switch.phone_leg(BOB).id]
    assert "answer-after=0" in headers["Call-Info"]
    assert "alert-autoanswer" in headers["Alert-Info"]


def test_a_phone_that_somebody_else_names_rings(talk: Talk) -> None:
    parked(talk)
    talk.centre.parking.fetch("701", BOB)
    talk.centre.settle()
    assert set(talk.switch.headers[talk.switch.phone_leg(BOB).id]) == {"X-Interaction-Id"}


@pytest.mark.parametrize("cause", [BUSY, BYE])
def test_who_fetches_and_does_not_answer_leaves_it_where_it_is(talk: Talk, cause: EndCause) -> None:
    contact = parked(talk)
    talk.centre.parking.fetch("701", BOB)
    talk.centre.settle()
    talk.switch.end(talk.switch.phone_leg(BOB), cause)
    assert contact.park is not None
    assert contact.park.state is ParkState.WAITING
    assert talk.customer.music
    assert talk.centre.state(BOB) is AgentState.AVAILABLE
    bob = talk.switch.dials(BOB, ENTRY, "701")
    assert talk.together(talk.customer, bob)


def test_who_parked_it_is_called_back_and_has_it_again(talk: Talk) -> None:
    contact = parked(talk)
    talk.centre.advance(59.0)
    assert contact.park is not None
    assert contact.park.state is ParkState.WAITING
    talk.centre.advance(2.0)
    ann = talk.switch.phone_leg(ANN)
    talk.switch.confirm(ann)
    assert talk.together(talk.customer, ann)
    assert contact.agent == ANN
    assert not talk.centre.parking.places
    assert talk.centre.told(ContactTransferred)[-1].kind == "returned"


def test_while_it_is_called_back_another_may_fetch_it(talk: Talk) -> None:
    contact = parked(talk)
    talk.centre.advance(61.0)
    ann = talk.switch.phone_leg(ANN)
    bob = talk.switch.dials(BOB, ENTRY, "701")
    assert ann.id not in talk.switch.legs
    assert talk.together(talk.customer, bob)
    assert contact.agent == BOB


def test_whom_nobody_wants_goes_back_to_the_head_of_its_queue(talk: Talk) -> None:
    contact = parked(talk)
    for _ in range(2):
        talk.centre.advance(61.0)
        talk.switch.end(talk.switch.phone_leg(ANN), BUSY)
    assert contact.park is None
    assert contact.queue is not None
    assert contact.stage in (Stage.WAITING, Stage.OFFERED)
    assert news(talk)[-1] is ParkNews.PASSED_ON


def test_of_who_parked_it_and_is_gone_nobody_waits_for_an_answer(talk: Talk) -> None:
    contact = parked(talk)
    talk.switch.phone(ANN, reachable=False)
    talk.centre.advance(121.0)
    assert contact.park is None
    assert contact.stage in (Stage.WAITING, Stage.OFFERED)


def test_the_customer_who_hangs_up_leaves_the_place(talk: Talk) -> None:
    parked(talk)
    talk.centre.parking.fetch("701", BOB)
    talk.centre.settle()
    talk.switch.end(talk.customer)
    assert not talk.switch.legs
    assert talk.centre.finished().result is ContactResult.ANSWERED
    assert news(talk)[-1] is ParkNews.GONE
    assert not talk.centre.parking.places.is_taken("701")


def test_a_talk_with_others_is_not_parked(talk: Talk) -> None:
    talk.asked(BOB)
    with pytest.raises(NotNowError):
        talk.centre.parking.park(talk.contact)
    assert talk.contact.stage is Stage.TALKING


# --- by the keys of a phone -----------------------------------------------------------------------


def test_the_code_parks_what_the_phone_holds_and_says_the_place(talk: Talk) -> None:
    contact = talk.contact
    talk.switch.press_hold(talk.ann)
    teller = talk.switch.dials(ANN, ENTRY, "*68")
    assert contact.park is not None
    assert contact.park.by == ANN
    assert talk.ann.id not in talk.switch.legs
    assert teller.players
    talk.switch.play_out(teller)
    assert teller.id not in talk.switch.legs
    assert talk.customer.music


def test_who_dials_an_empty_place_is_told_that_it_is_empty(talk: Talk) -> None:
    leg = talk.switch.dials(BOB, ENTRY, "702")
    assert talk.switch.refused == [(leg.id, 480, "Nobody is parked in '702'")]


def test_the_code_without_a_held_call_is_refused(talk: Talk) -> None:
    leg = talk.switch.dials(BOB, ENTRY, "*68702")
    assert "reject 480" in talk.switch.verbs(leg.id)
    assert talk.together(talk.customer, talk.ann)


@pytest.mark.parametrize("dialled", ["*68702\r\nphone 1001", "*8702\r\nphone 1001"])
def test_what_was_dialled_begins_no_line_of_its_own_in_the_log(
    talk: Talk, dialled: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    talk.switch.press_hold(talk.ann)
    entry = ENTRY if dialled.startswith("*68") else PICK_UP
    leg = talk.switch.dials(ANN, entry, dialled)
    assert "reject 480" in talk.switch.verbs(leg.id)
    assert "dialled" in caplog.text
    assert not [record for record in caplog.records if "\n" in record.getMessage()]


def test_a_transfer_to_a_place_parks_there(talk: Talk) -> None:
    contact = talk.contact
    assert talk.switch.refuses(ENTRY, "702", talk.customer.id) is None
    talk.switch.sent_to(talk.ann, talk.customer, ENTRY, "702")
    assert contact.park is not None
    assert (contact.park.slot, contact.park.by) == ("702", ANN)
    assert talk.centre.state(ANN) is AgentState.WRAP_UP
    assert talk.customer.music


def test_a_transfer_that_cannot_be_is_refused_before_anybody_is_parted(talk: Talk) -> None:
    refuses = talk.switch.refuses
    assert refuses(ENTRY, "709", talk.customer.id) == 404
    assert refuses(ENTRY, "701", talk.ann.id) == 403, "the customer does not park the agent"
    assert refuses(QUEUE, QUEUE, talk.ann.id) == 403, "nor let it wait for another"
    assert refuses(QUEUE, QUEUE, talk.customer.id) is None
    parked(talk)
    assert refuses(ENTRY, "701", LegId("leg-of-nobody")) == 486


def test_a_call_between_phones_is_a_contact_from_then_on(talk: Talk) -> None:
    caller, callee = two_phones(talk.centre)
    talk.switch.direct.clear()
    talk.switch.sent_to(callee, caller, ENTRY, "702")
    contact = talk.centre.contact(caller)
    assert caller.music
    cy = talk.switch.dials(CY, ENTRY, "702")
    assert talk.switch.are_bridged(caller.id, cy.id)
    assert (contact.stage, contact.agent) == (Stage.DIRECT, CY)
    talk.switch.end(caller)
    assert cy.id not in talk.switch.legs
    assert talk.centre.finished().result is ContactResult.DIRECT


def test_outsiders_fetch_nothing(talk: Talk) -> None:
    parked(talk)
    stranger = talk.switch.incoming(ENTRY)
    assert talk.switch.verbs(stranger.id) == ["reject 404"]


def alone(switch: HandSwitch, centre: CallCentre) -> Leg:
    """A call between phones that was parked, by one that is gone."""
    caller, callee = two_phones(centre)
    switch.direct.clear()
    switch.sent_to(callee, caller, ENTRY, "702")
    return caller


def test_without_a_queue_the_configured_entry_has_it() -> None:
    centre = CallCentre()
    caller = alone(centre.switch, centre)
    centre.advance(121.0)
    assert centre.contact(caller).stage is Stage.WAITING
    assert caller.music


def test_with_nowhere_to_go_the_customer_is_told_and_let_go() -> None:
    centre = CallCentre(park=replace(PARK, otherwise=""))
    caller = alone(centre.switch, centre)
    centre.advance(121.0)
    assert caller.players
    assert not caller.music
    centre.switch.play_out(caller)
    finished: ContactFinished = centre.finished()
    assert (finished.result, finished.reason) == (ContactResult.TIMEOUT, "nobody-fetched")
    assert not centre.switch.legs


def test_who_is_being_told_may_still_be_fetched() -> None:
    centre = CallCentre(park=replace(PARK, otherwise=""))
    caller = alone(centre.switch, centre)
    centre.advance(121.0)
    cy = centre.switch.dials(CY, ENTRY, "702")
    assert centre.switch.are_bridged(caller.id, cy.id)


# --- over a restart -------------------------------------------------------------------------------


def test_a_restart_keeps_who_is_parked_and_calls_back_in_time(talk: Talk) -> None:
    parked(talk)
    talk.centre.advance(30.0)
    talk.centre.restart()
    assert talk.customer.music
    talk.centre.advance(31.0)
    ann = talk.switch.phone_leg(ANN)
    talk.centre.restart()
    talk.switch.confirm(ann)
    assert talk.together(talk.customer, ann)


def test_who_parked_it_by_a_code_is_told_the_place_also_after_a_restart(talk: Talk) -> None:
    talk.switch.press_hold(talk.ann)
    teller = talk.switch.dials(ANN, ENTRY, "*68")
    talk.centre.restart()
    assert teller.players
    talk.switch.play_out(teller)
    assert teller.id not in talk.switch.legs
    talk.centre.restart()
    cy = talk.switch.dials(CY, ENTRY, "701")
    assert talk.together(talk.customer, cy)


def test_a_restart_while_somebody_fetches_keeps_that(talk: Talk) -> None:
    parked(talk)
    talk.centre.parking.fetch("701", BOB)
    talk.centre.restart()
    bob = talk.switch.phone_leg(BOB)
    talk.switch.confirm(bob)
    assert talk.together(talk.customer, bob)


def test_a_restart_without_the_queue_of_who_is_parked_leads_to_the_configured_entry(
    talk: Talk,
) -> None:
    contact = parked(talk)
    contact.queue = QueueName("closed")  # the next process is configured without
    talk.centre.restart()
    for _ in range(2):
        talk.centre.advance(61.0)
        talk.switch.end(talk.switch.phone_leg(ANN), BUSY)
    again = talk.centre.contact(talk.customer)
    assert (again.park, again.queue) == (None, SALES)
    assert news(talk)[-1] is ParkNews.PASSED_ON


def test_a_restart_while_the_customer_is_told_ends_no_sooner() -> None:
    centre = CallCentre(park=replace(PARK, otherwise=""))
    caller = alone(centre.switch, centre)
    centre.advance(121.0)
    centre.restart()
    assert caller.players
    centre.switch.play_out(caller)
    assert centre.finished().reason == "nobody-fetched"
