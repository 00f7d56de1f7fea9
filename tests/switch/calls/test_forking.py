"""A phone registered in several places rings in all of them; to the layers above it is one leg."""

from __future__ import annotations

import math

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import LegAnswered, LegRinging, LegRingsElsewhere, LegStarted
from switch.registrar.location import Binding, contact_key
from switch.sip.events import Ended, Invited
from switch.sip.flow import Flow, Transport
from switch.sip.uri import Uri
from tests.switch.calls.bench import SWITCH, Bench
from tests.switch.calls.phone import Phone

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


def placed(bench: Bench, number: str, q: str | None = None, path: tuple[str, ...] = ()) -> Phone:
    """A phone with a binding of this preference."""
    phone = bench.stranger(number, ("127.0.0.1", 7500 + len(bench.location)))
    uri = f"sip:{number}@{phone.address[0]}:{phone.address[1]}"
    binding = Binding(
        contact_uri=uri,
        flow=Flow(Transport.UDP, phone.address, SWITCH),
        expires_at=math.inf,
        static=True,
        q=q,
        path=path,
    )
    bench.location.put(number, contact_key(Uri.parse(uri)), binding)
    return phone


def ringing(*preferences: str | None) -> tuple[Bench, Phone, list[Phone]]:
    bench = Bench()
    ann = bench.phone("1001")
    places = [placed(bench, "1002", q) for q in preferences]
    ann.call("1002")
    return bench, ann, places


def reason_of(phone: Phone) -> str:
    ended = phone.last(Ended)
    assert ended is not None
    return ended.detail


def test_all_places_ring_and_the_first_answer_wins() -> None:
    bench, ann, (desk, mobile, lab) = ringing(None, None, None)
    assert all(not phone.is_idle for phone in (desk, mobile, lab))
    desk.ring()
    mobile.ring()
    assert ann.statuses() == [401, 180]
    mobile.answer()
    assert ann.statuses()[-1] == 200
    assert desk.is_idle
    assert lab.is_idle
    assert reason_of(desk) == reason_of(lab) == ELSEWHERE
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.heard() == {a: {b}, b: {a}}
    assert bench.gateway.configured[b].remote_port == mobile.rtp_port
    assert len(bench.of(LegStarted)) == 2
    assert [event.leg for event in bench.of(LegRinging)] == [b]
    assert [event.leg for event in bench.of(LegAnswered)] == [b, a]
    assert len(bench.gateway.legs) == 2, "one port for all places"
    ann.hang_up()
    assert mobile.is_idle
    bench.check_forgotten()


def test_a_leg_is_named_by_the_first_place_that_rings() -> None:
    bench, ann, (desk, mobile, lab) = ringing(None, None, None)
    leg = bench.leg_of("1002")
    names = bench.calls.replacements.names

    def named(phone: Phone) -> bool:
        found = names(leg)
        asks = phone.replaces()
        return found is not None and asks == (
            f"{found.call_id};to-tag={found.remote_tag};from-tag={found.local_tag}"
        )

    assert names(leg) is None
    mobile.ring()
    assert named(mobile)
    desk.ring()
    assert bench.of(LegRingsElsewhere)
    assert named(desk), "it stands before the other, and both ring"
    desk.reject(486)
    assert named(mobile)
    assert len(bench.of(LegRingsElsewhere)) == 2
    lab.reject(486)
    assert len(bench.of(LegRingsElsewhere)) == 2, "it had not rung"
    mobile.answer()
    assert named(mobile)
    ann.hang_up()
    assert names(leg) is None
    bench.check_forgotten()


def test_a_leg_that_rings_at_the_next_preference_is_named_by_that() -> None:
    bench, ann, (desk, mobile) = ringing("1.0", "0.5")
    leg = bench.leg_of("1002")
    desk.ring()
    first = bench.calls.replacements.names(leg)
    desk.reject(486)
    assert bench.calls.replacements.names(leg) is None, "nothing rings yet"
    assert bench.of(LegRingsElsewhere), "who named it is told"
    mobile.ring()
    second = bench.calls.replacements.names(leg)
    assert first is not None
    assert second is not None
    assert first.call_id != second.call_id
    ann.hang_up()
    bench.check_forgotten()


def test_busy_everywhere_is_busy() -> None:
    bench, ann, (desk, mobile) = ringing(None, None)
    desk.reject(486)
    assert ann.statuses() == [401], "the other may still answer"
    mobile.reject(486)
    assert ann.statuses() == [401, 486]
    assert bench.ends()[bench.leg_of("1002")] == EndCause(Result.BUSY, "busy", 486)
    bench.check_forgotten()


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [(486, 503, 486), (503, 486, 486), (480, 302, 480), (302, 404, 404), (500, 415, 603)],
)
def test_the_best_refusal_is_told(first: int, second: int, told: int) -> None:
    bench, ann, (desk, mobile) = ringing(None, None)
    desk.reject(first)
    mobile.reject(second)
    assert ann.statuses()[-1] == told
    bench.check_forgotten()


def test_who_declines_for_all_ends_it_everywhere() -> None:
    """6xx: nobody else need be asked (RFC 3261 section 16.7, step 5)."""
    bench, ann, (desk, mobile, later) = ringing("0.9", "0.9", "0.1")
    mobile.ring()
    desk.reject(603)
    assert ann.statuses()[-1] == 603
    assert mobile.is_idle
    assert later.last(Invited) is None
    bench.check_forgotten()


