"""The course of a contact: each way a leg can end at each stage, and what is commanded in which order."""

from __future__ import annotations

import pytest

from acd.contact import Stage
from acd.contact_events import (
    ContactAnnounced,
    ContactConnected,
    ContactFinished,
    ContactResult,
    FlowMoved,
)
from acd.events import ContactLeft, OfferEnded
from acd.model import AgentId, AgentState, OfferFailure
from switch.calls.causes import EndCause, Result
from tests.acd.call_centre import MENU, NOWHERE, QUEUE, RECORDED, SILENT, TO_PHONE, CallCentre
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY

BYE = EndCause(Result.COMPLETED, "callee-hung-up")
LOST = EndCause(Result.FAILED, "gateway-lost", 503)
CALLER_LOST = EndCause(Result.FAILED, "rtp-timeout")


@pytest.fixture
def centre() -> CallCentre:
    return CallCentre()


def waiting(centre: CallCentre) -> Leg:
    """A caller who hears music, and nobody there."""
    caller = centre.call(QUEUE)
    centre.advance(1.0)
    assert caller.music
    return caller


def offered(centre: CallCentre) -> Leg:
    """A caller who hears ringing while Ann's phone rings."""
    centre.phones(ANN)
    caller = centre.call(QUEUE)
    centre.switch.ringing(centre.switch.phone_leg(ANN))
    assert centre.state(ANN) is AgentState.RINGING
    return caller


def talking(centre: CallCentre, entry: str = QUEUE) -> Leg:
    """A caller who talks to Ann."""
    centre.phones(ANN)
    caller = centre.call(entry)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.state(ANN) is AgentState.TALKING
    return caller


def menu(centre: CallCentre) -> Leg:
    caller = centre.call(MENU)
    assert centre.contact(caller).stage is Stage.MENU
    return caller


# --- from the call to the conversation --------------------------------------------------------


def test_a_caller_rings_a_second_and_then_hears_music(centre: CallCentre) -> None:
    caller = centre.call(QUEUE)
    centre.advance(0.99)
    assert centre.switch.verbs(caller.id) == ["ring"]
    centre.advance(0.01)
    assert centre.switch.verbs(caller.id) == ["ring", "answer", "music"]


def test_music_ends_before_the_bridge_begins(centre: CallCentre) -> None:
    caller = waiting(centre)
    centre.phones(ANN)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.switch.verbs(caller.id)[-2:] == ["music-off", "bridge"]
    assert centre.state(ANN) is AgentState.TALKING


def test_an_announcement_is_stopped_before_the_bridge_begins(centre: CallCentre) -> None:
    caller = waiting(centre)
    centre.advance(9.0)
    assert [told.position for told in centre.told(ContactAnnounced)] == [1]
    assert caller.players
    assert not caller.music
    centre.phones(ANN)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert not caller.players
    assert not caller.music
    assert centre.contact(caller).announcement is None


def test_music_comes_back_after_an_announcement(centre: CallCentre) -> None:
    caller = waiting(centre)
    centre.advance(9.0)
    centre.switch.play_out(caller)
    assert caller.music


def test_an_announcement_that_is_due_during_another_is_left_out(centre: CallCentre) -> None:
    waiting(centre)
    centre.advance(9.0 + 30.0)
    assert len(centre.told(ContactAnnounced)) == 1


def test_an_agent_who_is_free_at_once_answers_for_both(centre: CallCentre) -> None:
    caller = talking(centre)
    assert centre.switch.verbs(caller.id) == ["ring", "answer", "bridge"]


def test_an_agent_who_picks_up_while_we_answer_the_caller_waits_for_the_sound(
    centre: CallCentre,
) -> None:
    centre.switch.confirms = False
    caller = centre.call(QUEUE)
    centre.advance(1.0)
    centre.phones(ANN)
    agent = centre.switch.phone_leg(ANN)
    centre.switch.confirm(agent)
    assert not centre.switch.are_bridged(caller.id, agent.id)
    centre.switch.confirm(caller)
    assert centre.switch.are_bridged(caller.id, agent.id)


def test_a_caller_who_is_offered_while_we_answer_it_hears_music(centre: CallCentre) -> None:
    centre.switch.confirms = False
    caller = centre.call(QUEUE)
    centre.advance(1.0)
    centre.phones(ANN)
    centre.switch.confirm(caller)
    assert centre.contact(caller).stage is Stage.OFFERED
    assert caller.music


