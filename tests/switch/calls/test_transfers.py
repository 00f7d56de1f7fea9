"""Phones transfer calls by REFER: to a number, to another call of theirs, and back when it fails."""

from __future__ import annotations

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg, LegEnded, LegReplaced, PickUpAsked
from switch.calls.features import PhoneFeatures
from switch.calls.gateways import FIRST
from switch.ids import LegId
from switch.sip.events import Invited
from tests.switch.calls.bench import CARRIER, Bench
from tests.switch.calls.phone import Phone
from tests.switch.calls.test_forking import ELSEWHERE, reason_of, ringing


def talking(callee: str = "1002") -> tuple[Bench, Phone, Phone, Phone]:
    """1001 talks to 1002; 1003 is there."""
    bench = Bench()
    ann, bob, eve = bench.phone("1001"), bench.phone(callee), bench.phone("1003")
    ann.call(callee)
    bob.answer()
    return bench, ann, bob, eve


def invite_headers(phone: Phone, name: str) -> str | None:
    invited = phone.last(Invited)
    assert invited is not None, f"{phone.number} was not called"
    return invited.request.headers.get(name)


def together(bench: Bench, a: LegId, b: LegId) -> bool:
    heard = bench.heard()
    return heard.get(a) == {b} and heard.get(b) == {a}


@pytest.mark.parametrize("by_callee", [True, False])
def test_a_blind_transfer_connects_the_far_end_with_the_target(by_callee: bool) -> None:
    bench, ann, bob, eve = talking()
    transferor, stays = (bob, ann) if by_callee else (ann, bob)
    peer, leaves = bench.leg_of(stays.number), bench.leg_of(transferor.number)
    transferor.refer("1003")
    assert transferor.news() == [202, 100]
    assert invite_headers(eve, "Referred-By") == f"<sip:{transferor.number}@127.0.0.1>"
    assert bench.heard() == {}
    assert [player.listeners for player in bench.gateway.players.values()][-1] == (peer,)
    eve.ring()
    assert transferor.news()[-1] == 180
    eve.answer()
    target = bench.leg_of("1003")
    assert together(bench, peer, target)
    assert set(bench.gateway.players) == {bench.music}, "ringing is over"
    assert transferor.news()[-1] == 200
    assert transferor.is_idle
    (told,) = bench.of(LegReplaced)
    assert (told.leg, told.peer, told.by, told.phone) == (leaves, peer, target, "1003")
    assert told.is_answered
    assert bench.events.index(told) < next(
        n for n, e in enumerate(bench.events) if isinstance(e, LegEnded) and e.leg == leaves
    )
    assert bench.ends()[leaves] == EndCause(Result.COMPLETED, "transferred")
    stays.hang_up()
    assert eve.is_idle
    bench.check_forgotten()


@pytest.mark.parametrize("status", [486, 603, 404])
def test_a_target_that_refuses_gives_the_call_back(status: int) -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    eve.reject(status)
    assert bob.news()[-1] == status
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    assert bench.of(LegReplaced) == []
    assert not bob.is_idle
    ann.hang_up()
    assert bob.is_idle
    bench.check_forgotten()


def test_a_target_that_does_not_answer_gives_the_call_back() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    eve.ring()
    bench.advance(61)
    assert eve.is_idle
    assert bob.news()[-1] == 480
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    ann.hang_up()
    bench.check_forgotten()


def test_a_target_that_is_not_there_gives_the_call_back_at_once() -> None:
    bench, ann, bob, _ = talking()
    bob.refer("1004")
    assert bob.news()[-1] == 480
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    ann.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize(
    ("number", "status"), [("+12025550100", 403), ("9999", 404), ("1002", 403), ("", 404)]
)
def test_nobody_is_transferred_where_the_transferor_may_not_call(number: str, status: int) -> None:
    """Its rights count and no other: those of 1001, whom it talks to, reach the trunk."""
    bench, ann, bob, _ = talking("1005")
    carrier = bench.stranger("carrier", CARRIER)
    bob.refer(number.replace("1002", "1005") or "%20")
    assert bob.news() == [status]
    assert carrier.last(Invited) is None
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1005"))
    ann.hang_up()
    bench.check_forgotten()


def test_a_transfer_goes_out_through_a_trunk_with_the_rights_of_the_transferor() -> None:
    bench, ann, bob, _ = talking()
    carrier = bench.stranger("carrier", CARRIER)
    bob.refer("+12025550100")
    carrier.answer()
    assert bob.is_idle
    assert bench.calls.limits.live("out") == 1
    ann.hang_up()
    assert carrier.is_idle
    bench.check_forgotten()


