"""Calls on two gateways: they stay together, die alone, and meet across where they have to."""

from __future__ import annotations

import pytest

from switch.calls.captures import GATEWAY_LOST
from switch.calls.events import (
    GatewayChanged,
    IncomingLeg,
    LegReplaced,
    LegStarted,
    PlayFinished,
    RecordingClosed,
)
from switch.calls.roles import Role
from switch.calls.settings import CallSettings
from switch.gateway.protocol import Prompt, RecordingFinished
from switch.ids import LegId
from tests.switch.calls.bench import Bench
from tests.switch.calls.phone import Phone
from tests.switch.calls.test_forking import placed


def pair(bench: Bench, first: str, second: str) -> tuple[Phone, Phone]:
    """Two phones that talk."""
    caller, callee = bench.phone(first), bench.phone(second)
    caller.call(second)
    callee.answer()
    return caller, callee


def where(bench: Bench, *phones: str) -> list[str]:
    """The gateways of the last legs of phones."""
    found = [bench.calls.gateways.of(bench.leg_of(phone)) for phone in phones]
    return [member.name for member in found if member is not None]


def test_calls_are_spread_and_all_legs_of_one_share_a_gateway() -> None:
    bench = Bench(gateways=2)
    pair(bench, "1001", "1002")
    pair(bench, "1003", "1004")
    assert where(bench, "1001", "1002") == ["local-1"] * 2
    assert where(bench, "1003", "1004") == ["local-2"] * 2
    expert = bench.phone("1005")
    bench.calls.call_phone(
        "1005",
        call=bench.of(LegStarted)[-1].call,
        caller_number="1003",
        caller_name="",
        ring_timeout_s=20,
        headers={},
    )
    bench.pump()
    expert.answer()
    assert where(bench, "1005") == ["local-2"]
    assert len(bench.calls.sound.wiring.crossings) == 0
    assert len(bench.gateways[0].legs) == 2


def test_one_that_dies_ends_its_own_calls_alone_and_is_used_again_when_it_is_back() -> None:
    bench = Bench(gateways=2)
    ann, bob = pair(bench, "1001", "1002")
    eve, joe = pair(bench, "1003", "1004")
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    bench.lose_gateway(1)
    assert eve.is_idle
    assert joe.is_idle
    lost = bench.of(GatewayChanged)[-1]
    assert (lost.available, lost.is_up, lost.lost_legs, lost.gateway) == (True, False, 2, "local-2")
    assert bench.heard() == {a: {b}, b: {a}}
    assert bench.calls.accepts_calls
    eve.call("1004")
    joe.answer()
    assert where(bench, "1003", "1004") == ["local-1"] * 2
    bench.restart_gateway(1)
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    leg = bench.of(IncomingLeg)[-1].leg
    bench.calls.answer(leg)
    bench.calls.music(leg, True)
    assert bench.gateways[1].heard[leg] == {bench.music}
    for phone in (ann, eve, caller):
        phone.hang_up()
    assert bob.is_idle
    bench.check_forgotten()


