"""Which frames are talk: by the whole course of the levels, not by what was known at the first word."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from acd.dialer.answers.contour import Burst, Contour

_RANDOM = np.random.default_rng(3)


def heard(*parts: tuple[int, int, int], spread_db: int = 0) -> Contour:
    """Parts of so many frames, at a level, with percent of a voice; told five frames at a time."""
    contour = Contour()
    for count, level, voiced in parts:
        around = _RANDOM.integers(-spread_db, spread_db + 1, count) if spread_db else [0] * count
        levels = [level + int(off) for off in around]
        for begin in range(0, count, 5):
            contour.add(tuple(levels[begin : begin + 5]), voiced, 120 if voiced else 0, 200)
    return contour


def spoken(bursts: Iterable[Burst]) -> list[tuple[int, int]]:
    return [(burst.begin, burst.end) for burst in bursts]


def test_pauses_are_heard_in_noise_that_is_little_softer_than_the_words() -> None:
    contour = heard((25, -40, 0), (50, -26, 70), (20, -40, 0), (30, -26, 70), spread_db=3)
    (first, first_end), (second, second_end) = spoken(contour.bursts)
    assert abs(first - 25) <= 2
    assert abs(first_end - 75) <= 2
    assert abs(second - 95) <= 2
    assert second_end >= 123
    assert contour.speaking


def test_voices_behind_somebody_are_no_words_once_somebody_speaks() -> None:
    contour = heard((30, -50, 60))
    contour.add((-48,) * 20, 60, 120, 200)
    early = spoken(contour.bursts)
    contour.add((-20,) * 20, 80, 120, 200)
    contour.add((-50,) * 20, 60, 120, 200)
    assert spoken(contour.bursts) == [(50, 70)]
    assert early != [(50, 70)]
    assert not contour.speaking


def test_noise_without_a_voice_is_no_talk() -> None:
    contour = heard((20, -60, 0), (40, -25, 10), (20, -60, 0))
    assert contour.bursts == []
    assert not contour.speaking


def test_breaks_within_a_word_are_no_pauses() -> None:
    contour = heard((10, -70, 0), (10, -25, 80), (7, -70, 0), (10, -25, 80), (20, -70, 0))
    assert spoken(contour.bursts) == [(10, 37)]
    assert contour.sums().frames == 27
    assert contour.sums().voiced == 20 * 80


def test_who_never_pauses_speaks_from_the_beginning() -> None:
    contour = heard((200, -24, 70), spread_db=4)
    (only,) = spoken(contour.bursts)
    assert only[0] <= 2
    assert only[1] >= 198