def test_the_next_preference_rings_when_the_first_has_refused() -> None:
    bench, ann, (desk, mobile) = ringing("1.0", "0.5")
    assert mobile.last(Invited) is None
    desk.reject(486)
    assert mobile.last(Invited) is not None
    mobile.ring()
    mobile.answer()
    assert ann.statuses() == [401, 180, 200]
    ann.hang_up()
    bench.check_forgotten()


def test_the_next_preference_rings_when_the_first_is_not_answered() -> None:
    bench, ann, (desk, mobile) = ringing("0.8", "0.2")
    desk.ring()
    bench.advance(29)
    assert mobile.last(Invited) is None
    bench.advance(2)
    assert desk.is_idle
    assert mobile.last(Invited) is not None
    bench.advance(30)
    assert ann.statuses()[-1] == 480
    assert mobile.is_idle
    assert bench.ends()[bench.leg_of("1002")] == EndCause(Result.NO_ANSWER, "ring-timeout")
    bench.check_forgotten()


def test_a_place_that_is_switched_off_does_not_hold_up_a_refusal() -> None:
    bench = Bench()
    ann = bench.phone("1001")
    desk, off = placed(bench, "1002"), placed(bench, "1002")
    bench.lose = lambda data: data.startswith(
        f"INVITE sip:1002@127.0.0.1:{off.address[1]}".encode()
    )
    ann.call("1002")
    desk.ring()
    desk.reject(486)
    assert ann.statuses()[-1] == 180
    bench.advance(5)
    assert ann.statuses()[-1] == 486
    bench.check_forgotten()


def test_a_place_that_is_only_slow_is_waited_for() -> None:
    bench, ann, (desk, mobile) = ringing(None, None)
    desk.reject(486)
    bench.advance(10)  # the mobile has said 100 and nothing else
    assert not mobile.is_idle
    mobile.answer()
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()


def test_two_answers_at_once_leave_one_call() -> None:
    bench, ann, (desk, mobile) = ringing(None, None)
    bench.is_stepped = True
    desk.answer()
    mobile.answer()
    bench.is_stepped = False
    bench.pump()
    bench.advance(1)
    assert [desk.is_idle, mobile.is_idle].count(True) == 1
    ann.hang_up()
    assert desk.is_idle
    assert mobile.is_idle
    bench.check_forgotten()


def test_the_caller_gives_up_everywhere() -> None:
    bench, ann, (desk, mobile, later) = ringing(None, None, "0.5")
    desk.ring()
    ann.cancel()
    assert desk.is_idle
    assert mobile.is_idle
    assert later.last(Invited) is None
    bench.check_forgotten()


def test_an_answer_that_cannot_be_used_ends_the_call() -> None:
    bench, ann, (desk, mobile) = ringing(None, None)
    desk.answer(body=b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n")
    assert ann.statuses()[-1] == 488
    assert desk.is_idle
    assert mobile.is_idle
    bench.check_forgotten()


def test_the_gateway_may_be_lost_while_it_rings() -> None:
    bench, ann, (desk, mobile) = ringing(None, None)
    desk.ring()
    bench.lose_gateway()
    assert desk.is_idle
    assert mobile.is_idle
    assert ann.statuses()[-1] == 503
    bench.restart_gateway()
    bench.check_forgotten()


def test_a_path_is_taken_as_the_route() -> None:
    """RFC 3327: calls go by the proxies that the REGISTER passed."""
    bench = Bench()
    ann = bench.phone("1001")
    path = ("<sip:edge.example.com;lr>", "<sip:core.example.com;lr>")
    phone = placed(bench, "1002", path=path)
    ann.call("1002")
    invited = phone.last(Invited)
    assert invited is not None
    assert invited.request.headers.get_all("Route") == list(path)
    ann.cancel()
    bench.check_forgotten()


# --- over a restart -----------------------------------------------------------------------------


@pytest.mark.parametrize("rung", [False, True])
def test_all_places_ring_on_after_a_restart(rung: bool) -> None:
    bench, ann, (desk, mobile, later) = ringing(None, None, "0.2")
    if rung:
        desk.ring()
    bench.restart()
    assert not desk.is_idle
    assert not mobile.is_idle
    mobile.answer()
    assert ann.statuses()[-1] == 200
    assert desk.is_idle
    assert later.last(Invited) is None
    assert reason_of(desk) == ELSEWHERE
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.heard() == {a: {b}, b: {a}}
    ann.hang_up()
    bench.check_forgotten()


def test_a_refusal_before_a_restart_and_one_after_make_one() -> None:
    bench, ann, (desk, mobile, later) = ringing("0.7", "0.7", "0.2")
    desk.reject(486)
    bench.restart()
    mobile.reject(503)
    assert later.last(Invited) is not None
    later.reject(500)
    assert ann.statuses()[-1] == 486
    bench.check_forgotten()


def test_the_turn_of_the_next_preference_comes_after_a_restart_too() -> None:
    bench, ann, (desk, later) = ringing("0.7", "0.2")
    desk.ring()
    bench.advance(10)
    bench.restart()
    bench.advance(21)
    assert desk.is_idle
    later.answer()
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()
