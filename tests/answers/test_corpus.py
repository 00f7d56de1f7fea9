"""The corpus is what it says: the same for the same seed, and in two parts that share nothing."""

from __future__ import annotations

import re

import numpy as np

from tests.answers import bank, tones
from tests.answers.channel import CODECS, NOISES
from tests.answers.corpus import plan, wave_of
from tests.answers.voices import VOICES


def words(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().lower()


def test_the_parts_share_no_voice_text_noise_or_codec() -> None:
    seen, held = ({u for u in bank.read() if u.is_held == part} for part in (False, True))
    assert {u.voice for u in seen} & {u.voice for u in held} == set()
    # A word of half a second; by other voices.
    assert {words(u.text) for u in seen} & {words(u.text) for u in held} == {"hey"}
    for part in (False, True):
        for item in plan(is_held=part, people=200, machines=200, others=0):
            assert NOISES[item.noise][0] == part
            assert CODECS[item.codec][0] == part
            assert bank.read()[item.utterance].is_held == part


def test_the_bank_has_every_voice_and_nearly_every_text() -> None:
    found = bank.read()
    assert {u.voice for u in found} == {voice.name for voice in VOICES}
    wanted = {
        text
        for language in ("en", "zh")
        for part in (False, True)
        for _, text in bank.texts(language, is_held=part)
    }
    spoken = {u.text for u in found}
    assert spoken <= wanted
    assert len(spoken) >= 0.95 * len(wanted)


def test_the_same_seed_makes_the_same_sound() -> None:
    one, other = (plan(is_held=True, people=20, machines=20, others=2) for _ in range(2))
    assert one == other
    assert one != plan(is_held=True, people=20, machines=20, others=2, seed=21)
    utterances = bank.read()
    for item in one[::9]:
        assert np.array_equal(wave_of(item, utterances), wave_of(item, utterances))


def test_cadences_sound_and_pause_as_their_countries_have_them() -> None:
    for of in (*tones.RING_BACK, *tones.BUSY, *tones.CONGESTION):
        wave = tones.cadence(of, 8)
        frames = np.abs(wave[: len(wave) // 80 * 80]).reshape(-1, 80).max(axis=1) > 0.01
        period = sum(of.times_ms) / 1000
        share = sum(of.times_ms[::2]) / sum(of.times_ms)
        whole = int(8 // period * period * 100)
        assert abs(frames[:whole].mean() - share) < 0.03, of
