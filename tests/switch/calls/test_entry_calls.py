"""Calls for an entry: the application commands, the switch obeys, and says what came of it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from switch.calls.causes import EndCause, Result
from switch.calls.events import (
    CallEvent,
    CallRefused,
    DigitPressed,
    IncomingLeg,
    LegAnswered,
    LegEnded,
    LegMeasured,
    LegStarted,
    PlayFinished,
    RecordingClosed,
    SoundHeard,
)
from switch.calls.settings import CallSettings
from switch.gateway.protocol import (
    DigitReceived,
    LegFailed,
    Prompt,
    SendDigits,
    SoundFeatures,
    WatchSound,
)
from switch.ids import LegId
from switch.sdp.offer_answer import AudioNegotiation
from switch.sdp.transport import SrtpPolicy
from switch.sip.events import Failed, Invited
from switch.trunks.source import Source
from tests.switch.calls.bench import PLAN, TRUNKS, Bench
from tests.switch.calls.phone import Phone

HANG_UP = EndCause(Result.COMPLETED, "flow-ended")


def arrived(bench: Bench | None = None) -> tuple[Bench, Phone, LegId]:
    """A caller from the trunk whose call stands at the entry."""
    bench = bench or Bench()
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    return bench, caller, bench.of(IncomingLeg)[-1].leg


def answered(bench: Bench | None = None) -> tuple[Bench, Phone, LegId]:
    bench, caller, leg = arrived(bench)
    bench.calls.answer(leg)
    bench.pump()
    return bench, caller, leg


def with_agent() -> tuple[Bench, Phone, LegId, Phone, LegId]:
    """The caller talks to an agent at phone 1001."""
    bench, caller, leg = answered()
    agent = bench.phone("1001")
    call = bench.of(IncomingLeg)[-1].call
    agent_leg = bench.calls.call_phone(
        "1001",
        call=call,
        caller_number="+12025550100",
        caller_name="Ann Example",
        ring_timeout_s=20,
        headers={"X-Interaction": "i-1"},
    )
    bench.pump()
    agent.answer()
    bench.calls.bridge(leg, agent_leg)
    bench.pump()
    return bench, caller, leg, agent, agent_leg


def test_the_application_learns_who_calls_before_anything_is_sent() -> None:
    bench, caller, leg = arrived()
    incoming = bench.of(IncomingLeg)[0]
    assert incoming.entry == "menu"
    assert incoming.called == "4000"
    assert incoming.caller_number == "+12025550100"
    assert incoming.caller_name == "Phone +12025550100"
    assert (incoming.source, incoming.source_name) == (Source.TRUNK, "lab")
    assert caller.statuses() == []
    assert [type(event) for event in bench.events] == [LegStarted, IncomingLeg]
    caller.cancel()
    assert bench.ends() == {leg: EndCause(Result.CANCELLED, "caller-cancelled", 487)}
    bench.check_forgotten()


def test_ring_then_answer_then_hang_up() -> None:
    bench, caller, leg = arrived()
    bench.calls.ring(leg)
    bench.calls.ring(leg)
    bench.pump()
    assert caller.statuses() == [180]
    bench.calls.answer(leg)
    bench.calls.answer(leg)
    bench.pump()
    assert caller.statuses() == [180, 200]
    assert [event.leg for event in bench.of(LegAnswered)] == [leg]
    bench.calls.hang_up(leg, HANG_UP)
    bench.calls.hang_up(leg, HANG_UP)
    bench.pump()
    assert caller.is_idle
    assert bench.ends() == {leg: HANG_UP}
    assert not bench.of(LegEnded)[0].by_peer
    bench.check_clean()
    assert [event.leg for event in bench.of(LegMeasured)] == [leg]
    assert bench.events[-1] == bench.of(LegMeasured)[0]


@pytest.mark.parametrize("status", [302, 404, 480, 486, 503, 603])
def test_reject_sends_the_status_that_was_asked_for(status: int) -> None:
    bench, caller, leg = arrived()
    bench.calls.reject(leg, status, "closed")
    bench.pump()
    assert caller.statuses() == [status]
    assert bench.ends()[leg].reason == "closed"
    bench.check_forgotten()


def test_the_status_line_says_why_and_nothing_that_was_dialled_ends_it() -> None:
    bench, caller, leg = arrived()
    bench.calls.reject(leg, 480, "Nobody is parked\r\nin 'sept\u00e9'")
    bench.pump()
    failed = caller.last(Failed)
    assert failed is not None
    assert (failed.status, failed.reason) == (480, "Nobody is parkedin 'sept\u00e9'")
    bench.check_forgotten()


def test_an_entry_that_never_answers_is_given_up() -> None:
    bench, caller, leg = arrived(Bench(CallSettings(setup_timeout_s=30)))
    bench.advance(31)
    assert caller.statuses() == [480]
    assert bench.ends() == {leg: EndCause(Result.NO_ANSWER, "not-answered", 480)}
    bench.check_forgotten()


def test_commands_on_legs_that_are_over_or_never_were_do_nothing() -> None:
    bench, caller, leg = answered()
    caller.hang_up()
    bench.events.clear()
    calls = bench.calls
    for gone in (leg, LegId("nobody")):
        calls.ring(gone)
        calls.answer(gone)
        calls.reject(gone, 486, "late")
        calls.hang_up(gone, HANG_UP)
        calls.bridge(gone, leg)
        calls.unbridge(gone, leg)
        calls.hold(gone)
        calls.resume(gone)
        calls.mute(gone, True)
        calls.play(gone, [Prompt(name="x")])
        calls.music(gone, True)
        calls.echo(gone, True)
        calls.send_digits(gone, "1")
        recording = calls.start_recording(bench.new_call(), customer=gone, agent=None)
        calls.set_recording_legs(recording, gone, [leg])
        calls.stop_recording(recording)
    bench.pump()
    assert bench.events == []
    assert bench.gateway.objections == []


def test_prompts_are_played_to_answered_legs_and_their_end_is_told() -> None:
    bench, _, leg = arrived()
    early = bench.calls.play(leg, [Prompt(name="x")])
    bench.pump()
    assert [(e.player, e.stopped) for e in bench.of(PlayFinished)] == [(early, True)]
    bench.calls.answer(leg)
    first = bench.calls.play(leg, [Prompt(name="x")])
    second = bench.calls.play(leg, [Prompt(name="y")], loop=True)
    bench.gateway.finish(first)
    bench.pump()
    bench.calls.stop(second)
    bench.pump()
    told = [(event.player, event.stopped) for event in bench.of(PlayFinished)]
    assert told == [(early, True), (first, False), (second, True)]


def test_a_player_ends_with_its_leg_and_says_nothing_more() -> None:
    bench, caller, leg = answered()
    bench.calls.play(leg, [Prompt(name="x")], loop=True)
    caller.hang_up()
    assert bench.of(PlayFinished) == []
    bench.check_forgotten()


def test_the_sound_of_a_watched_leg_is_told() -> None:
    bench, caller, leg = answered()
    bench.calls.watch_sound(leg, True)
    bench.calls.watch_sound(LegId("gone"), True)
    heard = SoundFeatures(
        leg=leg, at_ms=500, level_dbov=-60.0, speaking=False, since_ms=0, bursts=0
    )
    bench.gateway.events += [heard, msgspec.structs.replace(heard, leg=LegId("gone"))]
    bench.pump()
    assert [event.sound for event in bench.of(SoundHeard)] == [heard]
    bench.calls.watch_sound(leg, False)
    bench.pump()
    watched = [(c.leg, c.on) for c in bench.gateway.sent if isinstance(c, WatchSound)]
    assert watched == [(leg, True), (leg, False)]
    caller.hang_up()
    bench.check_forgotten()


def test_digits_echo_and_music() -> None:
    bench, caller, leg = answered()
    bench.gateway.events.append(DigitReceived(leg=leg, digit="5", duration_ms=120))
    bench.gateway.events.append(DigitReceived(leg=LegId("gone"), digit="6", duration_ms=120))
    bench.calls.send_digits(leg, "1w2#a")
    bench.calls.send_digits(leg, "xyz")
    bench.calls.echo(leg, True)
    bench.pump()
    assert [event.digit for event in bench.of(DigitPressed)] == ["5"]
    assert [c.digits for c in bench.gateway.sent if isinstance(c, SendDigits)] == ["12#A"]
    assert bench.heard() == {leg: {leg}}
    bench.calls.echo(leg, False)
    bench.calls.music(leg, True)
    assert bench.heard() == {leg: {bench.music}}
    caller.hang_up()
    bench.check_forgotten()


def test_without_its_music_who_waits_hears_silence_and_keeps_the_call() -> None:
    """A gain from a player that is not there would be a fault of the leg, and end it."""
    bench, _, leg = answered()
    bench.calls.music(leg, True)
    bench.gateway.finish(bench.music)
    bench.pump()
    assert bench.heard() == {}
    bench.calls.music(leg, False)
    bench.calls.music(leg, True)
    bench.pump()
    assert bench.heard() == {}
    assert bench.gateway.objections == []
    bench.calls.gateway_lost("test")
    bench.calls.gateway_ready(bench.gateway.start())
    _, _, other = answered(bench)
    bench.calls.music(other, True)
    assert bench.heard() == {other: {bench.music}}


def test_digits_for_a_caller_that_takes_no_events_are_left_to_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    caller = bench.stranger("caller")
    bench.react = lambda e: bench.calls.answer(e.leg) if isinstance(e, IncomingLeg) else None
    caller.sound = AudioNegotiation(session_id=1, address="127.0.0.1", port=30000)
    monkeypatch.setattr(caller, "_new_sound", lambda: None)
    offer = caller.sound.make_offer()
    lines = [line for line in offer.split(b"\r\n") if b"telephone-event" not in line]
    plain = b"\r\n".join(line for line in lines if b"fmtp" not in line)
    caller.call("4000", offer=plain)
    (leg,) = (event.leg for event in bench.of(LegAnswered))
    bench.calls.send_digits(leg, "5")
    bench.pump()
    sent = [command.digits for command in bench.gateway.sent if isinstance(command, SendDigits)]
    assert sent == ["5"]  # as tones
    assert not caller.is_idle


def test_an_agents_leg_carries_identity_and_extra_headers() -> None:
    bench, _, leg, agent, agent_leg = with_agent()
    invited = agent.last(Invited)
    assert invited is not None
    assert invited.request.from_.display_name == "Ann Example"
    assert invited.request.from_.uri.username == "+12025550100"
    assert invited.request.headers.get("X-Interaction") == "i-1"
    assert bench.heard() == {leg: {agent_leg}, agent_leg: {leg}}
    started = bench.of(LegStarted)[-1]
    assert (started.phone, started.outbound) == ("1001", True)


def test_an_agent_who_hangs_up_leaves_the_caller_to_the_application() -> None:
    bench, caller, leg, agent, agent_leg = with_agent()
    agent.hang_up()
    assert list(bench.ends()) == [agent_leg]
    assert not caller.is_idle
    assert bench.heard() == {}
    bench.calls.hang_up(leg, EndCause(Result.COMPLETED, "agent-hung-up"))
    bench.pump()
    bench.check_forgotten()


def test_an_agents_phone_that_rings_too_long_is_cancelled() -> None:
    bench, caller, _ = answered()
    agent = bench.phone("1001")
    call = bench.of(IncomingLeg)[-1].call
    leg = bench.calls.call_phone(
        "1001", call=call, caller_number="", caller_name="", ring_timeout_s=20, headers={}
    )
    bench.pump()
    invited = agent.last(Invited)
    assert invited is not None
    assert invited.request.from_.uri.host == "anonymous.invalid"
    bench.advance(20)
    assert agent.is_idle
    assert bench.ends() == {leg: EndCause(Result.NO_ANSWER, "ring-timeout")}
    caller.hang_up()
    bench.check_forgotten()


def test_legs_that_cannot_start_are_reported_after_the_command_has_returned() -> None:
    bench = Bench()
    call = bench.new_call()
    leg = bench.calls.call_phone(
        "1009", call=call, caller_number="1", caller_name="", ring_timeout_s=5, headers={}
    )
    gone = bench.calls.call_trunk(
        "nowhere", "+12025550100", call=call, caller_number="1", caller_name="", ring_timeout_s=5
    )
    assert bench.events == []
    bench.pump()
    assert bench.ends() == {
        leg: EndCause(Result.UNREACHABLE, "no-binding", 480),
        gone: EndCause(Result.UNREACHABLE, "no-route", 404),
    }
    bench.check_forgotten()


def test_a_recording_follows_mute_and_the_change_of_agents_and_ends_with_the_call() -> None:
    bench, caller, leg, agent, agent_leg = with_agent()
    call = bench.of(IncomingLeg)[-1].call
    recording = bench.calls.start_recording(call, customer=leg, agent=None)
    rows = bench.gateway.recordings
    assert rows[recording] == ((leg,), ())
    bench.calls.set_recording_legs(recording, leg, [agent_leg])
    assert rows[recording] == ((leg,), (agent_leg,))
    bench.calls.mute(agent_leg, True)
    assert rows[recording] == ((leg,), ())
    assert bench.heard() == {agent_leg: {leg}}
    bench.calls.mute(agent_leg, False)
    assert rows[recording] == ((leg,), (agent_leg,))
    agent.hang_up()
    assert rows[recording] == ((leg,), ())
    caller.hang_up()
    closed = bench.of(RecordingClosed)
    assert [(c.recording, c.call, c.error) for c in closed] == [(recording, call, None)]
    bench.check_forgotten()


def test_a_recording_that_is_stopped_is_closed_once() -> None:
    bench, caller, leg = answered()
    call = bench.of(IncomingLeg)[-1].call
    recording = bench.calls.start_recording(call, customer=leg, agent=LegId("gone"))
    bench.calls.stop_recording(recording)
    bench.calls.stop_recording(recording)
    caller.hang_up()
    assert [event.recording for event in bench.of(RecordingClosed)] == [recording]
    bench.check_forgotten()


def test_a_fault_of_the_application_ends_that_call_alone() -> None:
    bench, caller, leg = answered()
    other = bench.stranger("+12025550101", ("127.0.0.1", 6901))

    def fail(event: CallEvent) -> None:
        if isinstance(event, IncomingLeg):
            raise RuntimeError("application")

    bench.react = fail
    other.call("4000")
    assert other.statuses() == [500]
    assert bench.calls.faults == 1
    assert list(bench.ends().values()) == [EndCause(Result.FAILED, "internal-error", 500)]
    assert bench.calls.legs_alive == 1
    assert not caller.is_idle
    assert bench.calls.describe()[0].leg == leg


def test_a_leg_that_the_gateway_cannot_serve_ends() -> None:
    bench, caller, leg = answered()
    bench.gateway.events.append(LegFailed(leg=leg, reason="no such port"))
    bench.pump()
    assert caller.is_idle
    assert bench.ends() == {leg: EndCause(Result.FAILED, "media-failed")}
    bench.check_forgotten()


def test_unknown_numbers_and_callers_without_rights_are_refused_and_reported() -> None:
    bench = Bench()
    caller = bench.stranger("+12025550100")
    for number in ("9999", "1001", "+12025550101"):
        caller.call(number)
    assert caller.statuses() == [404, 404, 403]
    assert [event.status for event in bench.of(CallRefused)] == [404, 404, 403]
    wrong = bench.phone("1001")
    wrong.password = "guess"
    wrong.call("4000")
    assert wrong.statuses() == [401, 403]
    assert bench.of(CallRefused)[-1].reason == "wrong-credentials"
    bench.check_forgotten()


def test_an_offer_without_a_codec_of_ours_is_488_before_anybody_is_troubled() -> None:
    bench = Bench()
    caller = bench.stranger("+12025550100")
    caller.codecs = ("PCMU",)
    caller.call(
        "4000",
        offer=b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
        b"t=0 0\r\nm=audio 4000 RTP/AVP 18\r\n",
    )
    assert caller.statuses() == [488]
    caller.call("4000", offer=b"nonsense")
    assert caller.statuses() == [488, 400]
    assert bench.of(IncomingLeg) == []
    bench.check_forgotten()


def test_the_log_says_who_called_and_what_was_dialled(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "switch.calls.call_book"):
        arrived()
    assert "begins: from +12025550100 by lab, who dialled 4000" in caplog.text


def test_a_trunk_call_in_clear_where_encryption_is_required_is_recorded_as_that() -> None:
    lab = replace(TRUNKS["lab"], srtp=SrtpPolicy.REQUIRED)
    bench = Bench(plan=replace(PLAN, trunks={**TRUNKS, "lab": lab}))
    caller = bench.stranger("+12025550100")
    caller.call("4000")
    assert caller.statuses() == [488]
    assert bench.of(CallRefused)[-1].reason == "encryption-required"


def test_too_many_calls_a_late_loop_and_missing_ports_are_503_with_retry_after() -> None:
    bench, _, leg = arrived(Bench(CallSettings(max_calls=1)))
    other = bench.stranger("+12025550101", ("127.0.0.1", 6901))
    other.call("4000")
    failed = other.last(Failed)
    assert failed is not None
    assert failed.response is not None
    assert (failed.status, failed.response.headers.get("Retry-After")) == (503, "5")
    bench.calls.hang_up(leg, HANG_UP)
    bench.pump()
    bench.calls.overload.report_loop_lag(2.0)
    other.call("4000")
    bench.calls.overload.report_loop_lag(0.0)
    assert other.statuses() == [503, 503]
    assert bench.calls.overload.shed == 2
    bench.check_clean()

    poor = Bench(ports=1)
    arrived(poor)
    second = poor.stranger("+12025550101", ("127.0.0.1", 6901))
    second.call("4000")
    assert second.statuses() == [503]
    reasons = [event.reason for event in poor.of(CallRefused)]
    assert reasons == ["no-media"]
