"""Features of the sound of a leg: speech, beeps, tones of the network, fax; heard in the engine."""

from __future__ import annotations

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
    # Loud and soft in turn, without a pitch.
    noise = np.random.default_rng(2).normal(0, 3000, 8 * 600)
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