@pytest.mark.parametrize("entry", [QUEUE, SILENT])
def test_a_caller_whose_offer_fails_after_a_second_hears_music(
    centre: CallCentre, entry: str
) -> None:
    centre.phones(ANN)
    caller = centre.call(entry)
    assert "ring" in centre.switch.verbs(caller.id)
    centre.advance(1.5)
    assert not caller.answered
    centre.switch.end(centre.switch.phone_leg(ANN), EndCause(Result.BUSY, "busy", 486))
    centre.settle()
    assert caller.music


def test_a_caller_whose_agent_signs_off_while_the_phone_rings_hears_music(
    centre: CallCentre,
) -> None:
    caller = offered(centre)
    centre.desk(ANN)
    centre.advance(3.0)
    centre.sign_off(ANN)
    assert centre.contact(caller).stage is Stage.WAITING
    assert caller.music


def test_a_flow_that_queues_without_answering_lets_the_caller_ring_and_then_hear_music(
    centre: CallCentre,
) -> None:
    caller = centre.call(SILENT)
    centre.advance(1.0)
    assert centre.switch.verbs(caller.id) == ["ring", "answer", "music"]


def test_a_transfer_without_an_answer_lets_the_caller_ring(centre: CallCentre) -> None:
    centre.phones(CY)
    caller = centre.call(TO_PHONE)
    assert centre.switch.verbs(caller.id) == ["ring"]
    centre.switch.confirm(centre.switch.phone_leg(CY))
    assert centre.switch.are_bridged(caller.id, centre.switch.phone_leg(CY).id)


def test_a_transfer_goes_on_over_a_restart_though_its_agent_is_configured_no_more(
    centre: CallCentre,
) -> None:
    centre.phones(CY)
    caller = centre.call(TO_PHONE)
    centre.switch.confirm(centre.switch.phone_leg(CY))
    centre.contact(caller).agent = AgentId("1099")
    centre.restart()
    centre.switch.end(caller)
    centre.settle()
    assert centre.finished().result is ContactResult.DIRECT


# --- the caller goes --------------------------------------------------------------------------


def test_a_caller_who_goes_while_waiting_has_abandoned(centre: CallCentre) -> None:
    caller = waiting(centre)
    centre.advance(4.0)
    centre.switch.end(caller)
    over = centre.finished()
    assert (over.result, over.reason) == (ContactResult.ABANDONED, "caller-hung-up")
    assert over.waited_s == pytest.approx(5.0)


def test_a_caller_who_goes_while_the_phone_rings_frees_the_agent(centre: CallCentre) -> None:
    caller = offered(centre)
    phone = centre.switch.phone_leg(ANN)
    centre.switch.end(caller)
    centre.settle()
    assert centre.switch.verbs(phone.id) == ["hang-up"]
    assert centre.state(ANN) is AgentState.AVAILABLE
    assert centre.finished().result is ContactResult.ABANDONED
    assert centre.told(OfferEnded)[0].failure is OfferFailure.WITHDRAWN


def test_a_caller_who_goes_while_the_card_travels_never_rings_the_agent(
    centre: CallCentre,
) -> None:
    centre.pops.slow = True
    centre.phones(ANN)
    caller = centre.call(QUEUE)
    assert centre.state(ANN) is AgentState.RESERVED
    centre.switch.end(caller)
    centre.settle()
    assert centre.state(ANN) is AgentState.AVAILABLE
    centre.advance(1.0)
    assert ("call", ANN) not in centre.switch.log


def test_a_caller_whose_sound_is_lost_while_waiting_has_failed_and_not_abandoned(
    centre: CallCentre,
) -> None:
    caller = waiting(centre)
    centre.switch.end(caller, CALLER_LOST)
    assert (centre.finished().result, centre.finished().reason) == (
        ContactResult.FAILED,
        "rtp-timeout",
    )
    assert centre.told(ContactLeft)[0].reason == "failed"


def test_a_caller_who_ends_the_conversation_was_answered(centre: CallCentre) -> None:
    caller = talking(centre)
    agent = centre.switch.phone_leg(ANN)
    centre.advance(7.0)
    centre.switch.end(caller)
    centre.settle()
    over = centre.finished()
    assert (over.result, over.talked_s, over.agent) == (ContactResult.ANSWERED, 7.0, ANN)
    assert centre.switch.verbs(agent.id) == ["hang-up"]
    assert centre.state(ANN) is AgentState.AVAILABLE


