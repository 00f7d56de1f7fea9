from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch.rtp.telephone_event import (
    IGNORED,
    TRANSITIONS,
    Input,
    ReceivedDigit,
    State,
    TelephoneEventReceiver,
    TelephoneEventSender,
)


def event(code: int, duration: int, *, end: bool = False) -> bytes:
    return bytes((code, (0x80 if end else 0) | 10)) + duration.to_bytes(2)


class Line:
    """Feeds packets to a receiver, 20 ms apart."""

    def __init__(self, clock_rate: int = 8000) -> None:
        self.receiver = TelephoneEventReceiver(clock_rate)
        self.now = 100.0
        self.digits: list[ReceivedDigit] = []

    def packet(self, payload: bytes, timestamp: int) -> None:
        self.now += 0.02
        self.digits += self.receiver.receive(payload, timestamp, self.now)

    def quiet(self, seconds: float) -> None:
        self.now += seconds
        self.digits += self.receiver.handle_timer(self.now)

    def press(self, code: int, timestamp: int, *, frames: int = 5, ends: int = 3) -> None:
        for i in range(1, frames):
            self.packet(event(code, i * 160), timestamp)
        for _ in range(ends):
            self.packet(event(code, frames * 160, end=True), timestamp)

    @property
    def keyed(self) -> str:
        return "".join(d.digit for d in self.digits)


def test_every_pair_of_state_and_input_is_either_handled_or_ignored_with_a_reason() -> None:
    pairs = set(itertools.product(State, Input))
    assert pairs == TRANSITIONS.keys() | IGNORED.keys()
    assert not TRANSITIONS.keys() & IGNORED.keys()


def test_a_digit_is_reported_once_with_its_duration() -> None:
    line = Line()
    line.press(5, 8000)
    assert line.digits == [ReceivedDigit(digit="5", duration_ms=100)]


def test_duplicate_end_packets_report_nothing_more() -> None:
    line = Line()
    line.press(1, 8000, ends=7)
    assert line.keyed == "1"


def test_every_digit_has_its_code() -> None:
    line = Line()
    for code in range(16):
        line.press(code, 8000 * code)
    assert line.keyed == "0123456789*#ABCD"


def test_a_lost_end_is_made_up_for_by_time() -> None:
    line = Line()
    line.press(9, 8000, ends=0)
    line.quiet(0.1)
    assert line.keyed == ""
    line.quiet(0.15)
    assert line.digits == [ReceivedDigit(digit="9", duration_ms=80)]
    line.quiet(1.0)
    assert line.keyed == "9"


def test_an_end_that_comes_after_the_time_out_reports_nothing_more() -> None:
    line = Line()
    line.press(9, 8000, ends=0)
    line.quiet(0.3)
    line.packet(event(9, 800, end=True), 8000)
    assert line.keyed == "9"


def test_a_lost_end_is_made_up_for_by_the_next_digit() -> None:
    line = Line()
    line.press(1, 8000, ends=0)
    line.press(2, 9600)
    assert line.keyed == "12"


def test_the_same_digit_again_is_known_by_its_timestamp_without_any_marker() -> None:
    line = Line()
    line.press(7, 8000)
    line.press(7, 9600)
    assert line.keyed == "77"


def test_the_same_digit_again_counts_even_when_the_first_end_was_lost() -> None:
    line = Line()
    line.press(7, 8000, ends=0)
    line.press(7, 9600)
    assert line.keyed == "77"


def test_only_the_end_packets_came() -> None:
    line = Line()
    line.press(3, 8000, frames=1)
    assert line.keyed == "3"


def test_a_timestamp_that_wrongly_moves_with_the_duration_is_one_digit() -> None:
    line = Line()
    for i in range(1, 5):
        line.packet(event(4, i * 160), 8000 + i * 160)
    for i in range(3):
        line.packet(event(4, 800, end=True), 8000 + (5 + i) * 160)
    assert line.keyed == "4"


