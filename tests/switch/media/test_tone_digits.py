"""Digits in the sound: all sixteen at the edges of ITU-T Q.24, and nothing where there are none."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from cti.paths import shipped
from switch.ids import LegId
from switch.media.codecs import DECODE, ENCODE, FRAME_SAMPLES, PCMA, PCMU
from switch.media.digit_tones import HIGH_HZ, KEYPAD, LOW_HZ, ToneDigitSender, amplitude_of
from switch.media.events import DigitEnded
from switch.media.legs import FIRST_ROWS, LEG
from switch.media.tone_digits import ToneDigits
from tests.switch.media.studio import Studio

Wave = NDArray[np.float64]


def tones(
    digit: str, milliseconds: float, *, low_dbm0: float = -9.0, high_dbm0: float = -9.0,
    low_off: float = 0.0, high_off: float = 0.0,
) -> Wave:  # fmt: skip
    row, column = divmod(KEYPAD.index(digit), 4)
    time = np.arange(round(8 * milliseconds)) / 8000
    low, high = LOW_HZ[row] * (1 + low_off), HIGH_HZ[column] * (1 + high_off)
    wave: Wave = amplitude_of(low_dbm0) * np.sin(2 * np.pi * low * time + 0.3)
    wave += amplitude_of(high_dbm0) * np.sin(2 * np.pi * high * time + 1.1)
    return wave


def quiet(milliseconds: float) -> Wave:
    return np.zeros(round(8 * milliseconds))


def heard(*parts: Wave, law: int = PCMU, shift: int = 0) -> str:
    """What digits a sound is taken for, `shift` samples into a frame."""
    return "".join(event.digit for event in digits_in(*parts, law=law, shift=shift))


def digits_in(*parts: Wave, law: int = PCMU, shift: int = 0) -> list[DigitEnded]:
    wave = np.concatenate([quiet(60 + shift / 8), *parts, quiet(100)])
    whole = np.zeros(-(-len(wave) // FRAME_SAMPLES) * FRAME_SAMPLES)
    whole[: len(wave)] = wave
    linear = np.clip(np.round(whole), -32768, 32767).astype(np.int16)
    legs = np.zeros(1, dtype=LEG)
    legs["law"] = law
    ears = ToneDigits(1)
    ears.listen(np.array([0]))
    found: list[DigitEnded] = []
    for frame in ENCODE[law][linear.view(np.uint16)].reshape(-1, 1, FRAME_SAMPLES):
        found += ears.hear(frame.copy(), legs, {0: LegId("a")})
    return found


SHIFTS = range(0, 160, 13)
"""Places in a frame at which a digit may begin."""


@pytest.mark.parametrize("digit", KEYPAD)
def test_forty_milliseconds_are_enough_wherever_they_begin(digit: str) -> None:
    for shift in SHIFTS:
        assert heard(tones(digit, 40), shift=shift) == digit
        assert heard(tones(digit, 40), shift=shift, law=PCMA) == digit


@pytest.mark.parametrize("digit", KEYPAD)
def test_twenty_three_milliseconds_are_not(digit: str) -> None:
    for shift in SHIFTS:
        assert heard(tones(digit, 23), shift=shift) == ""


@pytest.mark.parametrize("digit", KEYPAD)
@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_frequencies_may_be_wrong_by_one_and_a_half_percent(
    digit: str, low: int, high: int
) -> None:
    for shift in (0, 40, 80, 120):
        wave = tones(digit, 50, low_off=0.015 * low, high_off=0.015 * high)
        assert heard(wave, shift=shift) == digit


@pytest.mark.parametrize("digit", KEYPAD)
@pytest.mark.parametrize(("low", "high"), [(0.035, 0), (-0.035, 0), (0, 0.035), (0, -0.035)])
def test_three_and_a_half_percent_are_too_much(digit: str, low: float, high: float) -> None:
    for shift in (0, 50, 110):
        assert heard(tones(digit, 100, low_off=low, high_off=high), shift=shift) == ""


@pytest.mark.parametrize("digit", KEYPAD)
@pytest.mark.parametrize(("low", "high"), [(-3, -3), (-25, -25), (-10, -6), (-6, -14), (-21, -25)])
def test_levels_and_twist_that_must_be_taken(digit: str, low: float, high: float) -> None:
    for shift in (0, 70):
        assert heard(tones(digit, 45, low_dbm0=low, high_dbm0=high), shift=shift) == digit


@pytest.mark.parametrize(("low", "high"), [(-35, -35), (-20, -10), (-8, -20), (-9, -60)])
def test_levels_and_twist_that_must_not(low: float, high: float) -> None:
    for digit in "1D60":
        assert heard(tones(digit, 100, low_dbm0=low, high_dbm0=high)) == ""


def test_a_gap_of_forty_milliseconds_divides_and_one_of_ten_does_not() -> None:
    for shift in SHIFTS:
        assert heard(tones("5", 50), quiet(40), tones("5", 50), shift=shift) == "55"
        assert heard(tones("5", 50), quiet(10), tones("5", 50), shift=shift) == "5"
        assert heard(tones("5", 60), tones("8", 60), shift=shift) == "58"


def test_a_long_number_at_the_shortest_times() -> None:
    number = "1234567890*#ABCD" * 3
    parts = [part for digit in number for part in (tones(digit, 45), quiet(45))]
    for shift in (0, 37, 91):
        assert heard(*parts, shift=shift) == number


@pytest.mark.parametrize("milliseconds", [40, 60, 100, 333, 1000])
def test_the_duration_is_told(milliseconds: int) -> None:
    (event,) = digits_in(tones("7", milliseconds))
    assert abs(event.duration_ms - milliseconds) <= 20


@pytest.mark.parametrize("digit", "147*2580369#ABCD")
def test_noise_fifteen_decibels_below_does_not_matter(digit: str) -> None:
    rng = np.random.default_rng(KEYPAD.index(digit))
    power = 2 * (amplitude_of(-9.0) ** 2 / 2) / 10**1.5
    for shift in (0, 60, 120):
        wave = tones(digit, 60)
        assert heard(wave + rng.normal(0, power**0.5, len(wave)), shift=shift) == digit


def test_noise_and_music_are_no_digits() -> None:
    rng = np.random.default_rng(3)
    time = np.arange(16 * 8000) / 8000
    assert heard(rng.normal(0, 6000, len(time))) == ""
    notes = np.array([[261.6], [329.6], [392.0], [523.3], [784.0]])
    assert heard(3000 * np.sin(2 * np.pi * notes * time).sum(axis=0)) == ""
    for one, other in pairwise((350.0, 440.0, 480.0, 620.0, 697.0, 1100.0, 1209.0, 2100.0)):
        pair = np.sin(2 * np.pi * one * time) + np.sin(2 * np.pi * other * time)
        assert heard(8000 * pair) == ""
    assert heard(8000 * np.sin(2 * np.pi * 697.0 * time)) == ""


def test_speech_and_music_that_are_shipped_are_no_digits() -> None:
    """Talk-off: some minutes of it, at the level that it has and 6 dB louder."""
    minutes = 0.0
    for path in sorted(shipped("prompts").rglob("*.ulaw")):
        wave = DECODE[PCMU][np.frombuffer(path.read_bytes(), dtype=np.uint8)].astype(np.float64)
        for loud in (1.0, 2.0):
            assert heard(wave * loud) == "", path.name
        minutes += len(wave) / 480_000
    assert minutes > 2


def test_a_leg_without_events_keys_by_tones() -> None:
    studio = Studio()
    for name, events in (("a", None), ("b", 101)):
        studio.add(name, 700.0, events=events)
        studio.parties[name].speaks = False
    sender = ToneDigitSender("1#", duration_ms=80, gap_ms=60)
    while not sender.is_done:
        octets = ENCODE[PCMU][sender.next_frame().view(np.uint16)].tobytes()
        for party in studio.parties.values():
            party.send(party.packet(payload=octets))
        studio.run(1)
    studio.run(6)
    assert [(e.leg, e.digit) for e in studio.events if isinstance(e, DigitEnded)] == [
        ("a", "1"),
        ("a", "#"),
    ]


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722", "OPUS"])
def test_digits_go_as_tones_to_a_leg_without_events(codec: str) -> None:
    studio = Studio()
    party = studio.add("a", codec=codec, events=None)
    studio.run(5)
    studio.engine.send_digits(LegId("a"), "159D", 100, 80)
    studio.run(45)
    sound = party.heard().astype(np.float64)
    assert heard(sound) == "159D"
    stamps = np.diff([p.timestamp for p in party.packets]) & 0xFFFFFFFF
    assert set(stamps.tolist()) == {160 * party.scale}


def test_only_legs_without_events_are_listened_to() -> None:
    studio = Studio()
    studio.add("a")
    studio.add("b", events=None)
    studio.run(2)
    assert studio.engine._legs.wanted.tolist()[:2] == [False, True]
    studio.configure("b", events=101)
    studio.run(2)
    assert not studio.engine._legs.wanted.any()


def test_the_tables_grow_while_every_leg_is_listened_to() -> None:
    studio = Studio()
    for number in range(FIRST_ROWS):
        studio.add(str(number), events=None).speaks = False
    studio.run(2)
    assert studio.engine._legs.wanted.sum() == studio.engine._legs.capacity == FIRST_ROWS
    studio.add("one more", events=None).speaks = False
    studio.run(2)
    assert studio.engine._legs.wanted.sum() == FIRST_ROWS + 1
