"""Sound before the answer goes to the one who waits for it, in one direction, and to nobody else."""

from __future__ import annotations

import pytest

from switch.calls.events import LegEarlyMedia, LegRinging
from switch.ids import LegId
from switch.sip.events import Invited, Progress
from switch.sip.user_agent_settings import UserAgentSettings
from tests.switch.calls.bench import CARRIER, Bench
from tests.switch.calls.phone import Phone


def announce(phone: Phone, status: int = 183) -> None:
    """Send a provisional response with SDP."""
    invited = phone.last(Invited)
    assert invited is not None
    assert invited.offer is not None
    assert phone.sound is not None
    body = phone.sound.answer(invited.offer)[1]
    phone.user_agent.ring(phone.live, phone._clock.now(), status, body=body)
    phone._pump()


def outside() -> tuple[Bench, Phone, Phone, LegId, LegId]:
    """1001 calls a number outside, whose carrier announces something."""
    bench = Bench()
    ann, carrier = bench.phone("1001"), bench.stranger("carrier", CARRIER)
    ann.call("+12025550100")
    announce(carrier)
    caller = bench.leg_of("1001")
    callee = next(leg.id for leg in bench.calls.legs if leg.outbound)
    return bench, ann, carrier, caller, callee


def test_the_caller_hears_the_carrier_before_the_answer_and_is_not_heard() -> None:
    bench, ann, carrier, caller, callee = outside()
    assert bench.heard() == {caller: {callee}}
    told = ann.last(Progress)
    assert told is not None
    assert told.status == 183
    assert told.body
    assert bench.gateway.configured[callee].remote_port == carrier.rtp_port
    assert bench.gateway.configured[caller].remote_port == ann.rtp_port
    assert [event.leg for event in bench.of(LegEarlyMedia)] == [callee]
    carrier.answer(body=carrier.sound._text if carrier.sound else b"")
    assert ann.statuses()[-1] == 200
    assert bench.heard() == {caller: {callee}, callee: {caller}}
    ann.hang_up()
    bench.check_forgotten()


def test_no_180_covers_an_announcement() -> None:
    bench, ann, carrier, *_ = outside()
    assert ann.statuses() == [401, 183]
    assert len(bench.of(LegRinging)) == 1
    carrier.reject(404)
    assert ann.statuses() == [401, 183, 404]
    bench.check_forgotten()


def test_ringing_first_and_sound_later() -> None:
    bench = Bench()
    ann, carrier = bench.phone("1001"), bench.stranger("carrier", CARRIER)
    ann.call("+12025550100")
    carrier.ring()
    announce(carrier)
    assert ann.statuses() == [401, 180, 183]
    carrier.ring()
    assert ann.statuses() == [401, 180, 183], "what comes is heard, not told"
    ann.cancel()
    assert carrier.is_idle
    bench.check_forgotten()


def test_of_several_phones_that_ring_none_is_heard() -> None:
    bench = Bench()
    ann, desk, mobile = bench.phone("1001"), bench.phone("1002"), bench.phone("1002")
    ann.call("1002")
    announce(desk)
    assert bench.heard() == {}
    assert ann.statuses() == [401, 180]
    desk.reject(486)
    announce(mobile)
    caller, callee = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.heard() == {caller: {callee}}
    assert bench.gateway.configured[callee].remote_port == mobile.rtp_port
    ann.cancel()
    bench.check_forgotten()


def test_who_sends_the_call_on_is_not_heard_any_more() -> None:
    bench = Bench()
    ann, bob, eve = bench.phone("1001"), bench.phone("1002"), bench.phone("1003")
    ann.call("1002")
    announce(bob)
    assert bench.heard()
    headers = {"Contact": "<sip:1003@127.0.0.1>"}
    bob.user_agent.reject(bob.live, 302, None, bench.clock.now(), headers)
    bench.pump()
    assert bench.heard() == {}
    eve.answer()
    caller, callee = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.heard() == {caller: {callee}, callee: {caller}}
    ann.hang_up()
    bench.check_forgotten()


def test_an_announcement_that_is_no_use_does_not_end_the_call() -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    # Said reliably it would be the answer.
    bob.user_agent._table.settings = UserAgentSettings(prefers_reliable=False)
    ann.call("1002")
    body = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n"
    bob.user_agent.ring(bob.live, bench.clock.now(), 183, body=body)
    bench.pump()
    assert bench.heard() == {}
    bob.answer()
    assert ann.statuses()[-1] == 200
    ann.hang_up()
    bench.check_forgotten()


def test_an_answered_caller_hears_it_too() -> None:
    """As an agent does who dials: its own leg is answered, the number's is not."""
    bench = Bench()
    ann, carrier = bench.phone("1001"), bench.stranger("carrier", CARRIER)
    call = bench.new_call()
    own = bench.calls.call_phone(
        "1001", call=call, caller_number="", caller_name="", ring_timeout_s=20, headers={}
    )
    bench.pump()
    ann.answer()
    other = bench.calls.call_trunk(
        "out", "+12025550100", call=call, caller_number="", caller_name="", ring_timeout_s=20
    )
    bench.pump()
    announce(carrier)
    assert bench.heard() == {}, "until somebody is told to hear it"
    bench.calls.hear_early(own, other)
    bench.pump()
    assert bench.heard() == {own: {other}}
    carrier.reject(486)
    assert bench.heard() == {}
    ann.hang_up()
    bench.check_forgotten()


def test_a_caller_without_an_offer_is_only_rung() -> None:
    """Its answer comes with the ACK: there is nowhere to send sound to before."""
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.offers = False
    ann.call("1002")
    announce(bob)
    assert bench.heard() == {}
    assert ann.statuses() == [401, 180]
    ann.cancel()
    bench.check_forgotten()


def test_nobody_hears_a_leg_that_is_answered_or_gone_early() -> None:
    bench, ann, _, caller, callee = outside()
    bench.calls.hear_early(caller, LegId("nobody"))
    bench.calls.hear_early(callee, caller)
    bench.pump()
    assert bench.heard() == {caller: {callee}}
    ann.cancel()
    bench.calls.hear_early(caller, callee)
    bench.check_forgotten()


def test_the_sound_goes_on_over_a_restart() -> None:
    bench, ann, carrier, caller, callee = outside()
    bench.restart()
    assert bench.heard() == {caller: {callee}}
    assert ann.statuses() == [401, 183, 183]
    carrier.answer(body=carrier.sound._text if carrier.sound else b"")
    assert bench.heard() == {caller: {callee}, callee: {caller}}
    ann.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize("who", ["caller", "gateway"])
def test_it_ends_with_the_call(who: str) -> None:
    bench, ann, carrier, *_ = outside()
    if who == "gateway":
        bench.lose_gateway()
        bench.restart_gateway()
    else:
        ann.cancel()
    assert carrier.is_idle
    assert bench.heard() == {}
    bench.check_forgotten()
