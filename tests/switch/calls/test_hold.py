"""Hold by re-INVITE and by command, and who hears what meanwhile."""

from __future__ import annotations

import pytest

from switch.calls.events import IncomingLeg, LegHeld, LegResumed
from switch.gateway.protocol import RtpTimeout
from switch.ids import LegId
from switch.sdp.description import Direction
from switch.sip.events import ReofferAnswered, ReofferFailed
from tests.switch.calls.bench import Bench
from tests.switch.calls.phone import Phone


def talking() -> tuple[Bench, Phone, LegId, Phone, LegId]:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bob.answer()
    return bench, ann, bench.leg_of("1001"), bob, bench.leg_of("1002")


@pytest.mark.parametrize("direction", [Direction.SENDONLY, Direction.INACTIVE])
def test_a_phone_that_holds_gives_its_peer_music_and_resume_restores(direction: Direction) -> None:
    bench, ann, a, _, b = talking()
    ann.reoffer(direction)
    assert ann.last(ReofferAnswered) is not None
    assert bench.heard() == {b: {bench.music}}
    assert not bench.gateway.configured[a].send
    assert bench.gateway.configured[a].receive == (direction is Direction.SENDONLY)
    ann.resume()
    assert bench.heard() == {a: {b}, b: {a}}
    assert bench.gateway.configured[a].send
    held, resumed = bench.of(LegHeld), bench.of(LegResumed)
    assert [(event.leg, event.by_command) for event in held] == [(a, False)]
    assert [event.leg for event in resumed] == [a]
    ann.hang_up()
    bench.check_forgotten()


def test_the_null_address_is_a_hold_too() -> None:
    bench, ann, _, _, b = talking()
    assert ann.sound is not None
    offer = ann.sound.make_offer().replace(b"c=IN IP4 127.0.0.1", b"c=IN IP4 0.0.0.0")
    ann.send_reoffer(offer)
    assert bench.heard() == {b: {bench.music}}


def test_a_reinvite_is_not_passed_on() -> None:
    _bench, ann, _, bob, _ = talking()
    before = len(bob.events)
    ann.hold()
    ann.resume()
    assert len(bob.events) == before


def test_a_new_address_in_a_reinvite_reaches_the_gateway_and_is_no_hold() -> None:
    bench, ann, a, _, b = talking()
    assert ann.sound is not None
    offer = ann.sound.make_offer().replace(b"m=audio 3", b"m=audio 2")
    ann.send_reoffer(offer)
    assert str(bench.gateway.configured[a].remote_port).startswith("2")
    assert bench.of(LegHeld) == []
    assert bench.heard() == {a: {b}, b: {a}}


def test_a_reinvite_that_offers_nothing_of_ours_is_refused_and_changes_nothing() -> None:
    bench, ann, a, _, b = talking()
    assert ann.sound is not None
    offer = ann.sound.make_offer()
    ann.send_reoffer(offer.replace(b"RTP/AVP 0 8", b"RTP/AVP 18 3"))
    failed = ann.last(ReofferFailed)
    assert failed is not None
    assert failed.status == 488
    assert bench.heard() == {a: {b}, b: {a}}
    ann.hang_up()
    bench.check_forgotten()


def test_both_may_hold() -> None:
    bench, ann, a, bob, b = talking()
    ann.hold()
    bob.hold()
    assert bench.heard() == {}
    ann.resume()
    assert bench.heard() == {a: {bench.music}}
    bob.resume()
    assert bench.heard() == {a: {b}, b: {a}}
    assert [event.leg for event in bench.of(LegHeld)] == [a, b]
    assert [event.leg for event in bench.of(LegResumed)] == [a, b]


def test_hold_by_command_adds_to_the_phones_own() -> None:
    bench, ann, a, _, b = talking()
    bench.calls.hold(a)
    bench.calls.hold(a)
    ann.hold()
    bench.pump()
    assert bench.heard() == {b: {bench.music}}
    bench.calls.resume(a)
    bench.pump()
    assert bench.of(LegResumed) == []
    ann.resume()
    assert [event.leg for event in bench.of(LegResumed)] == [a]
    assert [event.by_command for event in bench.of(LegHeld)] == [True]
    assert bench.heard() == {a: {b}, b: {a}}


def test_a_call_that_begins_on_hold_is_held_from_the_start() -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bob.answer(direction=Direction.INACTIVE)
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    assert [event.leg for event in bench.of(LegHeld)] == [b]
    assert bench.heard() == {a: {bench.music}}


@pytest.mark.parametrize("step", ["caller", "callee"])
def test_hanging_up_while_held_leaves_nothing(step: str) -> None:
    bench, ann, _, bob, _ = talking()
    ann.hold()
    (ann if step == "caller" else bob).hang_up()
    bench.check_forgotten()


def test_silence_of_an_agent_leaves_the_customer_to_the_application() -> None:
    bench = Bench()
    agent, customer = bench.phone("1001"), bench.stranger("+12025550100")
    customer.call("4000")
    (incoming,) = bench.of(IncomingLeg)
    bench.calls.answer(incoming.leg)
    leg = bench.calls.call_phone(
        "1001",
        call=incoming.call,
        caller_number="",
        caller_name="",
        ring_timeout_s=20,
        headers={},
    )
    bench.pump()
    agent.answer()
    bench.calls.bridge(incoming.leg, leg)
    bench.gateway.events.append(RtpTimeout(leg=leg, silent_ms=30000))
    bench.pump()
    assert agent.is_idle
    assert {of: cause.reason for of, cause in bench.ends().items()} == {leg: "rtp-timeout"}
    assert not customer.is_idle
    customer.hang_up()
    bench.check_forgotten()


def test_silence_ends_both_legs_of_a_direct_call() -> None:
    bench, ann, a, bob, _ = talking()
    bench.gateway.events.append(RtpTimeout(leg=a, silent_ms=30000))
    bench.pump()
    assert ann.is_idle
    assert bob.is_idle
    assert {cause.reason for cause in bench.ends().values()} == {"rtp-timeout"}
    bench.check_forgotten()


def test_a_phone_that_fell_silent_on_hold_is_listened_for_anew_after_it() -> None:
    bench, ann, a, _, _ = talking()
    bench.calls.hold(a)
    bench.gateway.events.append(RtpTimeout(leg=a, silent_ms=30000))
    bench.pump()
    del bench.gateway.configured[a]
    bench.calls.resume(a)
    assert bench.gateway.configured[a].receive
    bench.gateway.events.append(RtpTimeout(leg=a, silent_ms=30000))
    bench.pump()
    assert ann.is_idle
    bench.check_forgotten()


def test_silence_of_a_leg_that_holds_or_of_one_that_is_over_means_nothing() -> None:
    bench, ann, a, _, b = talking()
    ann.hold()
    bench.calls.hold(b)
    for leg in (a, b, LegId("gone")):
        bench.gateway.events.append(RtpTimeout(leg=leg, silent_ms=30000))
    bench.pump()
    assert bench.calls.legs_alive == 2
    ann.hang_up()
    bench.gateway.events.append(RtpTimeout(leg=a, silent_ms=30000))
    bench.check_forgotten()