@pytest.mark.parametrize("died", [None, 0, 1])
def test_after_a_restart_of_the_call_agent_all_gateways_are_taken_up(died: int | None) -> None:
    bench = Bench(gateways=2)
    phones = (*pair(bench, "1001", "1002"), *pair(bench, "1003", "1004"))
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    leg = bench.of(IncomingLeg)[-1].leg
    bench.calls.answer(leg)
    player = bench.calls.play(leg, [Prompt(name="x")])
    recording = bench.calls.start_recording(
        bench.of(IncomingLeg)[-1].call, customer=leg, agent=None
    )
    bench.pump()
    heard = bench.heard()
    if died is not None:  # while no call agent was there
        bench.gateways[died].stop()
        bench.gateways[died].start()
    bench.restart(plays={player: leg})
    if died is None:
        assert bench.heard() == heard
        assert [phone.is_idle for phone in phones] == [False] * 4
    else:
        assert [phone.is_idle for phone in phones] == [n // 2 == died for n in range(4)]
        bench.gateways[died].objections.clear()  # it was told to remove what went with the other
    if died == 0:  # the caller was the third, at the first gateway
        assert caller.is_idle
        assert [e.error for e in bench.of(RecordingClosed)] == ["gateway-lost"]
    else:
        bench.calls.stop_recording(recording)
        bench.pump()
        assert [e.error for e in bench.of(RecordingClosed)] == [None]
        caller.hang_up()
    for phone in phones:
        if not phone.is_idle:
            phone.hang_up()
    bench.check_forgotten()


def test_an_attended_transfer_of_a_call_to_one_at_another_gateway_leads_the_sound_across() -> None:
    bench = Bench(gateways=2)
    ann, bob = pair(bench, "1001", "1002")
    bob_too = bench.phone("1002", address=("127.0.0.1", 7777))
    eve = bench.phone("1003")
    bob_too.call("1003")
    eve.answer()
    assert where(bench, "1001", "1003") == ["local-1", "local-2"]
    a, e = bench.leg_of("1001"), bench.leg_of("1003")
    bob.refer("1003", to_call=bob_too)
    assert bench.of(LegReplaced)
    assert bench.heard() == {a: {e}, e: {a}}
    assert len(bench.calls.sound.wiring.crossings) == 2
    assert len(bench.gateways[0].legs) == len(bench.gateways[1].legs) == 3

    recording = bench.calls.start_recording(bench.of(LegStarted)[0].call, customer=a, agent=e)
    bench.pump()
    left, right = bench.gateways[0].recordings[recording]
    assert left == (a,)
    assert right != (e,)
    assert set(right) <= set(bench.gateways[0].legs)

    ann.hold()
    assert bench.heard() == {e: {bench.music}}
    assert len(bench.calls.sound.wiring.crossings) == 1, "the recording still hears them"
    ann.resume()
    assert bench.heard() == {a: {e}, e: {a}}
    bench.restart()
    assert bench.heard() == {a: {e}, e: {a}}
    ann.hang_up()
    assert eve.is_idle
    bench.check_forgotten()


@pytest.mark.parametrize(("is_remote", "told"), [(True, "203.0.113.10"), (False, "127.0.0.10")])
def test_across_hosts_the_sound_goes_where_a_nat_forwards_it(is_remote: bool, told: str) -> None:
    def address_for(host: str, own: str) -> str:
        return "203.0.113.10" if own == "127.0.0.10" else own

    bench = Bench(CallSettings(media_address=address_for), gateways=2)
    bench.calls.gateways["local-2"].is_remote = is_remote
    pair(bench, "1001", "1002")
    pair(bench, "1003", "1004")
    bench.calls.attend(bench.leg_of("1003"), bench.leg_of("1001"), Role.MONITOR)
    bench.pump()
    crossings = list(bench.calls.sound.wiring.crossings)
    assert crossings
    for crossing in crossings:
        assert crossing.there.name == "local-2"
        assert bench.gateways[0].configured[crossing.near].remote_address == told
        assert bench.gateways[1].configured[crossing.far].remote_address == "127.0.0.9"


@pytest.mark.parametrize("lost", [0, 1])
def test_of_a_call_across_only_the_half_of_the_lost_gateway_is_torn_away(lost: int) -> None:
    bench = Bench(gateways=2)
    pair(bench, "1001", "1002")
    pair(bench, "1003", "1004")
    a, b, c = (bench.leg_of(number) for number in ("1001", "1002", "1003"))
    bench.calls.attend(a, c, Role.BARGE)
    bench.pump()
    d = bench.leg_of("1004")
    assert bench.heard() == {a: {c, d}, c: {a, d}, d: {a, c}}
    bench.lose_gateway(lost)
    left = bench.heard()
    assert left == ({c: {d}, d: {c}} if lost == 0 else {})
    assert len(bench.calls.sound.wiring.crossings) == 0
    assert set(bench.gateways[1 - lost].legs) == ({c, d} if lost == 0 else {a, b})
    for leg in (a, b, c, d):
        bench.calls.hang_up(LegId(leg), bench.ends().get(c) or bench.ends()[a])
    bench.pump()
    bench.check_forgotten()


def test_a_call_that_finds_its_gateway_full_goes_on_across() -> None:
    bench = Bench(gateways=2, ports=3)
    pair(bench, "1001", "1002")
    pair(bench, "1003", "1004")
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    incoming = bench.of(IncomingLeg)[-1]
    bench.calls.answer(incoming.leg)
    bench.phone("1005")
    leg = bench.calls.call_phone(
        "1005",
        call=incoming.call,
        caller_number="",
        caller_name="",
        ring_timeout_s=20,
        headers={},
    )
    bench.pump()
    assert bench.calls.gateways.of(leg) is not bench.calls.gateways.of(incoming.leg)
    assert bench.calls.faults == 0


def test_a_gateway_that_is_drained_finishes_its_calls_and_gets_no_others() -> None:
    bench = Bench(gateways=2)
    ann, _ = pair(bench, "1001", "1002")
    bench.calls.gateways["local-1"].is_draining = True
    eve, joe = pair(bench, "1003", "1004")
    joe.hang_up()
    eve.call("1004")
    joe.answer()
    assert where(bench, "1001", "1003", "1004") == ["local-1", "local-2", "local-2"]
    bench.calls.gateways["local-2"].is_draining = True
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    assert caller.statuses()[-1] == 503
    assert not ann.is_idle


def test_a_gateway_out_of_reach_keeps_its_calls_and_is_told_again_when_it_is_back() -> None:
    bench = Bench(gateways=2)
    ann, bob = pair(bench, "1001", "1002")
    eve, joe = pair(bench, "1003", "1004")
    c, d = bench.leg_of("1003"), bench.leg_of("1004")
    there = bench.gateways[1]
    bench.calls.gateway_away("the line is cut", "local-2")
    there.is_deaf = True
    eve.hold()
    assert there.heard[d] == {c}, "it was not told"
    ann.hang_up()
    ann.call("1002")
    bob.answer()
    assert where(bench, "1001", "1002") == ["local-1"] * 2
    there.is_deaf = False
    bench.calls.gateway_ready(there.still_there(), "local-2")
    assert bench.heard()[d] == {bench.music}
    eve.resume()
    assert bench.heard()[c] == {d}
    bench.calls.gateway_away("the line is cut", "local-2")
    there.is_deaf = True
    bench.calls.gateway_lost("it did not come back", "local-2")
    bench.pump()
    assert eve.is_idle
    assert joe.is_idle
    assert not ann.is_idle
    there.is_deaf = False
    bench.calls.gateway_ready(there.still_there(), "local-2")
    assert there.legs == {}, "what nobody has any more is removed"


def test_a_phone_is_called_at_its_next_place_while_its_gateway_is_out_of_reach() -> None:
    bench = Bench(gateways=2)
    ann, _ = bench.phone("1001"), bench.phone("1002")
    desk, mobile = placed(bench, "1003", "1.0"), placed(bench, "1003", "0.5")
    ann.call("1003")
    there = bench.gateways[0]
    bench.calls.gateway_away("the line is cut", there.name)
    there.is_deaf = True
    desk.reject(486)
    assert not mobile.is_idle
    mobile.answer()
    assert ann.statuses()[-1] == 200
    there.is_deaf = False
    bench.calls.gateway_ready(there.still_there(), there.name)
    a, b = bench.leg_of("1001"), bench.leg_of("1003")
    assert bench.heard() == {a: {b}, b: {a}}
    assert there.configured[b].remote_port == mobile.rtp_port
    ann.hang_up()
    bench.check_forgotten()


def test_a_recording_that_was_to_end_while_its_gateway_was_out_of_reach_ends_when_it_is_back() -> (
    None
):
    bench = Bench(gateways=2)
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    incoming = bench.of(IncomingLeg)[-1]
    bench.calls.answer(incoming.leg)
    recording = bench.calls.start_recording(incoming.call, customer=incoming.leg, agent=None)
    bench.pump()
    there = bench.gateways[0]
    bench.calls.gateway_away("the line is cut", there.name)
    there.is_deaf = True
    caller.hang_up()
    there.is_deaf = False
    assert recording in there.recordings, "it was not told"
    bench.calls.gateway_ready(there.still_there(), there.name)
    bench.pump()
    assert [(e.recording, e.error) for e in bench.of(RecordingClosed)] == [(recording, None)]
    bench.check_forgotten()


def test_a_player_that_was_stopped_while_its_gateway_was_out_of_reach_stops_when_it_is_back() -> (
    None
):
    bench = Bench(gateways=2)
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    leg = bench.of(IncomingLeg)[-1].leg
    bench.calls.answer(leg)
    ringing = bench.calls.play(leg, [Prompt(name="ringing")], loop=True)
    other = bench.calls.play(leg, [Prompt(name="x")], loop=True)
    bench.pump()
    there = bench.gateways[0]
    bench.calls.gateway_away("the line is cut", there.name)
    there.is_deaf = True
    bench.calls.stop(ringing)
    there.is_deaf = False
    bench.calls.gateway_ready(there.still_there(), there.name)
    bench.pump()
    assert [(e.player, e.stopped) for e in bench.of(PlayFinished)] == [(ringing, True)]
    assert other in there.players
    caller.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize("is_told_again", [True, False])
def test_a_recording_whose_end_was_told_into_a_cut_line_is_asked_for(is_told_again: bool) -> None:
    bench = Bench(gateways=2)
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    incoming = bench.of(IncomingLeg)[-1]
    bench.calls.answer(incoming.leg)
    recording = bench.calls.start_recording(incoming.call, customer=incoming.leg, agent=None)
    bench.pump()
    there = bench.gateways[0]
    bench.calls.stop_recording(recording)
    (end,) = (event for event in there.events if isinstance(event, RecordingFinished))
    there.events.remove(end)
    if is_told_again:
        there.told[recording] = end
    bench.calls.gateway_away("the line is cut", there.name)
    bench.calls.gateway_ready(there.still_there(), there.name)
    bench.pump()
    error = None if is_told_again else GATEWAY_LOST
    assert [(e.recording, e.error) for e in bench.of(RecordingClosed)] == [(recording, error)]
    caller.hang_up()
    bench.check_forgotten()


@pytest.mark.parametrize("comes", [True, False])
def test_a_gateway_that_the_next_call_agent_does_not_reach_at_once_keeps_its_calls_for_a_while(
    comes: bool,
) -> None:
    bench = Bench(gateways=2)
    ann, _ = pair(bench, "1001", "1002")
    eve, joe = pair(bench, "1003", "1004")
    c, d = bench.leg_of("1003"), bench.leg_of("1004")
    bench.restart(out_of_reach=1)
    assert not eve.is_idle
    assert bench.calls.accepts_calls
    if comes:
        there = bench.gateways[1]
        bench.calls.gateway_ready(there.still_there(), there.name)
        eve.hold()
        assert bench.heard()[d] == {bench.music}
        eve.resume()
        assert bench.heard()[c] == {d}
        eve.hang_up()
        ann.hang_up()
        bench.check_forgotten()
    else:
        bench.calls.gateway_lost("it was not there at the start", "local-2")
        bench.pump()
        assert eve.is_idle
        assert joe.is_idle
        assert not ann.is_idle
        bench.calls.gateway_lost("said twice", "local-2")
        assert [event.lost_legs for event in bench.of(GatewayChanged) if not event.is_up] == [2]