def test_the_agent_is_hung_up_before_it_is_called_for_the_next_caller(centre: CallCentre) -> None:
    caller = talking(centre)
    agent = centre.switch.phone_leg(ANN)
    waiting(centre)
    centre.switch.log.clear()
    centre.switch.end(caller)
    centre.settle()
    assert centre.switch.log.index(("hang-up", agent.id)) < centre.switch.log.index(("call", ANN))


def test_a_caller_who_goes_in_the_menu_leaves_nothing(centre: CallCentre) -> None:
    caller = menu(centre)
    centre.switch.end(caller)
    assert (centre.finished().result, centre.finished().reason) == (
        ContactResult.MENU,
        "caller-hung-up",
    )
    assert centre.clock.pending == 0


def test_a_menu_that_ends_with_the_gateway_says_so(centre: CallCentre) -> None:
    caller = menu(centre)
    centre.switch.end(caller, LOST)
    assert (centre.finished().result, centre.finished().reason) == (
        ContactResult.FAILED,
        "gateway-lost",
    )


# --- the agent goes, or does not come ---------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "failure", "reason"),
    [
        (EndCause(Result.BUSY, "busy", 486), OfferFailure.REJECTED, "rejected"),  # it rang
        (EndCause(Result.REJECTED, "rejected", 603), OfferFailure.REJECTED, "rejected"),
        (EndCause(Result.NO_ANSWER, "ring-timeout", 408), OfferFailure.NO_ANSWER, "no-answer"),
        (EndCause(Result.CANCELLED, "cancelled"), OfferFailure.NO_ANSWER, "no-answer"),
        (BYE, OfferFailure.REJECTED, "rejected"),
        (
            EndCause(Result.UNREACHABLE, "no-response"),
            OfferFailure.UNREACHABLE,
            "phone-unreachable",
        ),
        (EndCause(Result.FAILED, "bad-answer"), OfferFailure.UNREACHABLE, "phone-unreachable"),
    ],
)
def test_an_offer_that_fails_goes_to_the_next_agent(
    centre: CallCentre, cause: EndCause, failure: OfferFailure, reason: str
) -> None:
    caller = offered(centre)
    centre.phones(BOB)
    centre.switch.end(centre.switch.phone_leg(ANN), cause)
    centre.settle()
    assert centre.told(OfferEnded)[0].failure is failure
    status = centre.acd.agent(ANN)
    assert (status.state, status.reason) == (AgentState.NOT_READY, reason)
    assert centre.contact(caller).agent == BOB
    assert centre.switch.phone_leg(BOB)


def test_a_phone_that_is_busy_before_it_rings_was_not_refused_by_anybody(
    centre: CallCentre,
) -> None:
    centre.phones(ANN)
    centre.call(QUEUE)
    centre.switch.end(centre.switch.phone_leg(ANN), EndCause(Result.BUSY, "busy", 486))
    centre.settle()
    assert centre.told(OfferEnded)[0].failure is OfferFailure.BUSY
    assert centre.acd.agent(ANN).reason == "phone-busy"


def test_a_phone_without_a_binding_fails_the_offer_at_once(centre: CallCentre) -> None:
    centre.phones(ANN)
    centre.switch.reachable.discard(ANN)
    caller = centre.call(QUEUE)
    assert centre.contact(caller).stage is Stage.WAITING
    assert centre.acd.agent(ANN).reason == "phone-unreachable"


@pytest.mark.parametrize("reason", ["gateway-lost", "internal-error", "media-failed"])
def test_what_fails_on_our_side_does_not_punish_the_agent(centre: CallCentre, reason: str) -> None:
    caller = offered(centre)
    centre.switch.end(centre.switch.phone_leg(ANN), EndCause(Result.FAILED, reason, 503))
    centre.settle()
    assert centre.state(ANN) is AgentState.AVAILABLE
    assert (centre.finished().result, centre.finished().reason) == (ContactResult.FAILED, reason)
    assert caller.id not in centre.switch.legs


