"""What stands in for sound that did not come: its last period, comfort noise, and what is counted."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from switch.ids import LegId
from switch.media.codecs import DECODE, ENCODE, PCMA, PCMU, SILENCE
from switch.media.legs import LEG
from switch.media.receive_ring import (
    MAX_TARGET_BLOCKS,
    OUTLIERS,
    TARGET_BLOCKS,
    WINDOW_TICKS,
    ReceiveRings,
    push_packet,
)
from tests.switch.media.studio import Party, Studio, level_of

ROW = np.array([0])


class Line:
    """One ring that is fed a voice of some pitch."""

    def __init__(self, hertz: float = 140.0, law: int = PCMU) -> None:
        self.legs = np.zeros(1, dtype=LEG)
        self.legs["law"] = law
        self.law = law
        self.rings = ReceiveRings(1)
        self.rings.reset(ROW, self.legs)
        time = np.arange(8000 * 20) / 8000
        wave = sum(np.sin(2 * np.pi * hertz * k * time + k) / k for k in range(1, 8))
        self.wave: NDArray[np.float64] = 6000.0 * np.asarray(wave)

    def push(self, frame: int) -> None:
        packet = np.zeros(1024, dtype=np.uint8)
        linear = self.wave[160 * frame : 160 * frame + 160].astype(np.int16)
        packet[:160] = ENCODE[self.law][linear.view(np.uint16)]
        push_packet(
            self.rings.table,
            self.rings.blocks,
            self.rings.filled,
            0,
            160 * frame,
            False,
            False,
            packet,
            0,
            160,
        )

    def pop(self) -> NDArray[np.int16]:
        self.rings.pop(ROW, self.legs)
        sound: NDArray[np.int16] = DECODE[self.law][self.rings.frames[0]]
        return sound.copy()


@pytest.mark.parametrize("law", [PCMU, PCMA])
@pytest.mark.parametrize("hertz", [80.0, 112.0, 140.0, 190.0])
def test_a_voice_goes_on_in_its_own_pitch(hertz: float, law: int) -> None:
    line = Line(hertz, law)
    heard = []
    for frame in range(20):
        if frame != 12:
            line.push(frame)
        heard.append(line.pop())
    # Heard a frame later than pushed: frame 12 is due in the 13th.
    wanted = line.wave[160 * 12 : 160 * 13]
    made = heard[13].astype(np.float64)
    likeness = np.dot(made, wanted) / np.linalg.norm(made) / np.linalg.norm(wanted)
    assert likeness > 0.9
    assert line.rings.table[0]["concealed"] == 1


def test_there_is_no_click_where_sound_begins_again() -> None:
    line = Line(140.0)
    heard = []
    for frame in range(20):
        if frame not in (12, 13):
            line.push(frame)
        heard.append(line.pop())
    sound = np.concatenate(heard[8:]).astype(np.float64)
    assert np.abs(np.diff(sound)).max() < 1.5 * np.abs(np.diff(line.wave)).max()


def test_there_is_no_click_where_frames_are_left_out() -> None:
    line = Line(143.0)
    heard = []
    pushed = 0
    for frame in range(900):
        while pushed < 1.01 * frame:  # a clock that is too fast
            line.push(pushed)
            pushed += 1
        heard.append(line.pop())
    sound = np.concatenate(heard[8:]).astype(np.float64)
    assert line.rings.left_out >= 5
    assert np.abs(np.diff(sound)).max() < 1.5 * np.abs(np.diff(line.wave)).max()


def test_it_fades_into_silence_within_sixty_milliseconds() -> None:
    line = Line()
    for frame in range(12):
        line.push(frame)
        line.pop()
    line.pop()
    levels = [float(np.abs(line.pop()).max()) for _ in range(5)]
    assert levels[0] > levels[1] > levels[2] > 0
    assert levels[3] == levels[4] == 0
    assert line.rings.table[0]["concealed"] == 3


def test_depth_grows_when_packets_come_late_and_shrinks_again() -> None:
    line = Line()
    rng = np.random.default_rng(1)
    due: list[tuple[int, int]] = []

    def run(first: int, last: int, most_late: int) -> tuple[int, int]:
        late = int(line.rings.table[0]["late"])
        concealed = int(line.rings.table[0]["concealed"])
        for frame in range(first, last):
            due.append((frame + int(rng.integers(0, most_late + 1)), frame))
            for when, number in sorted(due):
                if when <= frame:
                    line.push(number % 900)
                    due.remove((when, number))
            line.pop()
        table = line.rings.table[0]
        return int(table["late"]) - late, int(table["concealed"]) - concealed

    run(0, 400, 3)  # up to 60 ms late
    late, concealed = run(400, 800, 3)
    assert late + concealed < 40
    assert line.rings.table[0]["ahead"] >= 4
    run(800, 850, 0)


def test_a_ring_that_ran_dry_begins_deeper_and_forgets_it() -> None:
    line = Line()
    table = line.rings.table
    for window in range(8):
        table["behind"] = OUTLIERS + 1
        for _ in range(WINDOW_TICKS):
            line.pop()
        assert table["target"][0] == min(TARGET_BLOCKS * (window + 2), MAX_TARGET_BLOCKS)
    for _ in range(20 * WINDOW_TICKS):
        line.pop()
    assert table["target"][0] == TARGET_BLOCKS


def noise_packet(party: Party, level: int) -> bytes:
    return party.packet(payload_type=13, payload=bytes([level]))


def rms(sound: NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))


@pytest.mark.parametrize("gain", [1.0, 0.999])
@pytest.mark.parametrize("listener", ["PCMU", "PCMA", "G722"])
@pytest.mark.parametrize("level", [30, 45])
def test_comfort_noise_is_as_loud_as_it_is_said(gain: float, listener: str, level: int) -> None:
    studio = Studio()
    a = studio.add("a", 700.0)
    b = studio.add("b", codec=listener)
    studio.bridge("a", "b", gain)
    studio.run(10)
    a.speaks = False
    a.send(noise_packet(a, level))
    studio.run(60)
    wanted = 32768 * 10 ** (-level / 20)
    assert rms(b.heard()[-3200:]) == pytest.approx(wanted, rel=0.25)
    a.speaks = True
    studio.run(30)
    assert level_of(b.heard()[-3200:], 700.0) > 5000


def test_the_softest_noise_is_silence_and_odd_packets_do_no_harm() -> None:
    studio = Studio()
    a = studio.add("a", 700.0)
    b = studio.add("b")
    studio.bridge("a", "b", 0.5)
    studio.run(5)
    a.speaks = False
    for payload in (b"", b"\xff", bytes(900), b"\x7f"):
        a.send(a.packet(payload_type=13, payload=payload))
        studio.run(1)
    studio.run(40)
    assert rms(b.heard()[-1600:]) < 20


def test_what_was_concealed_is_told_at_the_end() -> None:
    studio = Studio()
    a = studio.add("a", 700.0)
    studio.add("b")
    studio.bridge("a", "b", 0.5)
    studio.run(10)
    a.packet()  # lost
    studio.run(10)
    totals = studio.engine.remove_leg(LegId("a"))
    assert totals.frames_concealed >= 1
    assert totals.packets_lost == 1
    assert SILENCE[PCMU] == 0xFF