def test_early_media_of_the_target_is_heard_in_place_of_ringing() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    invited = eve.last(Invited)
    assert invited is not None
    assert invited.offer is not None
    assert eve.sound is not None
    body = eve.sound.answer(invited.offer)[1]
    eve.user_agent.ring(eve.live, bench.clock.now(), 183, body=body)
    bench.pump()
    peer = bench.leg_of("1001")
    assert bench.heard() == {peer: {bench.leg_of("1003")}}
    eve.answer(body=body)
    assert together(bench, peer, bench.leg_of("1003"))
    ann.hang_up()
    bench.check_forgotten()


def test_the_transferor_may_hang_up_before_the_target_answers() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    bob.hang_up()
    assert not ann.is_idle
    (told,) = bench.of(LegReplaced)
    assert not told.is_answered
    eve.answer()
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1003"))
    assert bob.news()[-1] == 200, "it is told all the same"
    ann.hang_up()
    assert eve.is_idle
    bench.check_forgotten()


def test_who_hung_up_too_soon_is_called_again() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    bob.hang_up()
    eve.reject(486)
    assert not ann.is_idle
    assert not bob.is_idle, "it rings again"
    bob.answer()
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    ann.hang_up()
    bench.check_forgotten()


def test_when_nobody_at_all_wants_the_call_it_ends() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    bob.hang_up()
    eve.reject(486)
    bob.reject(486)
    assert ann.is_idle
    bench.check_forgotten()


def test_who_is_transferred_may_hang_up() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    eve.ring()
    ann.hang_up()
    assert eve.is_idle
    assert bob.news()[-1] == 487
    assert bob.is_idle
    bench.check_forgotten()


def test_one_transfer_at_a_time() -> None:
    bench, ann, bob, eve = talking()
    last = bench.phone("1004")
    bob.refer("1003")
    bob.refer("1004")
    assert last.last(Invited) is None
    assert 491 in bob.news()
    ann.refer("1004")
    assert last.last(Invited) is None
    eve.answer()
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1003"))
    ann.hang_up()
    bench.check_forgotten()


def test_a_caller_from_a_trunk_transfers_nobody() -> None:
    bench = Bench()
    caller, eve = bench.stranger("+12025550101"), bench.phone("1003")
    caller.call("4000")
    leg = bench.of(IncomingLeg)[-1].leg
    bench.calls.answer(leg)
    bench.pump()
    caller.refer("1003")
    assert caller.news() == [403]
    assert eve.last(Invited) is None
    caller.hang_up()
    bench.check_forgotten()


def test_a_transfer_to_an_entry_brings_the_far_end_there() -> None:
    bench, ann, bob, _ = talking()
    bob.refer("4000")
    assert bob.is_idle
    assert bob.news() == [202, 100, 200]
    (told,) = bench.of(IncomingLeg)
    assert told.leg == bench.leg_of("1001")
    assert told.is_answered
    assert (told.entry, told.redirected_by) == ("menu", "1002")
    assert not ann.is_idle
    assert bench.calls.direct_calls == 0
    ann.hang_up()
    bench.check_forgotten()


# --- attended -----------------------------------------------------------------------------------


def consulting() -> tuple[Bench, Phone, Phone, Phone, Phone]:
    """1002 talks to 1001 on one line, holds, and talks to 1003 on another."""
    bench, ann, bob, eve = talking()
    second = bench.stranger("1002", ("127.0.0.1", 7777))
    bob.hold()
    second.call("1003")
    eve.answer()
    return bench, ann, bob, second, eve


def test_an_attended_transfer_connects_both_far_ends() -> None:
    bench, ann, bob, second, eve = consulting()
    peer, there = bench.leg_of("1001"), bench.leg_of("1003")
    bob.refer("1003", to_call=second)
    assert together(bench, peer, there)
    assert bob.is_idle
    assert second.is_idle
    assert bob.news()[-1] == 200
    (told,) = bench.of(LegReplaced)
    assert (told.peer, told.by) == (peer, there)
    assert told.other is not None
    assert bench.calls.direct_calls == 1
    eve.hang_up()
    assert ann.is_idle
    bench.check_forgotten()


def test_the_second_call_may_be_referred_to_the_first_as_well() -> None:
    bench, ann, bob, second, eve = consulting()
    second.refer("1001", to_call=bob)
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1003"))
    assert bob.is_idle
    assert second.is_idle
    ann.hang_up()
    assert eve.is_idle
    bench.check_forgotten()