def test_who_waits_waits_on_while_there_is_no_port_to_call_an_agent(centre: CallCentre) -> None:
    """A gateway out of reach for some seconds, or full, costs nobody the place in line."""
    first, second = centre.call(QUEUE), centre.call(QUEUE)
    centre.switch.has_media = False
    centre.phones(ANN)
    centre.advance(3.5)
    assert centre.told(ContactFinished) == []
    assert {end.failure for end in centre.told(OfferEnded)} == {OfferFailure.NO_MEDIA}
    assert len(centre.told(OfferEnded)) <= 8, (
        "both are tried once a second, not as fast as it fails"
    )
    assert centre.state(ANN) is AgentState.AVAILABLE
    assert centre.distribution.agent_figures(ANN).missed == 0
    centre.switch.has_media = True
    centre.advance(1.0)
    assert centre.contact(first).agent == ANN
    assert centre.contact(second).stage is Stage.WAITING
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.contact(first).stage is Stage.TALKING


def test_agents_stay_ready_when_there_is_no_gateway_to_call_them(centre: CallCentre) -> None:
    centre.phones(ANN, BOB)
    centre.switch.has_media = False
    centre.call(QUEUE)
    assert centre.state(ANN) is centre.state(BOB) is AgentState.AVAILABLE


def test_an_agent_who_ends_the_conversation_ends_it_for_both(centre: CallCentre) -> None:
    caller = talking(centre)
    centre.switch.end(centre.switch.phone_leg(ANN), BYE)
    centre.settle()
    assert (centre.finished().result, centre.finished().reason) == (
        ContactResult.ANSWERED,
        "agent-hung-up",
    )
    assert caller.id not in centre.switch.legs


def test_an_agent_who_hangs_up_before_the_caller_has_sound_ends_it_for_both(
    centre: CallCentre,
) -> None:
    centre.switch.confirms = False
    caller = talking(centre)
    assert caller.answering
    centre.switch.end(centre.switch.phone_leg(ANN), BYE)
    centre.settle()
    assert not centre.switch.legs


def test_the_desk_ends_the_conversation_as_the_phone_would(centre: CallCentre) -> None:
    caller = talking(centre)
    centre.conversation.hang_up(centre.contact(caller))
    centre.settle()
    assert centre.finished().reason == "agent-hung-up"


def test_an_agent_with_a_desk_wraps_up(centre: CallCentre) -> None:
    centre.desk(ANN)
    caller = talking(centre)
    centre.switch.end(caller)
    centre.settle()
    assert centre.state(ANN) is AgentState.WRAP_UP
    centre.advance(5.0)
    assert centre.state(ANN) is AgentState.AVAILABLE


# --- hold, mute, recording --------------------------------------------------------------------


def test_one_recording_lasts_over_holds_until_the_end(centre: CallCentre) -> None:
    caller = talking(centre, RECORDED)
    agent = centre.switch.phone_leg(ANN)
    for _ in range(4):
        centre.switch.press_hold(agent)
        centre.settle()
    centre.switch.end(caller)
    centre.settle()
    verbs = [verb for verb, _ in centre.switch.log]
    assert verbs.count("record") == verbs.count("stop-recording") == 1
    assert verbs.index("bridge") < verbs.index("record") < verbs.index("stop-recording")


def test_an_entry_that_does_not_record_is_not_recorded(centre: CallCentre) -> None:
    talking(centre)
    assert not centre.switch.recordings


@pytest.mark.parametrize("by_phone", [True, False])
def test_time_on_hold_is_counted_also_of_a_hold_that_lasts_to_the_end(
    centre: CallCentre, by_phone: bool
) -> None:
    caller = talking(centre)
    agent, contact = centre.switch.phone_leg(ANN), centre.contact(caller)
    for held in (True, False, True):
        if by_phone:
            centre.switch.press_hold(agent)
        else:
            centre.conversation.hold(contact, held)
        centre.settle()
        assert centre.state(ANN) is (AgentState.HELD if held else AgentState.TALKING)
        centre.advance(3.0)
    centre.switch.end(caller)
    centre.settle()
    assert centre.finished().held_s == pytest.approx(6.0)


