"""The media gateway dies and comes back."""

from __future__ import annotations

from switch.calls.events import (
    GatewayChanged,
    IncomingLeg,
    LegMeasured,
    PhoneReachable,
    PlayFinished,
    RecordingClosed,
)
from switch.gateway.protocol import Prompt, RemoveLeg, StopPlayer, StopRecording, Welcome
from switch.ids import LegId, PlayerId, RecordingId
from switch.sip.flow import Flow, Transport
from tests.switch.calls.bench import SWITCH, Bench


def test_every_call_ends_cleanly_and_new_ones_wait_for_the_next_gateway() -> None:
    bench = Bench()
    ann, bob = bench.phone("1001"), bench.phone("1002")
    caller = bench.stranger("+12025550100")
    ann.call("1002")
    bob.answer()
    caller.call("4000")
    waiting = bench.of(IncomingLeg)[0]
    bench.calls.answer(waiting.leg)
    recording = bench.calls.start_recording(waiting.call, customer=waiting.leg, agent=None)
    bench.calls.play(waiting.leg, [Prompt(name="x")])
    ringing = bench.stranger("+12025550101", ("127.0.0.1", 6901))
    ringing.call("4000")

    bench.lose_gateway()
    assert ann.is_idle
    assert bob.is_idle
    assert caller.is_idle
    assert ringing.statuses() == [503]
    assert {cause.reason for cause in bench.ends().values()} == {"gateway-lost"}
    lost = bench.of(GatewayChanged)[-1]
    assert (lost.available, lost.lost_legs) == (False, 4)
    closed = bench.of(RecordingClosed)
    assert [(event.recording, event.error) for event in closed] == [(recording, "gateway-lost")]
    assert bench.of(PlayFinished) == []
    assert bench.of(LegMeasured) == []
    assert not bench.calls.accepts_calls
    bench.check_clean()

    caller.call("4000")
    assert caller.statuses()[-1] == 503
    bench.calls.gateway_lost("said twice")
    assert len(bench.of(GatewayChanged)) == 1

    bench.restart_gateway()
    assert bench.of(GatewayChanged)[-1].available
    ann.call("1002")
    bob.answer()
    a, b = bench.leg_of("1001"), bench.leg_of("1002")
    assert bench.heard() == {a: {b}, b: {a}}
    ann.hang_up()
    bench.check_forgotten()


def test_calls_out_fail_without_a_gateway() -> None:
    bench = Bench()
    bench.phone("1001")
    bench.lose_gateway()
    leg = bench.calls.call_phone(
        "1001",
        call=bench.new_call(),
        caller_number="1",
        caller_name="",
        ring_timeout_s=5,
        headers={},
    )
    bench.pump()
    assert bench.ends()[leg].reason == "no-media"
    bench.check_forgotten()


def test_options_tell_a_trunk_that_calls_are_of_no_use_now() -> None:
    bench = Bench()
    flow = Flow(Transport.UDP, ("127.0.0.1", 5080), SWITCH)
    statuses = []
    for number, restore in enumerate((bench.pump, bench.lose_gateway, bench.restart_gateway)):
        restore()
        lines = (
            "OPTIONS sip:127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK{number}",
            "From: <sip:trunk@example.com>;tag=1",
            "To: <sip:127.0.0.1>",
            f"Call-ID: options-{number}",
            "CSeq: 1 OPTIONS",
        )
        data = "\r\n".join((*lines, "", "")).encode()
        bench.endpoint.receive_datagram(data, flow, bench.clock.now())
        bench.calls.process(bench.clock.now())
        statuses += [data[8:11] for data, _ in bench.endpoint.datagrams_to_send()]
    assert statuses == [b"200", b"503", b"200"]


def test_what_another_call_agent_left_in_the_gateway_is_removed() -> None:
    bench = Bench()
    bench.lose_gateway()
    bench.gateway.start()
    bench.gateway.legs[LegId("old")] = 16000
    bench.gateway.free.discard(16000)
    bench.gateway.recordings[RecordingId("old")] = ((LegId("old"),), ())
    bench.gateway.sent.clear()
    bench.calls.gateway_ready(
        Welcome(
            version=1,
            gateway="same",
            pid=1,
            rtp_address="127.0.0.9",
            legs=(LegId("old"),),
            players=(PlayerId("old"),),
            recordings=(RecordingId("old"),),
        )
    )
    kinds = [type(command) for command in bench.gateway.sent[:3]]
    assert sorted(kind.__name__ for kind in kinds) == sorted(
        kind.__name__ for kind in (RemoveLeg, StopPlayer, StopRecording)
    )
    bench.gateway.objections.clear()
    bench.pump()
    assert bench.of(LegMeasured) == []
    assert bench.of(RecordingClosed) == []


def test_reachability_of_phones_is_told_and_ends_with_its_connection() -> None:
    bench = Bench()
    bench.phone("1001")
    bench.pump()
    assert [(e.phone, e.reachable) for e in bench.of(PhoneReachable)] == [("1001", True)]
    assert bench.calls.is_reachable("1001")
    assert not bench.calls.is_reachable("1002")
    flow = Flow(Transport.TCP, ("127.0.0.1", 7100), SWITCH, connection=3)
    assert flow.connection == 3
    bench.calls.connection_closed(3)
    assert bench.calls.is_reachable("1001")


def test_a_player_that_ended_while_nobody_listened_is_reported_by_the_next_call_agent() -> None:
    bench = Bench()
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    leg = bench.of(IncomingLeg)[0].leg
    bench.calls.answer(leg)
    player = bench.calls.play(leg, [Prompt(name="x")])
    bench.pump()
    bench.gateway.players.pop(player)  # its end was told to the process that was killed
    bench.restart(plays={player: leg})
    (ended,) = bench.of(PlayFinished)
    assert (ended.player, ended.leg, ended.stopped) == (player, leg, False)
    caller.hang_up()
    bench.check_forgotten()