def test_a_call_of_somebody_else_is_no_target() -> None:
    bench, ann, bob, _ = talking()
    cy, dan = bench.phone("1010"), bench.phone("1011")
    cy.call("1011")
    dan.answer()
    bob.refer("1010", to_call=cy)
    assert bob.news() == [481]
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    assert together(bench, bench.leg_of("1010"), bench.leg_of("1011"))
    ann.hang_up()
    cy.hang_up()
    bench.check_forgotten()


def asking() -> tuple[Bench, Phone, Phone, Phone, Phone]:
    """1002 talks to 1001, and has called 1003, where it rings."""
    bench, ann, bob, eve = talking()
    second = bench.stranger("1002", ("127.0.0.1", 7777))
    bob.hold()
    second.call("1003")
    eve.ring()
    return bench, ann, bob, second, eve


def test_a_call_that_rings_for_the_transferor_rings_for_the_far_end_then() -> None:
    """Semi-attended: nobody is called anew, and the phone that rings notices nothing."""
    bench, ann, bob, second, eve = asking()
    peer, target = bench.leg_of("1001"), bench.leg_of("1003")
    bob.refer("1003", to_call=second)
    assert bob.news() == [202, 100, 180]
    assert second.statuses()[-1] == 487
    assert second.is_idle
    assert [type(event).__name__ for event in eve.events] == ["Invited"]
    assert [player.listeners for player in bench.gateway.players.values()][-1] == (peer,)
    eve.answer()
    assert together(bench, peer, target)
    assert bob.news()[-1] == 200
    assert bob.is_idle
    (told,) = bench.of(LegReplaced)
    assert (told.peer, told.by, told.phone) == (peer, target, "1003")
    ann.hang_up()
    assert eve.is_idle
    bench.check_forgotten()


def test_when_it_refuses_the_far_end_is_back_with_the_transferor() -> None:
    bench, ann, bob, eve = talking()
    leg = bench.leg_of("1002")
    second = bench.stranger("1002", ("127.0.0.1", 7777))
    bob.hold()
    second.call("1003")
    eve.ring()
    bob.refer("1003", to_call=second)
    eve.reject(486)
    assert bob.news()[-1] == 486
    assert not bob.is_idle
    bob.resume()
    assert together(bench, bench.leg_of("1001"), leg)
    ann.hang_up()
    bench.check_forgotten()


def test_the_transferor_need_not_wait_for_whom_it_has_rung() -> None:
    bench, ann, bob, second, eve = asking()
    bob.refer("1003", to_call=second)
    bob.hang_up()
    eve.answer()
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1003"))
    eve.hang_up()
    assert ann.is_idle
    bench.check_forgotten()


def test_a_call_that_is_answered_and_waits_for_an_ack_is_no_target_yet() -> None:
    """The transferor's phone lets us offer: its call stands when its ACK has come."""
    bench, ann, bob, eve = talking()
    peer, own = bench.leg_of("1001"), bench.leg_of("1002")
    second = bench.stranger("1002", ("127.0.0.1", 7777))
    bob.hold()
    second.offers = False
    second.call("1003")
    eve.ring()
    eve.answer()
    bob.refer("1003", to_call=second)
    assert bob.news() == [491]
    bob.resume()
    assert together(bench, peer, own)
    bench.advance(33)
    assert eve.is_idle
    ann.hang_up()
    bench.check_forgotten()


def test_what_the_ringing_one_plays_is_heard_by_the_far_end() -> None:
    bench, ann, bob, second, eve = asking()
    invited = eve.last(Invited)
    assert invited is not None
    assert invited.offer is not None
    assert eve.sound is not None
    body = eve.sound.answer(invited.offer)[1]
    eve.user_agent.ring(eve.live, bench.clock.now(), 183, body=body)
    bench.pump()
    bob.refer("1003", to_call=second)
    assert bench.heard() == {bench.leg_of("1001"): {bench.leg_of("1003")}}
    assert set(bench.gateway.players) == {bench.music}
    eve.answer(body=body)
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1003"))
    ann.hang_up()
    bench.check_forgotten()


def test_a_ringing_call_of_somebody_else_is_no_target() -> None:
    bench, ann, bob, eve = talking()
    cy = bench.phone("1010")
    cy.call("1003")
    eve.ring()
    bob.refer("1003", to_call=cy)
    assert bob.news() == [481]
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    assert not cy.is_idle
    ann.hang_up()
    cy.hang_up()
    bench.check_forgotten()


