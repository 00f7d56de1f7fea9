"""Features of the sound of a leg: speech, beeps, tones of the network, fax; heard in the engine."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from cti.paths import shipped
from switch.ids import LegId
from switch.media.codecs import DECODE, ENCODE, PCMU
from switch.media.errors import MediaCommandError
from switch.media.events import SoundHeard
from switch.media.sound_features import SoundChange
from tests.switch.media.studio import Studio

Wave = NDArray[np.float64]


def tone(milliseconds: int, *hertz: float, level: float = 6000.0) -> Wave:
    time = np.arange(8 * milliseconds) / 8000
    wave: Wave = sum((np.sin(2 * np.pi * f * time) for f in hertz), np.zeros(len(time)))
    return level * wave


def quiet(milliseconds: int) -> Wave:
    return np.random.default_rng(1).normal(0, 8, 8 * milliseconds)


def speech() -> Wave:
    path = shipped("prompts") / "en" / "main-menu.ulaw"
    wave: Wave = DECODE[PCMU][np.frombuffer(path.read_bytes(), dtype=np.uint8)].astype(np.float64)
    return wave


def heard(*parts: Wave) -> list[SoundChange]:
    """All changes that a watched leg's sound brings."""
    wave = np.concatenate([quiet(200), *parts])
    whole = np.zeros(-(-len(wave) // 160) * 160)
    whole[: len(wave)] = wave
    octets = ENCODE[PCMU][np.clip(whole, -32768, 32767).astype(np.int16).view(np.uint16)]
    studio = Studio()
    party = studio.add("a")
    party.speaks = False
    studio.engine.watch_sound(LegId("a"), on=True)
    for frame in octets.reshape(-1, 160):
        party.send(party.packet(payload=frame.tobytes()))
        studio.run(1)
    studio.run(3)
    return [event.change for event in studio.events if isinstance(event, SoundHeard)]


def names(changes: Sequence[SoundChange]) -> list[str]:
    return [change.tone for change in changes if change.tone]


def test_talk_and_silence_are_told_with_their_times() -> None:
    # Loud and soft in turn, without a pitch; loud rises and falls as talk does.
    noise = np.random.default_rng(2).normal(0, 3000, 8 * 600)
    noise *= np.repeat([1.0, 0.2, 1.0, 0.2, 1.0, 1.0], 800)
    changes = heard(noise, quiet(800), noise[: 8 * 300], quiet(600))
    turns = list(dict.fromkeys((change.speaking, change.since_ms) for change in changes))
    assert [speaking for speaking, _ in turns] == [True, False, True, False]
    for (_, at), wanted in zip(turns, (200, 800, 1600, 1900), strict=True):
        assert abs(at - wanted) <= 80
    assert changes[-1].bursts == 2


def test_levels_are_told() -> None:
    changes = heard(np.random.default_rng(2).normal(0, 3000, 8 * 1000))
    wanted = 20 * np.log10(3000 / 32768)
    assert any(abs(change.level_dbov - wanted) < 1 for change in changes)


def test_without_a_change_a_report_comes_twice_a_second() -> None:
    changes = heard(quiet(5000))
    assert 9 <= len(changes) <= 12
    assert not any(change.speaking or change.tone for change in changes)


@pytest.mark.parametrize("hertz", [440.0, 850.0, 1000.0, 1400.0, 2000.0])
@pytest.mark.parametrize("milliseconds", [200, 1000])
def test_the_beep_of_a_machine(hertz: float, milliseconds: int) -> None:
    changes = heard(speech()[:16000], quiet(300), tone(milliseconds, hertz), quiet(400))
    (beep,) = [change for change in changes if change.tone]
    assert beep.tone == "beep"
    assert abs(beep.tone_hz - hertz) < 10
    assert abs(beep.tone_ms - milliseconds) <= 60


def test_the_three_tones_of_a_number_that_is_not_in_service() -> None:
    for low, middle, high in ((913.8, 1370.6, 1776.7), (985.2, 1428.5, 1776.7)):
        changes = heard(tone(276, low), tone(276, middle), tone(380, high), quiet(300))
        assert names(changes) == ["sit"]


def test_one_tone_of_the_three_alone_is_a_beep() -> None:
    assert names(heard(speech()[:16000], tone(330, 950.0), quiet(400))) == ["beep"]


def test_a_calling_and_a_called_fax() -> None:
    assert names(heard(tone(500, 1100.0), quiet(500))) == ["fax-cng"]
    assert names(heard(quiet(100), tone(2600, 2100.0), quiet(300))) == ["fax-ced"]
    turning = np.concatenate([side * tone(450, 2100.0) for side in (1, -1, 1, -1, 1)])
    assert names(heard(quiet(100), turning, quiet(300))) == ["fax-ced"]


@pytest.mark.parametrize(
    "rings",
    [
        [tone(2000, 440.0, 480.0), quiet(4000)],
        [tone(1000, 425.0), quiet(4000)],
        [tone(400, 400.0, 450.0), quiet(200), tone(400, 400.0, 450.0), quiet(2000)],
    ],
)
def test_ring_back_of_some_countries(rings: list[Wave]) -> None:
    assert names(heard(*rings, *rings)) == ["ring-back", "ring-back"]


@pytest.mark.parametrize("hertz", [(480.0, 620.0), (425.0,), (400.0,)])
def test_busy(hertz: tuple[float, ...]) -> None:
    found = names(heard(*[tone(500, *hertz), quiet(500)] * 3))
    assert found == ["busy"]


def test_speech_has_no_tones() -> None:
    for path in sorted((shipped("prompts") / "en").glob("*.ulaw"))[:12]:
        wave = DECODE[PCMU][np.frombuffer(path.read_bytes(), dtype=np.uint8)]
        changes = heard(wave.astype(np.float64), quiet(300))
        assert names(changes) == [], path.name
        assert changes[-1].bursts >= 1


@pytest.mark.parametrize("hertz", [85.0, 120.0, 210.0, 320.0])
def test_the_pitch_of_a_voice(hertz: float) -> None:
    harmonics = [n * hertz for n in range(1, int(3400 / hertz))]
    wave = sum(
        (tone(1000, f, level=3000.0 / n) for n, f in enumerate(harmonics, 1)), np.zeros(8000)
    )
    voiced = [change for change in heard(wave) if change.voiced > 0.9]
    assert voiced
    assert all(abs(change.voice_hz / hertz - 1) < 0.04 for change in voiced)


def test_hiss_and_single_tones_are_no_voice() -> None:
    noise = np.random.default_rng(2).normal(0, 3000, 8 * 1000)
    assert np.mean([change.voiced for change in heard(noise)]) < 0.05
    assert np.mean([change.voiced for change in heard(tone(1000, 440.0))]) < 0.05
    assert max(change.crossings for change in heard(noise)) > 0.4


def test_noise_that_stays_is_not_talk_for_long_and_talk_above_it_is() -> None:
    noise = np.random.default_rng(3).normal(0, 200, 8 * 6000)
    loud = np.random.default_rng(4).normal(0, 3000, 8 * 400)
    changes = heard(noise[: 8 * 2000], noise[8 * 2000 : 8 * 2400] + loud, noise[8 * 2400 :])
    talk = [change for change in changes if change.speaking]
    assert {change.since_ms // 100 for change in talk} == {2, 22}
    assert max(change.at_ms for change in talk if change.since_ms < 300) <= 1000
    assert not any(change.speaking for change in changes if 1000 < change.at_ms < 2200)
    assert abs(changes[-1].floor_dbov - 20 * np.log10(200 / 32768)) < 3


def test_reports_come_often_while_somebody_speaks_and_a_second_more() -> None:
    changes = heard(quiet(1000), speech()[:16000], quiet(3000))
    ends = [change.at_ms for change in changes if change.speaking]
    assert np.median(np.diff(ends)) == 100
    (over,) = {c.since_ms for c in changes if not c.speaking and c.at_ms > 3300}
    after = [change.at_ms - over for change in changes if change.at_ms > over + 300]
    assert set(np.diff([at for at in after if at < 1000])) == {100}
    assert set(np.diff([at for at in after if at > 1100])) == {500}


def test_a_tone_is_told_while_it_sounds() -> None:
    changes = heard(tone(1000, 425.0))
    told = next(change for change in changes if change.tone_hz)
    assert (told.tone, told.tone_ms) == ("", 100)


def test_only_watched_legs_are_measured_and_the_watch_ends() -> None:
    studio = Studio()
    for name in ("a", "b"):
        studio.add(name)
    studio.run(2)
    assert not studio.engine._legs.wanted.any()
    studio.engine.watch_sound(LegId("a"), on=True)
    studio.run(30)
    assert studio.engine._legs.wanted.tolist()[:2] == [True, False]
    assert {e.leg for e in studio.events if isinstance(e, SoundHeard)} == {"a"}
    studio.engine.watch_sound(LegId("a"), on=False)
    studio.engine.watch_sound(LegId("b"), on=True)
    studio.engine.remove_leg(LegId("b"))
    del studio.parties["b"]
    studio.events.clear()
    studio.run(30)
    assert not [event for event in studio.events if isinstance(event, SoundHeard)]
    with pytest.raises(MediaCommandError, match="no leg"):
        studio.engine.watch_sound(LegId("b"), on=True)


def test_each_frame_has_its_level_in_a_report_without_its_low_notes() -> None:
    hum = tone(600, 100.0)
    hiss = np.random.default_rng(2).normal(0, 4000, 8 * 600)
    changes = heard(hum, quiet(400), hiss, quiet(400), tone(400, 1000.0), quiet(600))
    for before, after in itertools.pairwise(changes):
        assert len(after.levels) in ((after.at_ms - before.at_ms) // 20, 0) or (
            after.at_ms == before.at_ms
        )
    levels = np.concatenate([c.levels for c in {c.at_ms: c for c in changes}.values()])
    assert len(levels) >= 145
    hummed, hissed, beeped = levels[15:38], levels[64:88], levels[115:128]
    assert np.median(hissed) - np.median(hummed) >= 15
    assert set(beeped.tolist()) == {-96}
