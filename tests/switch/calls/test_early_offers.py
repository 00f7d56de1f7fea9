"""Offers in an UPDATE while the INVITE is not answered: of callers and of callees."""

from __future__ import annotations

import re

from switch.calls.events import LegHeld
from switch.sdp.description import Direction
from switch.sip.events import Progress, ReofferAnswered, ReofferFailed
from tests.switch.calls.bench import Bench
from tests.switch.calls.phone import Phone
from tests.switch.calls.test_early_media import announce

ELSEWHERE = "127.0.0.7"


def moves(phone: Phone) -> None:
    """Offer to be sent its sound elsewhere."""
    assert phone.sound is not None
    phone.sound.name_address(ELSEWHERE)
    phone.reoffer(Direction.SENDRECV)


def ringing() -> tuple[Bench, Phone, Phone]:
    """1001 has called 1002, which lets it hear something."""
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    announce(bob)
    return bench, ann, bob


def answer(phone: Phone) -> None:
    """Answer; what was agreed upon is not said again."""
    phone.answer(body=b"" if phone.sound is None else phone.sound._text)


def test_a_callee_takes_its_sound_elsewhere_before_it_answers() -> None:
    bench, ann, bob = ringing()
    caller, callee = bench.leg_of("1001"), bench.leg_of("1002")
    moves(bob)
    assert bob.last(ReofferAnswered) is not None
    assert bench.gateway.configured[callee].remote_address == ELSEWHERE
    assert bench.heard() == {caller: {callee}}
    answer(bob)
    assert bench.gateway.configured[callee].remote_address == ELSEWHERE, "the 2xx says nothing new"
    assert bench.heard() == {caller: {callee}, callee: {caller}}
    ann.hang_up()
    assert bob.is_idle
    bench.check_forgotten()


def test_a_caller_holds_while_it_rings() -> None:
    bench, ann, bob = ringing()
    caller = bench.leg_of("1001")
    told = ann.last(Progress)
    assert told is not None
    assert told.body is not None
    assert ann.sound is not None
    ann.sound.accept_answer(told.body)
    ann.hold()
    assert ann.last(ReofferAnswered) is not None
    assert not bench.gateway.configured[caller].send
    answer(bob)
    assert [event.leg for event in bench.of(LegHeld)] == [caller]
    ann.resume()
    assert bench.gateway.configured[caller].send
    assert bench.heard() == {caller: {bench.leg_of("1002")}, bench.leg_of("1002"): {caller}}
    ann.hang_up()
    bench.check_forgotten()


def test_an_early_offer_that_cannot_be_taken_changes_nothing() -> None:
    bench, ann, bob = ringing()
    callee = bench.leg_of("1002")
    before = bench.gateway.configured[callee]
    assert bob.sound is not None
    bob.send_reoffer(re.sub(rb"m=audio \d+", b"m=audio 0", bob.sound.make_offer()))
    refused = bob.last(ReofferFailed)
    assert refused is not None
    assert refused.status == 488
    assert bench.gateway.configured[callee] == before
    answer(bob)
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()


def test_of_several_places_each_may_offer_anew() -> None:
    bench = Bench()
    ann, desk, mobile = bench.phone("1001"), bench.phone("1002"), bench.phone("1002")
    ann.call("1002")
    announce(desk)
    moves(desk)
    assert desk.last(ReofferAnswered) is not None
    assert bench.heard() == {}
    answer(desk)
    assert mobile.is_idle
    assert bench.gateway.configured[bench.leg_of("1002")].remote_address == ELSEWHERE
    ann.hang_up()
    bench.check_forgotten()


def test_an_early_agreement_outlives_the_process() -> None:
    bench, ann, bob = ringing()
    moves(bob)
    bench.restart()
    answer(bob)
    caller, callee = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.gateway.configured[callee].remote_address == ELSEWHERE
    assert bench.heard() == {caller: {callee}, callee: {caller}}
    ann.hang_up()
    bench.check_forgotten()