def waiting() -> tuple[Bench, Phone, Phone, Phone, IncomingLeg]:
    """1002 talks to 1001, and has called an entry, where it rings."""
    bench, ann, bob, _ = talking()
    second = bench.stranger("1002", ("127.0.0.1", 7777))
    bob.hold()
    second.call("4000")
    (arrived,) = bench.of(IncomingLeg)
    bench.calls.ring(arrived.leg)
    bench.pump()
    return bench, ann, bob, second, arrived


@pytest.mark.parametrize("answered", [False, True])
def test_who_waits_for_a_queue_gives_its_place_to_the_far_end(answered: bool) -> None:
    bench, ann, bob, second, arrived = waiting()
    if answered:
        bench.calls.answer(arrived.leg)
        bench.pump()
    PhoneFeatures(bench.calls).ask_where_legs_wait({arrived.leg: "4000"}.get)
    peer = bench.leg_of("1001")
    bob.refer("4000", to_call=second)
    assert bob.news() == [202, 100, 200]
    assert bob.is_idle
    assert second.is_idle
    assert answered or second.statuses()[-1] == 487
    told = bench.of(IncomingLeg)[-1]
    assert (told.leg, told.entry, told.is_answered) == (peer, "4000", True)
    assert told.place_of == arrived.leg
    ends = [event.leg for event in bench.of(LegEnded)]
    assert arrived.leg in ends
    assert not ann.is_idle
    ann.hang_up()
    bench.check_forgotten()


def test_who_may_not_wait_there_takes_no_place() -> None:
    """An agent, or who is asked: the customer would be left alone."""
    bench, ann, bob, second, arrived = waiting()
    features = PhoneFeatures(bench.calls)
    features.ask_where_legs_wait({arrived.leg: "4000"}.get)
    features.ask_before_entries(lambda entry, number, leg: 403)
    peer = bench.leg_of("1001")
    own = next(leg.id for leg in bench.calls.legs if leg.phone == "1002")
    bob.refer("4000", to_call=second)
    assert bob.news() == [403]
    bob.resume()
    assert together(bench, peer, own)
    assert not second.is_idle
    second.hang_up()
    ann.hang_up()
    bench.check_forgotten()


def test_a_call_that_waits_for_nothing_is_no_target() -> None:
    bench, ann, bob, second, _ = waiting()
    peer = bench.leg_of("1001")
    own = next(leg.id for leg in bench.calls.legs if leg.phone == "1002")
    bob.refer("4000", to_call=second)
    assert bob.news() == [481]
    bob.resume()
    assert together(bench, peer, own)
    second.hang_up()
    ann.hang_up()
    bench.check_forgotten()


# --- Replaces in an INVITE ----------------------------------------------------------------------


def test_a_ringing_call_is_picked_up() -> None:
    bench = Bench()
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    ann.call("1002")
    bob.ring()
    eve.call_instead(bob.replaces())
    assert bob.is_idle
    assert eve.statuses()[-1] == 200
    assert ann.statuses()[-1] == 200
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1003"))
    ann.hang_up()
    assert eve.is_idle
    bench.check_forgotten()


def test_the_phones_that_rang_are_told_that_the_call_was_taken_elsewhere() -> None:
    """CANCEL with a Reason (RFC 3326): they show no missed call."""
    bench, ann, (desk, mobile) = ringing(None, None)
    desk.ring()
    mobile.ring()
    eve = bench.phone("1003")
    eve.call_instead(f"{mobile.replaces()};early-only")
    assert reason_of(desk) == reason_of(mobile) == ELSEWHERE
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1003"))
    ann.hang_up()
    bench.check_forgotten()


def test_the_application_says_who_may_pick_up() -> None:
    bench = Bench()
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    ann.call("1002")
    bob.ring()
    bench.react = lambda event: None
    eve.call_instead(bob.replaces())
    (asked,) = bench.of(PickUpAsked)
    assert (asked.phone, asked.rings_at) == ("1003", "1002")
    assert (asked.leg, asked.ringing) == (bench.leg_of("1003"), bench.leg_of("1002"))
    assert eve.statuses() == [401], "it waits for the application"
    assert not bob.is_idle
    bench.calls.reject(asked.leg, 403, "Forbidden")
    bench.pump()
    assert eve.statuses()[-1] == 403
    bob.answer()
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    ann.hang_up()
    bench.check_forgotten()


