"""What comes in: digits, strangers, loss, rubbish, silence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.ids import LegId, PlayerId
from switch.media.errors import MediaCommandError
from switch.media.events import DigitEnded, RtpSilent
from switch.media.model import ToneItem
from switch.media.ports import Stray
from tests.switch.media.studio import Party, Studio, level_of
from tests.switch.rtp.single import parse_packet

CALLER = LegId("caller")


def press(studio: Studio, party: Party, code: int, *, ends: int = 3) -> None:
    """Press a key for 100 ms, with all packets in step."""
    begin = party.timestamp
    for i in range(1, 5):
        party.send(party.event_packet(code, 160 * i, begin))
        studio.step()
    for _ in range(ends):
        party.send(party.event_packet(code, 800, begin, end=True))
        studio.step()
    party.timestamp += 160 * (4 + ends)


def keyed(studio: Studio) -> list[tuple[str, str]]:
    return [(e.leg, e.digit) for e in studio.events if isinstance(e, DigitEnded)]


def test_a_digit_is_reported_once() -> None:
    studio = Studio()
    caller = studio.add("caller")
    press(studio, caller, 5)
    press(studio, caller, 5)
    assert keyed(studio) == [("caller", "5"), ("caller", "5")]
    assert all(e.duration_ms == 100 for e in studio.events if isinstance(e, DigitEnded))


def test_digits_are_as_long_as_they_are_when_their_clock_changes() -> None:
    studio = Studio()
    caller = studio.add("caller")
    press(studio, caller, 1)
    caller.become("OPUS")
    studio.configure("caller")
    caller.timestamp += 48000
    for _ in range(3):
        caller.send(caller.event_packet(2, 4800, caller.timestamp, end=True))
        studio.step()
    lengths = [e.duration_ms for e in studio.events if isinstance(e, DigitEnded)]
    assert lengths == [100, 100]


def test_digits_on_a_perfect_line_are_no_jitter() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.run(20)
    for _ in range(4):
        begin = caller.timestamp
        for frame in range(1, 12):
            duration = 160 * min(frame, 9)
            studio.step([caller.event_packet(5, duration, begin, end=frame >= 9)])
        caller.timestamp += 11 * 160
        studio.run(5)
    totals = studio.engine.remove_leg(CALLER)
    assert totals.packets_lost == 0
    assert totals.jitter_ms < 0.1


def test_a_digit_whose_end_is_lost_ends_by_time() -> None:
    studio = Studio()
    caller = studio.add("caller")
    press(studio, caller, 11, ends=0)
    assert keyed(studio) == []
    studio.run(15)
    assert keyed(studio) == [("caller", "#")]


def test_digits_pass_through_a_bridge_in_the_listeners_payload_type() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700, codec="PCMA", events=96)
    studio.bridge("caller", "agent")
    studio.run(10)
    agent.forget()
    press(studio, caller, 7)
    studio.run(5)
    events = [p for p in agent.packets if p.payload_type == 96]
    assert [p.payload[0] for p in events] == [7] * 7
    assert len({p.timestamp for p in events}) == 1
    assert keyed(studio) == [("caller", "7")]
    sequence = [p.sequence for p in agent.packets]
    assert sequence == [(sequence[0] + i) & 0xFFFF for i in range(len(sequence))]


def test_digits_do_not_reach_a_listener_who_agreed_to_none() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700, events=None)
    studio.bridge("caller", "agent")
    studio.run(10)
    agent.forget()
    press(studio, caller, 7)
    studio.run(5)
    assert {p.payload_type for p in agent.packets} <= {0}
    sequence = [p.sequence for p in agent.packets]
    assert sequence == [(sequence[0] + i) & 0xFFFF for i in range(len(sequence))]
    assert keyed(studio) == [("caller", "7")]


@pytest.mark.parametrize("bridged", [False, True])
def test_digits_are_sent_in_place_of_sound_within_one_stream(bridged: bool) -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700)
    if bridged:
        studio.bridge("caller", "agent")
    studio.run(10)
    caller.forget()
    studio.engine.send_digits(CALLER, "1#", 100, 60)
    studio.run(40)
    events = [p for p in caller.packets if p.payload_type == 101]
    assert [p.payload[0] for p in events] == [1] * 7 + [11] * 7
    assert len({p.timestamp for p in events}) == 2
    assert [p.marker for p in events] == ([True] + [False] * 6) * 2
    sequence = [p.sequence for p in caller.packets]
    assert sequence == [(sequence[0] + i) & 0xFFFF for i in range(len(sequence))]
    last_event = max(i for i, p in enumerate(caller.packets) if p.payload_type == 101)
    assert len(caller.packets) - last_event > 10
    if bridged:
        assert studio.pitches("caller", 10) == {"agent"}
    assert agent.speaks


def test_digits_sent_by_one_engine_are_understood_by_another() -> None:
    here, there = Studio(), Studio()
    out = here.add("caller")
    into = there.add("caller")
    here.engine.send_digits(CALLER, "0123456789*#ABCD", 60, 40)
    for _ in range(200):
        here.step()
        for packet in here.wire.sent[out.row]:
            into.send(packet)
        out.forget()
        there.step()
    assert "".join(digit for _, digit in keyed(there)) == "0123456789*#ABCD"


@pytest.mark.parametrize("digits", ["", "12x", "1" * 65])
def test_what_is_no_digit_is_refused(digits: str) -> None:
    studio = Studio()
    studio.add("caller")
    with pytest.raises(MediaCommandError):
        studio.engine.send_digits(CALLER, digits, 100, 60)


@pytest.mark.parametrize("events", [None, 101])
@pytest.mark.parametrize("digits", ["", "x", "1" * 65])
def test_what_are_no_digits_cannot_be_sent(events: int | None, digits: str) -> None:
    studio = Studio()
    studio.add("caller", events=events)
    with pytest.raises(MediaCommandError, match="digits"):
        studio.engine.send_digits(CALLER, digits, 100, 60)


@pytest.mark.parametrize("sent", [(111, 101), (96, 97)])
@pytest.mark.parametrize("first", ["where it should be", "elsewhere"])
def test_a_peer_sends_with_the_numbers_of_our_offer(sent: tuple[int, int], first: str) -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.engine.configure_leg(
        CALLER, remote=("192.0.2.1", 4000 + caller.row), codec="PCMU", payload_type=96,
        event_type=97, heard_type=111, heard_event_type=101, send=True, receive=True, now=studio.now,
    )  # fmt: skip
    agent = studio.add("agent")
    caller.payload_type = sent[0]
    if first == "elsewhere":
        elsewhere = ("198.51.100.9", 7000)
        studio.wire.strays.append(Stray(caller.row, caller.packet(), elsewhere))
        studio.step()
        assert studio.wire.peer[caller.row] == elsewhere
    studio.bridge("caller", "agent")
    studio.run(20)
    assert level_of(agent.heard(10), 500) > 4000
    assert {p.payload_type for p in caller.packets} == {96}
    begin = caller.timestamp
    for _ in range(3):
        packet = caller.event_packet(5, 800, begin, end=True)
        caller.send(packet[:1] + bytes([sent[1]]) + packet[2:])
        studio.step()
    assert keyed(studio) == [("caller", "5")]


def test_strangers_are_counted_and_not_heard_once_the_peer_was_heard() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.hear("caller", "caller")
    studio.run(5)
    studio.wire.strays += [Stray(caller.row, caller.packet(ssrc=9), ("198.51.100.7", 9))] * 3
    studio.run(20)
    assert studio.wire.peer[caller.row] == ("192.0.2.1", 4000)
    assert studio.engine.packets_stray == 3
    assert studio.engine.remove_leg(CALLER).packets_stray == 3


def test_a_silent_peers_place_is_taken_by_the_first_who_sends_what_was_agreed() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    row = caller.row
    studio.wire.strays = [
        Stray(row, b"rubbish", ("198.51.100.1", 1)),
        Stray(row, caller.packet(payload_type=18), ("198.51.100.2", 2)),
        Stray(row, bytes.fromhex("80c80006") + bytes(24), ("198.51.100.3", 3)),
        Stray(row, caller.packet(), ("198.51.100.4", 4)),
        Stray(row, caller.packet(), ("198.51.100.5", 5)),
    ]
    studio.step()
    assert studio.wire.peer[row] == ("198.51.100.4", 4)
    assert studio.engine.packets_stray == 4
    assert studio.engine.packets_received == 1


@pytest.mark.parametrize("first", [0x80, 0xA0, 0x9F, 0xBF])
def test_a_stranger_with_a_packet_longer_than_a_row_is_counted(first: int) -> None:
    """With the padding bit the last octet is looked at, which lay beyond the row."""
    studio = Studio()
    caller = studio.add("caller", 500)
    packet = bytes([first]) + caller.packet()[1:] + bytes(1600)
    studio.wire.strays = [Stray(caller.row, packet, ("198.51.100.1", 1))]
    studio.step()
    assert studio.wire.peer[caller.row] == ("192.0.2.1", 4000)
    assert studio.engine.packets_stray == 1


@pytest.mark.parametrize("kind", range(192, 224))
def test_rtcp_at_the_rtp_port_is_read_and_not_heard(kind: int) -> None:
    """RFC 5761. A sender report of that length lacks its block, and the second packet its end."""
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.hear("caller", "caller")
    studio.run(5)
    caller.send(bytes([0x81, kind, 0, 7]) + bytes(28))
    caller.send(bytes([0x81, kind, 0xFF, 0xFF]))
    studio.run(25)
    assert studio.engine.packets_stray == (2 if kind == 200 else 1)
    assert studio.pitches("caller") == {"caller"}


def test_the_signalled_address_takes_its_place_back() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    for address in ("198.51.100.4", "198.51.100.5", "192.0.2.1"):
        source = (address, 4000)
        studio.wire.strays.append(Stray(caller.row, caller.packet(), source))
        studio.step()
    assert studio.wire.peer[caller.row] == ("192.0.2.1", 4000)
    assert studio.engine.packets_stray == 1


def test_who_moves_behind_a_nat_is_followed_to_where_it_is_now() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    before, after = ("198.51.100.9", 7000), ("198.51.100.9", 7002)

    def say(source: tuple[str, int]) -> None:
        studio.wire.strays.append(Stray(caller.row, caller.packet(), source))
        studio.step()

    say(before)
    caller.send(caller.packet())
    studio.step()
    studio.engine.configure_leg(
        CALLER, remote=("192.0.2.77", 4444), codec="PCMU", payload_type=0, event_type=101,
        send=True, receive=True, now=studio.now,
    )  # fmt: skip
    say(before)  # was on its way when it offered the new port
    assert studio.wire.peer[caller.row] == ("192.0.2.77", 4444)
    say(after)
    say(before)
    assert studio.wire.peer[caller.row] == after


def test_who_never_moved_is_followed_back_after_a_while() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    source = ("198.51.100.9", 7000)
    for port in (4444, 4446):
        studio.engine.configure_leg(
            CALLER, remote=("192.0.2.77", port), codec="PCMU", payload_type=0, event_type=101,
            send=True, receive=True, now=studio.now,
        )  # fmt: skip
        for _ in range(60):
            studio.wire.strays.append(Stray(caller.row, caller.packet(), source))
            studio.step()
        assert studio.wire.peer[caller.row] == source


def test_an_unchanged_answer_does_not_undo_what_was_found_out() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.wire.strays = [Stray(caller.row, caller.packet(), ("198.51.100.4", 4))]
    studio.step()
    studio.configure("caller")
    assert studio.wire.peer[caller.row] == ("198.51.100.4", 4)


def test_the_old_way_to_hold_stops_sending_and_keeps_the_peer() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.run(3)
    caller.forget()
    studio.engine.configure_leg(
        CALLER, remote=("0.0.0.0", 4000), codec="PCMU", payload_type=0, event_type=101,
        send=True, receive=False, now=studio.now,
    )  # fmt: skip
    studio.run(5)
    assert caller.packets == []
    studio.configure("caller")
    studio.run(5)
    assert len(caller.packets) == 5


@pytest.mark.parametrize("codec", ["PCMU", "G722", "OPUS"])
@pytest.mark.parametrize("frames", [8, 20, 100])
def test_a_packet_that_was_overtaken_by_far_cuts_nothing_out_of_the_sound(
    codec: str, frames: int
) -> None:
    studio = Studio()
    caller = studio.add("caller", 500, codec=codec)
    agent = studio.add("agent", 700)
    studio.bridge("caller", "agent", 0.9)
    studio.run(20)
    overtaken = caller.packet()
    studio.step()
    studio.run(frames)
    agent.forget()
    caller.send(overtaken)
    studio.run(10)
    levels = [level_of(frame, 500) for frame in agent.heard().reshape(10, 160)]
    assert min(levels) > 0.9 * max(levels)
    assert studio.engine.remove_leg(CALLER).packets_late == 1


@pytest.mark.parametrize("codec", ["PCMU", "G722", "OPUS"])
def test_a_device_that_counts_from_nothing_again_under_its_ssrc_is_heard(codec: str) -> None:
    studio = Studio()
    caller = studio.add("caller", 500, codec=codec)
    agent = studio.add("agent", 700)
    studio.bridge("caller", "agent", 0.9)
    caller.sequence = caller.timestamp = 0
    studio.run(200)
    caller.sequence = caller.timestamp = 0
    studio.run(10)
    agent.forget()
    studio.run(10)
    levels = [level_of(frame, 500) for frame in agent.heard().reshape(10, 160)]
    assert min(levels) > 0.9 * max(levels) > 100
    assert studio.engine.remove_leg(CALLER).packets_late == 0


@pytest.mark.parametrize("codec", ["PCMU", "OPUS"])
@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize("frames", [50, 500])
def test_after_a_hold_timestamps_are_those_of_the_time_and_no_number_is_missing(
    codec: str, gain: float, frames: int
) -> None:
    studio = Studio()
    caller = studio.add("caller", 500, codec=codec)
    studio.add("agent", 700, codec=codec)
    studio.bridge("caller", "agent", gain)
    studio.run(10)
    before = caller.packets[-1]
    caller.forget()
    studio.configure("caller", send=False)
    studio.run(frames)
    assert caller.packets == []
    studio.configure("caller")
    studio.run(5)
    assert len(caller.packets) >= 4  # the relay begins with the next tick
    for i, packet in enumerate(caller.packets):
        assert (packet.sequence - before.sequence) & 0xFFFF == 1 + i
        passed = (packet.timestamp - before.timestamp) & 0xFFFFFFFF
        assert passed == (1 + frames + i) * 160 * caller.scale


def test_comfort_noise_rtcp_and_rubbish_from_the_peer_disturb_nothing() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(20)
    for rubbish in (b"", b"x", bytes(2000), bytes.fromhex("80c80006") + bytes(24), b"\xff" * 172):
        caller.send(rubbish)
        caller.send(caller.packet(payload_type=13, payload=b"\x40"))
        studio.run(2)
    studio.run(20)
    assert studio.pitches("agent") == {"caller"}
    assert {len(p.payload) for p in agent.packets} == {160}
    assert studio.engine.packets_stray == 4
    sequence = [p.sequence for p in agent.packets]
    assert sequence == [(sequence[0] + i) & 0xFFFF for i in range(len(sequence))]
    assert studio.engine.remove_leg(CALLER).packets_lost == 0


def test_loss_passes_through_a_relay_as_a_gap_and_is_counted() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(10)
    agent.forget()
    for n in range(30):
        packet = caller.packet()
        studio.step([None if n == 10 else packet, agent.packet()])
    sequence = np.array([p.sequence for p in agent.packets])
    assert sorted((np.diff(sequence) & 0xFFFF).tolist()) == [1] * 27 + [2]
    assert studio.engine.remove_leg(CALLER).packets_lost == 1


def test_disorder_and_doubles_pass_through_a_relay_under_their_own_numbers() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(10)
    agent.forget()
    first, second = caller.packet(), caller.packet()
    for packet in (second, first, first, caller.packet()):
        caller.send(packet)
        studio.step()
    base = agent.packets[1].sequence
    steps = [(p.sequence - base) & 0xFFFF for p in agent.packets]
    assert steps == [1, 0, 0, 2]
    assert agent.packets[1].payload == parse_packet(first).payload


@pytest.mark.parametrize("samples", [80, 240, 320, 480])
@pytest.mark.parametrize("gain", [1.0, 0.9], ids=["relayed", "mixed"])
def test_packets_of_other_lengths_are_relayed_and_mixed(samples: int, gain: float) -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700, codec="PCMA")
    agent.speaks = False
    studio.hear("agent", "caller", gain)
    sent = 0
    for tick in range(80):
        while sent < (tick + 1) * 160:
            caller.send(caller.packet(samples))
            sent += samples
        studio.step()
    sound = agent.heard()[-8000:]
    assert level_of(sound, 500) > 6500
    packets = agent.packets[5:]
    for a, b in itertools.pairwise(packets):
        assert (b.timestamp - a.timestamp) & 0xFFFFFFFF == len(a.payload)


def test_extension_and_csrcs_are_not_passed_on() -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    agent = studio.add("agent", 700)
    studio.bridge("caller", "agent")
    studio.run(5)
    agent.forget()
    caller.send(caller.packet(csrc=(1, 2, 3)))
    studio.engine.wake(studio.now)
    assert [(len(p.payload), p.csrc) for p in agent.packets] == [(160, ())]


def test_silence_is_reported_once_for_each_time_it_falls() -> None:
    studio = Studio(rtp_timeout_s=2.0)
    caller = studio.add("caller")
    studio.run(50)
    caller.speaks = False
    studio.run(200)
    assert [type(e) for e in studio.events] == [RtpSilent]
    caller.speaks = True
    studio.run(10)
    caller.speaks = False
    studio.run(200)
    silent = [e for e in studio.events if isinstance(e, RtpSilent)]
    assert len(silent) == 2
    assert all(2000 <= e.silent_ms < 2600 for e in silent)


def test_comfort_noise_alone_is_no_silence_of_the_network() -> None:
    studio = Studio(rtp_timeout_s=2.0)
    caller = studio.add("caller")
    for _ in range(200):
        studio.step([caller.packet(payload_type=13, payload=b"\x40")])
    assert studio.events == []


def test_a_leg_on_hold_may_be_silent() -> None:
    studio = Studio(rtp_timeout_s=2.0)
    studio.add("caller").speaks = False
    studio.configure("caller", receive=False)
    studio.run(200)
    assert studio.events == []


def test_ticks_left_out_show_in_the_timestamps() -> None:
    studio = Studio()
    caller = studio.add("caller")
    studio.engine.play(PlayerId("t"), (ToneItem((500.0,), 1000, -15.0),), (CALLER,), loop=True)
    studio.run(3)
    studio.engine.tick(studio.now, left_out=4)
    times = [p.timestamp for p in caller.packets]
    assert (times[-1] - times[-2]) & 0xFFFFFFFF == 5 * 160


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=1100), st.booleans()), max_size=20))
def test_any_octets_are_survived(datagrams: list[tuple[bytes, bool]]) -> None:
    studio = Studio()
    caller = studio.add("caller", 500)
    studio.add("agent", 700)
    studio.add("third", 900, codec="PCMA")
    studio.bridge("caller", "agent")
    studio.hear("third", "caller", 0.5)
    for data, headed in datagrams:
        caller.send((b"\x80\x00" + data) if headed else data)
        studio.wire.strays.append(Stray(1, data, ("198.51.100.9", 9)))
        studio.step()
    studio.run(3)
