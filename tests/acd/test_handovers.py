"""A phone transfers a contact by itself: the contact, its recording and the agents' states go on."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from acd.consult_state import ConsultState
from acd.contact import Stage
from acd.contact_events import (
    ContactConnected,
    ContactResult,
    ContactTransferred,
    TransferKind,
)
from acd.model import AgentState
from acd.party_records import restore_parties
from switch.calls.causes import EndCause, Result
from switch.ids import CallId, LegId
from tests.acd.call_centre import MENU, QUEUE, RECORDED, TO_PHONE, CallCentre
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY

BUSY = EndCause(Result.BUSY, "busy", 486)


@pytest.fixture
def centre() -> CallCentre:
    return CallCentre()


def talking(centre: CallCentre, entry: str = QUEUE) -> tuple[Leg, Leg]:
    """A caller who talks to Ann, and her leg; Bob's phone and Cy's are there."""
    centre.phones(ANN)
    caller = centre.call(entry)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.phones(BOB, CY)
    assert centre.state(ANN) is AgentState.TALKING
    return caller, centre.switch.phone_leg(ANN)


def transfers(centre: CallCentre) -> list[tuple[TransferKind, str | None, str | None]]:
    told = [e for e in centre.reports if isinstance(e, ContactTransferred)]
    return [(e.kind, e.former, e.agent) for e in told]


def test_the_contact_goes_on_with_whom_it_was_transferred_to(centre: CallCentre) -> None:
    caller, own = talking(centre, RECORDED)
    contact = centre.contact(caller)
    recording = contact.recording
    taker = centre.switch.called_for(caller, CY)
    centre.switch.confirm(taker)
    centre.switch.replaced(own, caller, taker)
    assert centre.contact(caller) is contact
    assert (contact.agent, contact.agent_leg) == (CY, taker.id)
    assert contact.recording == recording
    assert ("record-agent", recording) in centre.switch.log
    assert ("stop-recording", recording) not in centre.switch.log
    assert centre.state(ANN) is AgentState.AVAILABLE
    assert centre.state(CY) is AgentState.TALKING
    assert transfers(centre) == [(TransferKind.BLIND, ANN, CY)]
    centre.advance(10.0)
    centre.switch.end(caller)
    assert centre.finished().result is ContactResult.ANSWERED
    assert centre.finished().agent == CY
    assert centre.state(CY) is AgentState.AVAILABLE
    assert not centre.switch.legs


def test_an_agent_with_a_desk_wraps_up_after_a_transfer(centre: CallCentre) -> None:
    centre.desk(ANN)
    caller, own = talking(centre)
    taker = centre.switch.called_for(caller, CY)
    centre.switch.confirm(taker)
    centre.switch.replaced(own, caller, taker)
    assert centre.state(ANN) is AgentState.WRAP_UP
    assert centre.contact(caller).agent == CY
    centre.switch.end(taker)
    assert centre.finished().result is ContactResult.ANSWERED


@pytest.mark.parametrize("is_held", [False, True])
def test_an_agent_who_goes_on_at_another_device_is_still_in_the_talk(
    centre: CallCentre, is_held: bool
) -> None:
    centre.desk(ANN)
    caller, own = talking(centre, RECORDED)
    if is_held:
        centre.switch.press_hold(own)
        assert centre.state(ANN) is AgentState.HELD
    mobile = centre.switch.called_for(caller, ANN)
    centre.switch.confirm(mobile)
    centre.switch.replaced(own, caller, mobile)
    contact = centre.contact(caller)
    assert (contact.agent, contact.agent_leg, contact.stage) == (ANN, mobile.id, Stage.TALKING)
    assert centre.state(ANN) is AgentState.TALKING
    assert centre.switch.are_bridged(caller.id, mobile.id)
    assert transfers(centre) == []
    centre.restart()
    assert centre.state(ANN) is AgentState.TALKING
    centre.switch.end(mobile)
    assert centre.finished().result is ContactResult.ANSWERED
    assert centre.finished().agent == ANN
    assert centre.state(ANN) is AgentState.WRAP_UP
    assert not centre.switch.legs


def test_who_is_muted_is_muted_at_the_other_device_too(centre: CallCentre) -> None:
    """The desk shows it so; and the customer must not hear what was not meant for it."""
    caller, own = talking(centre)
    contact = centre.contact(caller)
    centre.conversation.mute(contact, True)
    mobile = centre.switch.called_for(caller, ANN)
    centre.switch.confirm(mobile)
    centre.switch.replaced(own, caller, mobile)
    assert centre.switch.verbs(mobile.id)[-1] == "mute"
    centre.conversation.mute(contact, False)
    assert centre.switch.verbs(mobile.id)[-1] == "unmute"


def test_who_leaves_before_the_answer_has_left(centre: CallCentre) -> None:
    caller, own = talking(centre)
    taker = centre.switch.called_for(caller, CY)
    centre.switch.replaced(own, caller, taker)
    assert centre.state(ANN) is AgentState.AVAILABLE
    assert len(centre.contact(caller).others) == 1
    centre.switch.confirm(taker)
    assert centre.contact(caller).consult is None
    assert transfers(centre) == [(TransferKind.BLIND, ANN, CY)]
    centre.switch.end(caller)
    assert centre.finished().result is ContactResult.ANSWERED


def test_a_target_that_refuses_brings_the_contact_back_to_its_queue(centre: CallCentre) -> None:
    caller, own = talking(centre)
    contact = centre.contact(caller)
    place = contact.entered_at
    taker = centre.switch.called_for(caller, CY)
    centre.switch.replaced(own, caller, taker)
    centre.switch.end(taker, BUSY)
    assert centre.contact(caller) is contact
    assert contact.stage is Stage.OFFERED
    assert contact.entered_at == place
    assert transfers(centre) == [(TransferKind.RETURNED, ANN, None)]
    again = centre.switch.phone_leg(str(contact.agent))
    centre.switch.confirm(again)
    assert centre.contact(caller).stage is Stage.TALKING
    centre.switch.end(caller)
    assert not centre.switch.legs


def test_a_caller_who_gives_up_while_the_target_rings_leaves_nothing(centre: CallCentre) -> None:
    caller, own = talking(centre)
    taker = centre.switch.called_for(caller, CY)
    centre.switch.replaced(own, caller, taker)
    centre.switch.end(caller)
    assert not centre.switch.legs
    assert len(centre.contacts) == 0


def test_a_transfer_that_waits_goes_on_after_a_restart(centre: CallCentre) -> None:
    caller, own = talking(centre)
    taker = centre.switch.called_for(caller, CY)
    centre.switch.replaced(own, caller, taker)
    centre.restart()
    consult = centre.contact(caller).consult
    assert consult is not None
    assert (consult.state, consult.began_by) == (ConsultState.HANDING, ANN)
    centre.switch.end(taker, BUSY)
    assert centre.contact(caller).stage is Stage.OFFERED
    centre.switch.end(caller)
    assert not centre.switch.legs


def test_one_that_an_earlier_version_has_written_down_goes_on(centre: CallCentre) -> None:
    caller, own = talking(centre)
    taker = centre.switch.called_for(caller, CY)
    centre.switch.replaced(own, caller, taker)
    contact = centre.contact(caller)
    record = centre.adoption.contact(contact.id, lambda moment: moment)
    assert record is not None
    earlier = replace(record, agent_leg=taker.id, transferred_by=ANN, others=(), consult=None)
    now, contact.consult = contact.consult, None
    contact.others.clear()
    contact.agent, contact.agent_leg = CY, taker.id
    restore_parties(contact, earlier, lambda moment: moment)
    assert contact.consult == now
    assert contact.legs == (taker.id, caller.id)


def test_without_a_queue_it_rings_again_at_the_agent_who_had_it(centre: CallCentre) -> None:
    centre.phones(BOB, CY)
    caller = centre.call(TO_PHONE)
    own = centre.switch.phone_leg(CY)
    centre.switch.confirm(own)
    taker = centre.switch.called_for(caller, BOB)
    centre.switch.replaced(own, caller, taker)
    centre.switch.end(taker, BUSY)
    again = centre.switch.phone_leg(CY)
    assert caller.music
    centre.switch.confirm(again)
    assert centre.switch.are_bridged(caller.id, again.id)
    centre.switch.end(caller)
    assert not centre.switch.legs


def test_a_phone_of_nobody_loses_no_customer_either(centre: CallCentre) -> None:
    """Ann has given the customer to a phone in the store, which sends it on and hangs up."""
    caller, own = talking(centre)
    centre.switch.phone("2001", reachable=True)
    store = centre.switch.called_for(caller, "2001")
    centre.switch.confirm(store)
    centre.switch.replaced(own, caller, store)
    assert centre.contact(caller).agent is None
    taker = centre.switch.called_for(caller, CY)
    centre.switch.replaced(store, caller, taker)
    centre.switch.end(taker, BUSY)
    assert centre.contact(caller).stage is Stage.OFFERED
    centre.switch.end(caller)
    assert not centre.switch.legs


def test_a_customer_who_goes_on_at_another_phone_is_recorded_there(centre: CallCentre) -> None:
    caller, own = talking(centre, RECORDED)
    recording = centre.contact(caller).recording
    assert recording is not None
    centre.switch.phone("2001", reachable=True)
    mobile = centre.switch.called_for(caller, "2001")
    centre.switch.confirm(mobile)
    centre.switch.replaced(caller, own, mobile)
    assert centre.contact(mobile).recording == recording
    assert centre.switch.recorded[recording] == (mobile.id, (own.id,))
    assert ("stop-recording", recording) not in centre.switch.log
    centre.switch.end(mobile)
    assert not centre.switch.legs


def test_an_attended_transfer_takes_the_other_call_along(centre: CallCentre) -> None:
    """Ann asked Cy on her other line, which was no contact."""
    caller, own = talking(centre)
    asked = centre.switch.called_for(caller, CY)
    centre.switch.confirm(asked)
    line = centre.switch.called_for(caller, ANN)
    centre.switch.replaced(own, caller, asked, other=line)
    assert centre.contact(caller).agent == CY
    assert transfers(centre) == [(TransferKind.ATTENDED, ANN, CY)]
    centre.switch.end(asked)
    assert centre.finished().result is ContactResult.ANSWERED
    assert not centre.switch.legs


def test_a_contact_may_be_the_other_call(centre: CallCentre) -> None:
    """Ann refers who is on her other line to the customer."""
    caller, own = talking(centre)
    asked = centre.switch.called_for(caller, CY)
    centre.switch.confirm(asked)
    line = centre.switch.called_for(caller, ANN)
    centre.switch.replaced(line, asked, caller, other=own)
    assert centre.contact(caller).agent_leg == asked.id
    assert centre.state(ANN) is AgentState.AVAILABLE
    centre.switch.end(caller)
    assert not centre.switch.legs


def test_a_contact_that_is_held_is_held_no_more(centre: CallCentre) -> None:
    caller, own = talking(centre)
    centre.switch.press_hold(own)
    centre.advance(4.0)
    taker = centre.switch.called_for(caller, CY)
    centre.switch.confirm(taker)
    centre.switch.replaced(own, caller, taker)
    centre.advance(4.0)
    centre.switch.end(caller)
    assert centre.finished().held_s == 4.0


@pytest.mark.parametrize("entry", [QUEUE, MENU])
def test_a_contact_is_transferred_to_a_queue_or_a_menu(centre: CallCentre, entry: str) -> None:
    caller, own = talking(centre)
    contact = centre.contact(caller)
    centre.switch.sent_to(own, caller, entry)
    assert centre.contact(caller) is contact
    if entry == QUEUE:
        assert contact.stage is Stage.OFFERED
    else:
        assert contact.stage is Stage.MENU
        assert contact.flow is not None
        assert caller.players, "the menu speaks at once: the caller is answered"
    centre.switch.end(caller)
    assert not centre.switch.legs
    assert len(centre.contacts) == 0


def test_somebody_who_was_no_contact_is_transferred_to_a_queue(centre: CallCentre) -> None:
    centre.phones(ANN, BOB, CY)
    somebody = Leg(LegId("leg-x"), CallId("call-x"), None, False)
    stranger = centre.switch.called_for(somebody, CY)
    centre.switch.confirm(stranger)
    other = centre.switch.called_for(stranger, BOB)
    centre.switch.sent_to(other, stranger, QUEUE)
    contact = centre.contact(stranger)
    assert contact.customer_answered
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.switch.are_bridged(stranger.id, centre.switch.phone_leg(ANN).id)
    centre.switch.end(stranger)
    assert not centre.switch.legs


def test_the_customer_takes_the_place_in_line_that_its_agent_has_rung_for(
    centre: CallCentre,
) -> None:
    """Ann calls the queue herself, and transfers the customer to that call while it waits."""
    caller, own = talking(centre)
    contact = centre.contact(caller)
    centre.phones(BOB)
    busy = centre.call()  # Bob is on the phone, too
    centre.switch.confirm(centre.switch.phone_leg(BOB))
    line = centre.switch.incoming(QUEUE, number=ANN, phone=ANN)
    entered_at = centre.contact(line).entered_at
    centre.advance(5.0)
    behind = centre.call()
    centre.switch.sent_to(own, caller, QUEUE, place_of=line)
    assert centre.contact(caller) is contact
    assert contact.entered_at == entered_at
    assert centre.finished().reason == "transferred"
    assert centre.finished().result is ContactResult.DIRECT
    assert contact.stage is Stage.OFFERED, "to Ann, who is free now: it was before the other"
    assert centre.contact(behind).stage is Stage.WAITING
    for each in (behind, caller, busy):
        centre.switch.end(each)
    assert not centre.switch.legs
    assert len(centre.contacts) == 0


def test_who_is_offered_already_gives_the_agent_to_the_customer(centre: CallCentre) -> None:
    caller, own = talking(centre)
    contact = centre.contact(caller)
    line = centre.switch.incoming(QUEUE, number=ANN, phone=ANN)
    assert centre.contact(line).agent == BOB
    centre.switch.sent_to(own, caller, QUEUE, place_of=line)
    centre.switch.confirm(centre.switch.phone_leg(contact.agent or ""))
    assert contact.stage is Stage.TALKING
    centre.switch.end(caller)
    assert not centre.switch.legs
    assert len(centre.contacts) == 0


def test_the_customer_begins_the_menu_that_its_agent_has_reached(centre: CallCentre) -> None:
    caller, own = talking(centre)
    contact = centre.contact(caller)
    line = centre.switch.incoming(MENU, number=ANN, phone=ANN)
    centre.switch.sent_to(own, caller, MENU, place_of=line)
    assert contact.stage is Stage.MENU
    assert caller.players, "the menu speaks"
    assert centre.finished().result is ContactResult.MENU
    centre.switch.end(caller)
    assert not centre.switch.legs
    assert len(centre.contacts) == 0


def test_somebody_who_was_no_contact_takes_a_place_in_line(centre: CallCentre) -> None:
    centre.phones(ANN, BOB, CY)
    somebody = Leg(LegId("leg-x"), CallId("call-x"), None, False)
    stranger = centre.switch.called_for(somebody, CY)
    centre.switch.confirm(stranger)
    own = centre.switch.called_for(stranger, BOB)
    line = centre.switch.incoming(RECORDED, number=BOB, phone=BOB)
    centre.switch.sent_to(own, stranger, RECORDED, place_of=line)
    contact = centre.contact(stranger)
    assert contact.record
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.switch.are_bridged(stranger.id, centre.switch.phone_leg(ANN).id)
    centre.switch.end(stranger)
    assert not centre.switch.legs
    assert len(centre.contacts) == 0


@pytest.mark.parametrize("answers", [True, False])
def test_who_was_called_may_send_the_agent_on_to_a_phone_that_rings(
    centre: CallCentre, answers: bool
) -> None:
    """The customer's part is taken by somebody who is not there yet."""
    centre.phones(ANN, BOB, CY)
    assert centre.agent_dial.dial(ANN, BOB) is None
    own = centre.switch.phone_leg(ANN)
    centre.switch.confirm(own)
    called = centre.switch.phone_leg(BOB)
    centre.switch.confirm(called)
    contact = centre.contact(own)
    since = contact.talking_since
    taker = centre.switch.called_for(own, CY)
    centre.switch.replaced(called, own, taker)
    assert not centre.switch.bridged
    centre.advance(3.0)
    if answers:
        centre.switch.confirm(taker)
        assert centre.switch.bridged == {frozenset((own.id, taker.id))}
        assert contact.talking_since == since
        centre.switch.end(own)
    else:
        centre.switch.end(taker, BUSY)
    assert len(centre.told(ContactConnected)) == 1
    assert centre.finished().result is ContactResult.DIRECT
    assert not centre.switch.legs
