from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from switch.media.codecs import PCMU, SILENCE
from switch.media.legs import LEG
from switch.media.receive_ring import CONCEALED_FRAMES, DEPTH_BLOCKS, ReceiveRings, push_packet

LEGS = np.zeros(4, dtype=LEG)
ROW = np.array([1])


def push(
    rings: ReceiveRings, timestamp: int, packet: NDArray[np.uint8], start: int, length: int, *,
    restarted: bool = False, overtaken: bool = False,
) -> None:  # fmt: skip
    rings.overrun += push_packet(
        rings.table, rings.blocks, rings.filled, 1, timestamp, restarted, overtaken, packet, start, length
    )  # fmt: skip


class Ring:
    """One row of the rings; a packet is a count of 10 ms blocks, each filled with its number."""

    def __init__(self) -> None:
        self.rings = ReceiveRings(4)
        self.rings.reset(ROW, LEGS)

    def push(
        self, block: int, blocks: int = 2, *, restarted: bool = False, start: int = 12
    ) -> None:
        packet = np.zeros(1024, dtype=np.uint8)
        for i in range(blocks):
            packet[start + 80 * i : start + 80 * (i + 1)] = (block + i) % 100 + 1
        timestamp = (0xFFFFF000 + block * 80) & 0xFFFFFFFF
        push(self.rings, timestamp, packet, start, blocks * 80, restarted=restarted)

    def pop(self) -> tuple[int, int]:
        """The numbers of the two blocks of the frame."""
        self.rings.pop(ROW, LEGS)
        frame = self.rings.frames[1]
        for half in (frame[:80], frame[80:]):  # behind what may be crossed over
            if self.rings.table[1]["misses"] == 0:
                assert len(set(half[40:].tolist())) == 1
        return int(frame[79]) - 1, int(frame[159]) - 1


def test_frames_come_out_in_order_one_frame_later() -> None:
    ring = Ring()
    heard = []
    for n in range(50):
        ring.push(2 * n)
        heard.append(ring.pop())
    assert heard[1:] == [(2 * n, 2 * n + 1) for n in range(49)]
    assert ring.rings.overrun == 0


def test_packets_that_change_places_are_put_in_order() -> None:
    ring = Ring()
    ring.push(0)
    ring.pop()
    heard = []
    for n in range(1, 20, 2):
        ring.push(2 * n + 2)
        ring.push(2 * n)
        heard += [ring.pop(), ring.pop()]
    assert [h for h in heard if h[0] < 100] == [(2 * n, 2 * n + 1) for n in range(20)]
    assert ring.rings.table[1]["late"] == 0


def test_doubled_packets_are_heard_once() -> None:
    ring = Ring()
    heard = []
    for n in range(10):
        ring.push(2 * n)
        ring.push(2 * n)
        heard.append(ring.pop())
    assert heard[1:] == [(2 * n, 2 * n + 1) for n in range(9)]


@pytest.mark.parametrize("blocks", [1, 2, 3, 4, 6, 12])
def test_packets_of_any_length_make_one_sound(blocks: int) -> None:
    ring = Ring()
    heard: list[int] = []
    at = 0
    for tick in range(100):
        while at < 2 * tick + 2:
            ring.push(at, blocks, start=12 + 4 * (blocks % 3))
            at += blocks
        heard += ring.pop()
    sound = [n for n in heard if n != int(SILENCE[PCMU]) - 1]
    first = sound.index(0)
    assert sound[first:] == [n % 100 for n in range(len(sound) - first)]


def test_a_lost_packet_is_concealed_and_the_sound_goes_on_in_step() -> None:
    ring = Ring()
    heard = []
    for n in range(20):
        if n != 10:
            ring.push(2 * n)
        heard.append(ring.pop())
    assert heard[12:] == [(2 * n, 2 * n + 1) for n in range(11, 19)]
    assert heard[11] != (20, 21)
    assert heard[11][0] != int(SILENCE[PCMU]) - 1


def test_concealment_fades_into_silence() -> None:
    ring = Ring()
    for n in range(4):
        ring.push(2 * n)
        ring.pop()
    ring.pop()
    frames = [ring.pop() for _ in range(CONCEALED_FRAMES + 2)]
    assert frames[CONCEALED_FRAMES] == frames[-1] == (0xFE, 0xFE)
    assert len(set(frames)) == CONCEALED_FRAMES + 1


