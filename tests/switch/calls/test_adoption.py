"""The call agent dies and another one takes up its calls: what peers and gateway see of it."""

from __future__ import annotations

import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg, LegAnswered, LegEnded, RecordingClosed
from switch.sip.events import Ended, EndedBy, ReofferAnswered
from tests.switch.calls.bench import Bench
from tests.switch.calls.phone import Phone
from tests.switch.calls.test_hold import talking

HANG_UP = EndCause(Result.COMPLETED, "agent-hung-up")


def test_a_talk_goes_on_with_hold_resume_and_hang_up() -> None:
    bench, ann, a, bob, b = talking()
    heard = bench.heard()
    bench.restart()
    assert bench.heard() == heard == {a: {b}, b: {a}}
    ann.hold()
    assert ann.last(ReofferAnswered) is not None
    assert bench.heard() == {b: {bench.music}}
    bench.restart()
    ann.resume()
    assert bench.heard() == heard
    bob.hang_up()
    assert {cause.result for cause in bench.ends().values()} == {Result.COMPLETED}
    bench.check_forgotten()


def test_a_phone_that_rings_is_answered_after_the_restart() -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    ann.call("1002")
    bob.ring()
    bench.restart()
    bob.answer()
    assert len(bench.of(LegAnswered)) == 2
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.heard() == {a: {b}, b: {a}}
    ann.hang_up()
    bench.check_forgotten()


TO_BOB = b"INVITE sip:1002@127.0.0.1:7001 "


@pytest.mark.parametrize("arrives", [False, True])
def test_an_invite_that_may_be_lost_with_the_process_is_sent_again(arrives: bool) -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    invites: list[bytes] = []

    def is_lost(data: bytes) -> bool:
        invites.extend([data] if data.startswith(TO_BOB) else [])
        return data.startswith(TO_BOB) and len(invites) == 1 and not arrives

    bench.lose = is_lost
    ann.call("1002")
    bench.restart()
    assert bob.is_idle is not arrives
    assert len(invites) == 1, "nothing is sent while calls are taken up"
    bench.advance(1)
    assert len(invites) == 2
    assert invites[0] == invites[1]
    bob.answer()
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.heard() == {a: {b}, b: {a}}
    ann.hang_up()
    bench.check_forgotten()


def test_an_invite_of_before_is_cancelled_and_not_sent_again_where_nobody_wants_it() -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    invites: list[bytes] = []

    def sees(data: bytes) -> bool:
        invites.extend([data] if data.startswith(TO_BOB) else [])
        return False

    bench.lose = sees
    ann.call("1002")
    bench.restart()
    ann.cancel()
    assert bob.is_idle
    bench.advance(5)
    assert len(invites) == 1
    bench.check_forgotten()


def test_a_caller_who_gives_up_after_the_restart_is_understood() -> None:
    bench = Bench()
    caller = bench.stranger("caller")
    caller.call("4000")
    bench.calls.ring(bench.of(IncomingLeg)[-1].leg)
    bench.restart()
    caller.hang_up()
    (cause,) = bench.ends().values()
    assert cause.result is Result.CANCELLED
    bench.check_forgotten()


def test_a_2xx_whose_ack_is_lost_is_sent_again_by_the_next_process() -> None:
    bench = Bench()
    caller = bench.stranger("caller")
    caller.call("4000")
    bench.lose = lambda data: data.startswith(b"ACK")
    bench.calls.answer(bench.of(IncomingLeg)[-1].leg)
    bench.pump()
    bench.restart()
    bench.lose = lambda _: False
    bench.advance(2)
    assert bench.user_agent.sessions_alive == 1
    caller.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize("lost_from", ["invite", "answer", "bridge"])
def test_what_the_gateway_was_never_told_it_is_told_by_the_next_process(lost_from: str) -> None:
    """Peers have the answers, and the process dies before its commands are written."""
    bench = Bench()
    agent, caller = bench.phone("1001"), bench.stranger("caller")
    bench.gateway.is_deaf = lost_from == "invite"
    caller.call("4000")
    incoming = bench.of(IncomingLeg)[-1]
    bench.gateway.is_deaf |= lost_from == "answer"
    bench.calls.answer(incoming.leg)
    bench.pump()
    leg = bench.calls.call_phone(
        "1001",
        call=incoming.call,
        caller_number="",
        caller_name="",
        ring_timeout_s=20.0,
        headers={},
    )
    bench.pump()
    bench.gateway.is_deaf |= lost_from == "bridge"
    agent.answer()
    bench.calls.bridge(incoming.leg, leg)
    recording = bench.calls.start_recording(incoming.call, customer=incoming.leg, agent=leg)
    bench.pump()
    bench.gateway.is_deaf = False
    bench.restart()
    assert bench.heard() == {incoming.leg: {leg}, leg: {incoming.leg}}
    assert set(bench.gateway.configured) == {incoming.leg, leg}
    assert bench.gateway.recordings == {recording: ((incoming.leg,), (leg,))}
    caller.hang_up()
    bench.calls.hang_up(leg, HANG_UP)
    bench.check_forgotten()


def test_a_recording_whose_end_nobody_heard_is_looked_for_on_the_disk() -> None:
    bench, ann, a, _bob, b = talking()
    leg = bench.calls.legs.get(a)
    assert leg is not None
    recording = bench.calls.start_recording(leg.call, customer=a, agent=b)
    bench.calls.stop_recording(recording)
    bench.kept.write(bench.calls.adoption)
    bench.gateway.events.clear()  # told to a process that died before it read it
    bench.restart()
    (closed,) = bench.of(RecordingClosed)
    assert (closed.recording, closed.error) == (recording, "gateway-lost")
    ann.hang_up()
    bench.check_forgotten()


def test_calls_end_cleanly_when_the_gateway_is_gone_too() -> None:
    bench, ann, _, bob, _ = talking()
    bench.gateway.stop()
    bench.gateway.start()
    bench.restart()
    reasons = {event.cause.reason for event in bench.of(LegEnded)}
    assert reasons == {"gateway-lost"}
    assert said_goodbye(ann)
    assert said_goodbye(bob)
    bench.gateway.objections.clear()  # it was told to remove what it never had: no harm
    bench.check_forgotten()


def said_goodbye(phone: Phone) -> bool:
    ended = phone.last(Ended)
    return ended is not None and ended.by is EndedBy.REMOTE_BYE
