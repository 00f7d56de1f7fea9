"""Phones call each other and out through a trunk; every way to end leaves nothing behind."""

from __future__ import annotations

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import LegAnswered, LegRinging, LegsBridged, LegStarted
from switch.sip.events import Invited
from tests.switch.calls.bench import CARRIER, Bench
from tests.switch.calls.phone import Phone


def ringing() -> tuple[Bench, Phone, Phone]:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    return bench, ann, bob


def talking() -> tuple[Bench, Phone, Phone]:
    bench, ann, bob = ringing()
    bob.ring()
    bob.answer()
    return bench, ann, bob


def test_ringing_is_relayed_and_the_answer_bridges_both() -> None:
    bench, ann, bob = ringing()
    bob.ring()
    assert ann.statuses() == [401, 180]
    bob.answer()
    assert ann.statuses() == [401, 180, 200]
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.heard() == {a: {b}, b: {a}}
    assert [(event.a, event.b) for event in bench.of(LegsBridged)] == [(a, b)]
    assert [event.leg for event in bench.of(LegRinging)] == [b]
    assert [event.leg for event in bench.of(LegAnswered)] == [b, a]
    assert {event.phone: event.outbound for event in bench.of(LegStarted)} == {
        "1001": False,
        "1002": True,
    }
    assert len(bench.calls.describe()) == 2


def test_the_callee_sees_who_calls() -> None:
    _, _, bob = ringing()
    invited = bob.last(Invited)
    assert invited is not None
    assert invited.request.from_.display_name == "Phone 1001"
    assert invited.request.from_.uri.username == "1001"
    assert invited.request.to.uri.username == "1002"


def test_a_call_has_only_so_many_hops() -> None:
    """Two switches that lead a number to each other do not go on for ever (RFC 3261 section 16.6)."""
    _, _, bob = ringing()
    invited = bob.last(Invited)
    assert invited is not None
    assert invited.request.headers.get("Max-Forwards") == "69"

    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.max_forwards = "1"
    ann.call("1002")
    invited = bob.last(Invited)
    assert invited is not None
    assert invited.request.headers.get("Max-Forwards") == "0"
    ann.cancel()
    ann.max_forwards = "0"
    ann.call("1002")
    assert ann.statuses()[-1] == 483
    ann.call("4000")
    assert ann.statuses()[-1] != 483, "an entry is the end of its way"
    ann.cancel()
    bench.check_forgotten()


def test_the_gateway_is_told_where_each_phone_listens() -> None:
    bench, ann, bob = talking()
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    for leg, phone in ((a, ann), (b, bob)):
        configured = bench.gateway.configured[leg]
        assert configured.remote_address == "127.0.0.1"
        assert configured.codec == "PCMU"
        assert configured.telephone_event_payload_type == 101
        assert phone.sound is not None
        assert phone.sound.current is not None
        assert phone.sound.current.remote_port == bench.gateway.legs[leg]
        assert phone.sound.current.remote_address == "127.0.0.9"


def test_caller_hangs_up() -> None:
    bench, ann, bob = talking()
    ann.hang_up()
    assert bob.is_idle
    assert set(bench.ends().values()) == {EndCause(Result.COMPLETED, "caller-hung-up")}
    bench.check_forgotten()


def test_callee_hangs_up() -> None:
    bench, ann, bob = talking()
    bob.hang_up()
    assert ann.is_idle
    assert set(bench.ends().values()) == {EndCause(Result.COMPLETED, "callee-hung-up")}
    bench.check_forgotten()


@pytest.mark.parametrize("alerted", [False, True])
def test_caller_cancels_before_the_answer(alerted: bool) -> None:
    bench, ann, bob = ringing()
    if alerted:
        bob.ring()
    ann.cancel()
    assert bob.is_idle
    assert {cause.result for cause in bench.ends().values()} == {Result.CANCELLED}
    bench.check_clean()
    bench.advance(60)
    bench.check_forgotten()