def test_the_microphone_is_muted_once_and_digits_go_to_the_caller(centre: CallCentre) -> None:
    caller = talking(centre)
    contact, agent = centre.contact(caller), centre.switch.phone_leg(ANN)
    for muted in (True, True, False):
        centre.conversation.mute(contact, muted)
    centre.conversation.send_digits(contact, "12#")
    assert centre.switch.verbs(agent.id) == ["mute", "unmute"]
    assert "digits 12#" in centre.switch.verbs(caller.id)


# --- queues, flows and entries ----------------------------------------------------------------


def test_a_caller_is_let_go_when_the_queue_says_so() -> None:
    centre = CallCentre(max_wait_s=30.0)
    caller = centre.call(QUEUE)
    centre.advance(30.0)
    over = centre.finished()
    assert (over.result, over.reason, over.waited_s) == (ContactResult.TIMEOUT, "timeout", 30.0)
    assert caller.id not in centre.switch.legs
    assert centre.acd.late_inputs == 0


def test_a_menu_leads_to_its_queue(centre: CallCentre) -> None:
    caller = menu(centre)
    centre.switch.digit(caller, "1")
    assert centre.contact(caller).stage is Stage.WAITING
    assert caller.music
    assert dict.fromkeys(s.node for s in centre.told(FlowMoved)) == {"menu": None, "sales": None}


def test_a_menu_that_nobody_uses_ends(centre: CallCentre) -> None:
    caller = menu(centre)
    for _ in range(3):
        if caller.id in centre.switch.legs:
            centre.switch.play_out(caller)
            centre.advance(20.0)
    assert centre.finished().result is ContactResult.MENU
    assert not centre.switch.legs


def transferred(centre: CallCentre) -> Leg:
    """A caller whom the menu connects to Cy, whose phone rings."""
    caller = menu(centre)
    centre.switch.digit(caller, "3")
    centre.settle()
    assert centre.contact(caller).stage is Stage.DIRECT
    return caller


def test_a_flow_transfers_to_a_phone_whose_agent_is_engaged(centre: CallCentre) -> None:
    centre.phones(CY)
    caller = transferred(centre)
    assert caller.music
    assert centre.state(CY) is AgentState.ENGAGED
    centre.switch.confirm(centre.switch.phone_leg(CY))
    centre.settle()
    assert len(centre.told(ContactConnected)) == 1
    centre.switch.end(caller)
    centre.settle()
    assert centre.finished().result is ContactResult.DIRECT
    assert centre.state(CY) is AgentState.AVAILABLE


def test_a_transfer_that_nobody_takes_ends_unanswered(centre: CallCentre) -> None:
    centre.phones(CY)
    transferred(centre)
    centre.advance(30.0)
    assert (centre.finished().result, centre.finished().reason) == (
        ContactResult.NO_ANSWER,
        "ring-timeout",
    )
    assert not centre.switch.legs
    assert centre.state(CY) is AgentState.AVAILABLE


def test_a_transfer_to_a_phone_that_is_away_fails_at_once(centre: CallCentre) -> None:
    transferred_to_nobody = menu(centre)
    centre.switch.digit(transferred_to_nobody, "3")
    centre.settle()
    assert centre.finished().result is ContactResult.UNREACHABLE


def test_a_caller_who_goes_while_the_transfer_rings_takes_it_along(centre: CallCentre) -> None:
    centre.phones(CY)
    caller = transferred(centre)
    centre.switch.end(caller)
    centre.settle()
    assert not centre.switch.legs
    assert centre.finished().reason == "caller-hung-up"


def test_a_transfer_to_a_number_that_flows_may_not_reach_fails(centre: CallCentre) -> None:
    centre.call(NOWHERE)
    assert (centre.finished().result, centre.finished().reason) == (
        ContactResult.FAILED,
        "transfer-failed",
    )


def test_an_entry_that_is_not_configured_is_refused(centre: CallCentre) -> None:
    caller = centre.call("999")
    assert centre.switch.verbs(caller.id) == ["reject 404"]
    assert not centre.reports[-1:] or not len(centre.contacts)


# --- agents' own calls ------------------------------------------------------------------------


def test_an_agent_on_a_call_of_its_own_is_offered_nothing(centre: CallCentre) -> None:
    centre.phones(ANN)
    own = centre.switch.incoming(MENU, phone=ANN)
    centre.settle()
    assert centre.state(ANN) is AgentState.ENGAGED
    caller = waiting(centre)
    centre.switch.end(own)
    centre.settle()
    assert centre.contact(caller).agent == ANN