def test_a_packet_after_its_turn_is_dropped_and_counted() -> None:
    ring = Ring()
    for n in range(10):
        if n != 5:
            ring.push(2 * n)
        ring.pop()
    ring.push(10)
    assert ring.rings.table[1]["late"] == 1


def test_jitter_grows_the_delay_and_quiet_shrinks_it_again() -> None:
    ring = Ring()
    for n in range(0, 40, 4):  # bursts of four
        for k in range(4):
            ring.push(2 * (n + k))
        for _ in range(4):
            ring.pop()
    heard = []
    for n in range(40, 700):
        ring.push(2 * n)
        heard.append(ring.pop())
    last = heard[-1][0]
    assert (2 * 699 - last) % 100 <= 4  # back to at most two frames
    assert ring.rings.left_out <= 4
    assert ring.rings.overrun == 0
    assert len(heard) == 660


@pytest.mark.parametrize("faster", [True, False])
def test_a_clock_that_drifts_is_followed(faster: bool) -> None:
    ring = Ring()
    sent = 0
    misses = 0
    for tick in range(20000):
        due = tick * (1.001 if faster else 0.999)  # a thousand ppm: twenty frames in all
        while sent <= due:
            ring.push(2 * sent)
            sent += 1
        ring.pop()
        misses += int(ring.rings.table[1]["misses"] > 0)
        assert ring.rings.table[1]["ahead"] <= 10
    assert misses <= 25
    if faster:
        assert 15 <= ring.rings.left_out <= 25
    else:
        assert misses >= 15


def test_a_pause_and_a_far_jump_anchor_anew() -> None:
    ring = Ring()
    for n in range(5):
        ring.push(2 * n)
        ring.pop()
    for _ in range(100):
        ring.pop()
    for n in range(1000, 1010):
        ring.push(2 * n)
        last = ring.pop()
    assert last == ((2 * 1008) % 100, (2 * 1008) % 100 + 1)


@pytest.mark.parametrize("missing", [3, 4, 8, 10, 12])
def test_a_burst_of_loss_lasts_no_longer_than_it_does(missing: int) -> None:
    ring = Ring()
    heard = []
    for n in range(60):
        if not 20 <= n < 20 + missing:
            ring.push(2 * n)
        heard.append(ring.pop())
    late = [(n - heard[n][0] // 2) % 50 for n in range(60) if n < 20 or n > 21 + missing]
    assert late[1:20] == [1] * 19
    assert set(late[20:]) <= {1, 2}, "a frame is waited for, the burst is not waited for twice"


def test_a_burst_longer_than_the_ring_is_bounded() -> None:
    ring = Ring()
    for n in range(200):
        ring.push(2 * n)
    assert ring.rings.table[1]["ahead"] <= DEPTH_BLOCKS
    assert ring.rings.overrun >= 180
    heard = [ring.pop() for _ in range(3)]
    assert heard[-1][0] != int(SILENCE[PCMU]) - 1


def test_packets_too_long_are_counted_and_too_short_ignored() -> None:
    ring = Ring()
    ring.push(0, 12)
    push(ring.rings, 0xFFFFF000, np.zeros(1024, dtype=np.uint8), 12, 79)
    push(ring.rings, 0xFFFFF000, np.zeros(2048, dtype=np.uint8), 12, 1040)
    assert ring.rings.overrun == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 0xFFFFFFFF) | st.integers(0, 4000),
            st.integers(0, 1012),
            st.booleans(),
            st.booleans(),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_any_timestamps_and_lengths_are_survived(
    packets: list[tuple[int, int, bool, bool, bool]],
) -> None:
    rings = ReceiveRings(4)
    rings.reset(ROW, LEGS)
    packet = np.zeros(1024, dtype=np.uint8)
    for timestamp, length, restarted, overtaken, tick in packets:
        push(rings, timestamp, packet, 12, length, restarted=restarted, overtaken=overtaken)
        if tick:
            rings.pop(ROW, LEGS)
        assert 0 <= rings.table[1]["ahead"] <= DEPTH_BLOCKS