def test_what_was_answered_meanwhile_is_not_picked_up() -> None:
    bench, ann, bob, eve = talking()
    eve.call_instead(f"{bob.replaces()};early-only")
    assert eve.statuses()[-1] == 486
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    ann.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize("wrong", ["call-id", "to-tag", "from-tag"])
def test_who_guesses_picks_up_nothing(wrong: str) -> None:
    bench = Bench()
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    ann.call("1002")
    bob.ring()
    named = bob.replaces()
    guess = f"guess{named}" if wrong == "call-id" else named.replace(f"{wrong}=", f"{wrong}=guess")
    eve.call_instead(f"{guess};early-only")
    assert eve.statuses()[-1] == 481
    assert not bob.is_idle
    ann.hang_up()
    eve.call_instead(f"{named};early-only")
    assert eve.statuses()[-1] == 481, "that call is over"
    bench.check_forgotten()


def test_a_transferred_call_that_rings_is_picked_up() -> None:
    """Who was transferred is answered already, and hears ring-back: the two are brought together."""
    bench, ann, bob, eve = talking()
    cy = bench.phone("1004")
    bob.refer("1003")
    eve.ring()
    bob.hang_up()
    cy.call_instead(eve.replaces())
    assert eve.is_idle
    assert bob.is_idle, "it is not called again"
    assert cy.statuses()[-1] == 200
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1004"))
    assert set(bench.gateway.players) == {bench.music}, "ringing is over"
    assert len(bench.calls.transfers) == 0
    bench.restart()
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1004"))
    ann.hang_up()
    assert cy.is_idle
    bench.check_forgotten()


def test_a_call_moves_to_another_phone_of_the_same_number() -> None:
    bench, ann, bob, _ = talking()
    desk = bench.stranger("1002", ("127.0.0.1", 7777))
    desk.call_instead(bob.replaces())
    assert bob.is_idle
    assert not desk.is_idle
    (told,) = bench.of(LegReplaced)
    assert together(bench, bench.leg_of("1001"), told.by)
    ann.hang_up()
    assert desk.is_idle
    bench.check_forgotten()


def test_a_call_moves_to_another_phone_also_while_its_gateway_takes_no_new_calls() -> None:
    bench, ann, bob, eve = talking()
    bench.calls.gateways[FIRST].is_draining = True
    eve.call("1001")
    assert eve.statuses()[-1] == 503
    desk = bench.stranger("1002", ("127.0.0.1", 7777))
    desk.call_instead(bob.replaces())
    assert bob.is_idle
    assert together(bench, bench.leg_of("1001"), bench.of(LegReplaced)[0].by)
    ann.hang_up()
    assert desk.is_idle
    bench.check_forgotten()


def test_nobody_takes_a_call_that_stands_from_another_number() -> None:
    bench, ann, bob, eve = talking()
    eve.call_instead(bob.replaces())
    assert eve.statuses()[-1] == 403
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    ann.hang_up()
    bench.check_forgotten()


def test_nobody_picks_up_the_offer_of_a_queue() -> None:
    bench = Bench()
    bob, eve = bench.phone("1002"), bench.phone("1003")
    leg = bench.calls.call_phone(
        "1002",
        call=bench.new_call(),
        caller_number="",
        caller_name="",
        ring_timeout_s=20,
        headers={},
    )
    bench.pump()
    bob.ring()
    eve.call_instead(bob.replaces())
    assert eve.statuses()[-1] == 403
    assert not bob.is_idle
    bench.calls.hang_up(leg, EndCause(Result.CANCELLED, "enough"))
    bench.pump()
    bench.check_forgotten()


def test_a_stranger_replaces_nothing() -> None:
    bench, ann, bob, _ = talking()
    stranger = bench.stranger("+12025550101")
    stranger.call_instead(bob.replaces())
    assert stranger.statuses()[-1] == 403
    assert not bob.is_idle
    ann.hang_up()
    bench.check_forgotten()


# --- over a restart -----------------------------------------------------------------------------


def test_a_transfer_goes_on_over_a_restart() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    eve.ring()
    bench.restart()
    eve.answer()
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1003"))
    assert bob.is_idle
    ann.hang_up()
    assert eve.is_idle
    bench.check_forgotten()


def test_a_transfer_that_fails_after_a_restart_gives_the_call_back() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    bench.restart()
    eve.reject(486)
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    ann.hang_up()
    assert bob.is_idle
    bench.check_forgotten()


def test_a_recall_after_a_restart() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    bob.hang_up()
    bench.restart()
    eve.reject(486)
    bob.answer()
    assert together(bench, bench.leg_of("1001"), bench.leg_of("1002"))
    ann.hang_up()
    bench.check_forgotten()


def test_the_gateway_may_be_lost_during_a_transfer() -> None:
    bench, ann, bob, eve = talking()
    bob.refer("1003")
    bench.lose_gateway()
    assert ann.is_idle
    assert bob.is_idle
    assert eve.is_idle
    bench.restart_gateway()
    bench.check_forgotten()