@pytest.mark.parametrize("late_by", [0, 960 - 255])
@pytest.mark.parametrize("lost", [(), (67, 68), (69,)])
def test_a_key_that_is_held_for_two_segments_is_one_digit(
    late_by: int, lost: tuple[int, ...]
) -> None:
    """RFC 4733 section 2.5.1.3, at 48 kHz; some senders begin the second one late."""
    line = Line(48_000)
    segment, began = 8000, 0
    for frame in range(1, 101):
        held = frame * 960 - began
        if held > 0xFFFF:
            line.packet(event(5, 0xFFFF), segment)
            segment += 0xFFFF + late_by
            began += 0xFFFF + late_by
            held -= 0xFFFF + late_by
        if frame not in lost and held > 0:
            line.packet(event(5, held), segment)
    line.packet(event(5, 0xFFFF), 8000)  # one that took another way
    for _ in range(3):
        line.packet(event(5, 100 * 960 - began, end=True), segment)
    line.press(5, segment + 9600)
    assert line.digits == [
        ReceivedDigit(digit="5", duration_ms=2000),
        ReceivedDigit(digit="5", duration_ms=16),
    ]


def test_late_packets_of_a_digit_that_is_over_do_not_disturb_the_next() -> None:
    line = Line()
    line.press(1, 8000)
    line.packet(event(2, 160), 9600)
    line.packet(event(1, 480), 8000)
    line.press(2, 9600)
    assert line.keyed == "12"


@pytest.mark.parametrize(
    "payload", [b"", b"\x05", b"\x05\x80\x00", event(16, 160, end=True), event(255, 160)]
)
def test_flash_other_codes_and_short_payloads_are_dropped(payload: bytes) -> None:
    line = Line()
    line.packet(payload, 8000)
    line.quiet(1.0)
    assert line.digits == []


@given(st.lists(st.tuples(st.binary(max_size=6), st.integers(0, 0xFFFFFFFF)), max_size=30))
def test_any_packets_are_survived(packets: list[tuple[bytes, int]]) -> None:
    line = Line()
    for payload, timestamp in packets:
        line.packet(payload, timestamp)
    line.quiet(1.0)
    assert line.receiver.state is State.IDLE


def test_what_is_sent_has_one_timestamp_rising_duration_and_three_ends() -> None:
    sender = TelephoneEventSender("5", duration_ms=100, gap_ms=60)
    packets = [packet for packet in (sender.next_frame() for _ in range(20)) if packet]
    assert [p.payload[0] for p in packets] == [5] * 7
    assert [int.from_bytes(p.payload[2:4]) for p in packets] == [160, 320, 480, 640, 800, 800, 800]
    assert [bool(p.payload[1] & 0x80) for p in packets] == [False] * 4 + [True] * 3
    assert [p.marker for p in packets] == [True] + [False] * 6
    assert [p.elapsed for p in packets] == [i * 160 for i in range(7)]
    assert sender.is_done


def test_what_is_sent_is_received() -> None:
    sender = TelephoneEventSender("12*#aD", duration_ms=60, gap_ms=40)
    sender.extend("00")
    line = Line()
    clock = 0
    while not sender.is_done:
        packet = sender.next_frame()
        if packet is not None:
            line.packet(packet.payload, clock - packet.elapsed)
        clock += 160
    assert line.keyed == "12*#AD00"
    assert {d.duration_ms for d in line.digits} == {60}


@pytest.mark.parametrize("digits", ["", "x", "1 2", "１"])
def test_what_is_no_digit_cannot_be_sent(digits: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        TelephoneEventSender(digits, duration_ms=100, gap_ms=60)


def test_absurd_durations_are_bounded() -> None:
    sender = TelephoneEventSender("1", duration_ms=10**12, gap_ms=10**12)
    frames = 0
    while not sender.is_done:
        sender.next_frame()
        frames += 1
    assert frames < 1000


def test_what_is_sent_at_a_fast_clock_is_no_longer_than_one_segment() -> None:
    sender = TelephoneEventSender("1", duration_ms=8000, gap_ms=60, clock_rate=48_000)
    durations = []
    while not sender.is_done:
        if packet := sender.next_frame():
            durations.append(int.from_bytes(packet.payload[2:4]))
    assert durations == [*range(960, 65_280, 960), 65_280, 65_280, 65_280]