def test_an_answer_that_crosses_the_cancel_is_taken_back() -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bob.ring()
    ann.user_agent.end(ann.live, bench.clock.now())
    bob.answer()
    bench.pump()
    assert ann.is_idle
    assert bob.is_idle
    bench.check_forgotten()


@pytest.mark.parametrize(
    ("status", "told", "result"),
    [
        (486, 486, Result.BUSY),
        (600, 600, Result.BUSY),
        (603, 603, Result.REJECTED),
        (403, 403, Result.REJECTED),
        (480, 480, Result.NO_ANSWER),
        (404, 404, Result.UNREACHABLE),
        (503, 480, Result.UNREACHABLE),
        (302, 480, Result.UNREACHABLE),
        (401, 603, Result.REJECTED),
    ],
)
def test_callee_refuses(status: int, told: int, result: Result) -> None:
    bench, ann, bob = ringing()
    callee = bench.leg_of("1002")
    bob.reject(status)
    assert ann.statuses() == [401, told]
    assert bench.ends()[callee].result is result
    bench.check_forgotten()


def test_nobody_answers_for_a_minute() -> None:
    bench, ann, bob = ringing()
    bob.ring()
    bench.advance(59)
    assert not bob.is_idle
    bench.advance(1.5)
    assert ann.statuses()[-1] == 480
    assert bob.is_idle
    assert set(bench.ends().values()) == {
        EndCause(Result.NO_ANSWER, "ring-timeout"),
        EndCause(Result.NO_ANSWER, "ring-timeout", 480),  # what the caller was told
    }
    bench.check_forgotten()


def test_a_phone_that_is_off_does_not_hang_the_caller() -> None:
    bench, ann, _ = ringing()
    ann.cancel()
    bench.check_clean()
    bench.lose = lambda data: data.startswith(b"INVITE sip:1002@127.0.0.1:7001")
    ann.call("1002")
    bench.advance(40)
    assert ann.statuses()[-1] == 480
    bench.advance(40)
    bench.check_forgotten()


def test_a_phone_without_a_binding_is_480_at_once() -> None:
    bench = Bench()
    ann = bench.phone("1001")
    ann.call("1003")
    assert ann.statuses() == [401, 480]
    assert EndCause(Result.UNREACHABLE, "no-binding", 480) in bench.ends().values()
    bench.check_forgotten()


def test_a_phone_calls_out_through_the_trunk_and_others_may_not() -> None:
    bench = Bench()
    ann, other = bench.phone("1001"), bench.phone("1011")
    carrier = bench.stranger("carrier", CARRIER)
    other.call("+12025550100")
    assert other.statuses() == [401, 403]
    assert carrier.session is None
    ann.call("+12025550100")
    invited = carrier.last(Invited)
    assert invited is not None
    assert invited.request.uri == "sip:+12025550100@127.0.0.1:5090"
    carrier.answer()
    assert ann.statuses() == [401, 200]
    assert bench.calls.limits.live("out") == 1
    carrier.hang_up()
    assert ann.is_idle
    bench.check_forgotten()


def test_a_full_trunk_refuses_with_503() -> None:
    bench = Bench()
    phones = [bench.phone(number) for number in ("1001", "1002", "1001")]
    carriers = bench.stranger("carrier", CARRIER)
    for phone in phones[:2]:
        phone.call("+12025550100")
        carriers.answer()
    phones[2].call("5550100")
    assert phones[2].statuses() == [401, 503]
    phones[0].hang_up()
    phones[1].hang_up()
    bench.check_forgotten()


def test_a_tie_of_both_hanging_up_at_once_leaves_nothing() -> None:
    bench, ann, bob = talking()
    ann.user_agent.end(ann.live, bench.clock.now())
    bob.hang_up()
    bench.advance(40)
    assert ann.is_idle
    assert bob.is_idle
    bench.check_forgotten()


def test_a_bye_that_is_lost_for_ever_still_ends_both_legs() -> None:
    bench, _ann, bob = talking()
    bench.lose = lambda data: b"BYE" in data[:4] and b"sip:1001@" in data[:40]
    bob.hang_up()
    bench.advance(60)
    bench.check_forgotten()
