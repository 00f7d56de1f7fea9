from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from switch.ids import LegId, PlayerId
from switch.media.codecs import DECODE, PCMU, encode
from switch.media.events import PlayerEnded
from switch.media.model import PromptItem, SilenceItem, ToneItem
from switch.media.prompts import PromptStore
from switch.media.tones import tone_second
from tests.switch.media.studio import Studio, level_of

PLAYER = PlayerId("p")
CALLER = LegId("caller")


def write_prompt(folder: Path, name: str, hertz: float, milliseconds: int) -> Path:
    path = folder / f"{name}.ulaw"
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(milliseconds * 8) / 8000
    wave = (8000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
    path.write_bytes(encode(wave, PCMU).tobytes())
    return path


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_prompt_silence_and_tone_are_played_one_after_the_other(tmp_path: Path, codec: str) -> None:
    write_prompt(tmp_path, "en/welcome", 600, 400)
    studio = Studio(tmp_path)
    caller = studio.add("caller", codec=codec)
    items = (PromptItem("en/welcome"), SilenceItem(200), ToneItem((1200.0,), 400, -12.0))
    studio.engine.play(PLAYER, items, (CALLER,), loop=False)
    studio.run(55)
    sound = caller.heard()
    assert level_of(sound[:3200], 600) > 7000
    assert abs(sound[3200:4800]).max() <= 8  # A-law has no zero
    assert level_of(sound[4800:8000], 1200) > 7000
    assert abs(sound[8000:]).max() <= 8
    assert studio.events == [PlayerEnded(player=PLAYER, played_ms=1000, stopped=False, missing=())]


def test_prompts_that_do_not_exist_are_passed_over_and_named(tmp_path: Path) -> None:
    write_prompt(tmp_path, "here", 600, 100)
    studio = Studio(tmp_path)
    studio.add("caller")
    items = (PromptItem("gone"), PromptItem("here"), PromptItem("gone/too"))
    studio.engine.play(PLAYER, items, (CALLER,), loop=False)
    studio.run(10)
    assert studio.events == [
        PlayerEnded(player=PLAYER, played_ms=100, stopped=False, missing=("gone", "gone/too"))
    ]


def test_a_player_with_nothing_to_play_ends_at_once_even_if_it_should_loop() -> None:
    studio = Studio()
    studio.add("caller")
    studio.engine.play(PLAYER, (PromptItem("gone"),), (CALLER,), loop=True)
    studio.run(1)
    assert studio.events == [
        PlayerEnded(player=PLAYER, played_ms=0, stopped=False, missing=("gone",))
    ]
    assert studio.engine.players == ()


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "a/../../secret", "", ".", "x\0y", "link", "a" * 5000]
)
def test_names_that_lead_out_of_the_folders_are_missing(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    write_prompt(tmp_path, "secret", 600, 100)
    os.symlink(tmp_path / "secret.ulaw", folder / "link.ulaw")
    assert PromptStore((folder,)).prompt(name) is None


def test_a_replaced_prompt_is_read_again_and_a_deleted_one_still_sounds(tmp_path: Path) -> None:
    path = write_prompt(tmp_path, "note", 600, 200)
    studio = Studio(tmp_path)
    caller = studio.add("caller")
    studio.engine.play(PLAYER, (PromptItem("note"),), (CALLER,), loop=False)
    studio.run(12)
    write_prompt(tmp_path, "note", 900, 300)
    os.utime(path, ns=(1, 1))
    caller.forget()
    studio.engine.play(PLAYER, (PromptItem("note"),), (CALLER,), loop=False)
    studio.run(16)
    assert level_of(caller.heard()[:2400], 900) > 7000
    path.unlink()
    studio.engine.play(PLAYER, (PromptItem("note"),), (CALLER,), loop=False)
    studio.run(16)
    assert [e.missing for e in studio.events if isinstance(e, PlayerEnded)] == [()] * 3


def test_a_prompt_that_is_just_being_replaced_sounds_as_before(tmp_path: Path) -> None:
    """`cp` empties a file before it writes it: a call must not fall into that moment."""
    path = write_prompt(tmp_path, "note", 600, 200)
    store = PromptStore((tmp_path,))
    before = store.prompt("note")
    path.write_bytes(b"")
    assert store.prompt("note") == before
    write_prompt(tmp_path, "note", 900, 300)
    after = store.prompt("note")
    assert after is not None
    assert after.frames == 15


def test_a_prompt_that_is_emptied_while_it_is_read_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_prompt(tmp_path, "note", 600, 200)
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"")
    assert PromptStore((tmp_path,)).prompt("note") is None


def test_prompts_are_read_ahead_and_earlier_folders_win(tmp_path: Path) -> None:
    for folder, hertz in (("own", 600), ("shipped", 900)):
        write_prompt(tmp_path / folder, "en/hello", hertz, 100)
    write_prompt(tmp_path / "shipped", "zh/hello", 900, 100)
    store = PromptStore((tmp_path / "own", tmp_path / "shipped"))
    assert store.preload() == 2
    segment = store.prompt("en/hello")
    assert segment is not None
    sound = DECODE[PCMU][
        np.concatenate(
            [store.arena[at : at + 160] for at in range(segment.start, segment.start + 800, 160)]
        )
    ]
    assert level_of(sound, 600) > 7000


def test_the_arena_grows_without_spoiling_what_plays(tmp_path: Path) -> None:
    write_prompt(tmp_path, "short", 600, 2000)
    write_prompt(tmp_path, "long", 900, 400_000)
    studio = Studio(tmp_path)
    caller = studio.add("caller")
    studio.add("other")
    studio.engine.play(PLAYER, (PromptItem("short"),), (CALLER,), loop=False)
    studio.run(20)
    studio.engine.play(PlayerId("q"), (PromptItem("long"),), (LegId("other"),), loop=False)
    studio.run(20)
    assert level_of(caller.heard(), 600) > 7000


@pytest.mark.parametrize("duration_ms", [20, 50, 110, 1000, 1730])
def test_a_looped_tone_is_continuous_in_phase(duration_ms: int) -> None:
    studio = Studio()
    caller = studio.add("caller")
    studio.engine.play(PLAYER, (ToneItem((437.0,), duration_ms, -12.0),), (CALLER,), loop=True)
    studio.run(200)
    sound = caller.heard().astype(np.float64)
    expected = sound[:8000]
    for second in range(1, 4):
        assert (sound[8000 * second : 8000 * (second + 1)] == expected).all()


def test_a_tone_has_its_level_and_both_its_frequencies() -> None:
    sound = DECODE[PCMU][tone_second((440.0, 480.0), -15.0)].astype(np.float64)
    power = 10 * np.log10((sound**2).mean() / 32767.0**2)
    assert power == pytest.approx(-15.0, abs=0.2)
    assert level_of(sound.astype(np.int16), 440) == pytest.approx(
        level_of(sound.astype(np.int16), 480), rel=0.02
    )


@pytest.mark.parametrize(
    "frequencies", [(), (0.0,), (4000.0,), (-5.0,), (float("nan"),), (float("inf"),), (1e300,)]
)
def test_a_tone_of_impossible_frequencies_is_silence(frequencies: tuple[float, ...]) -> None:
    assert not DECODE[PCMU][tone_second(frequencies, -15.0)].any()


def test_a_stopped_player_says_so_and_the_rest_plays_on() -> None:
    studio = Studio()
    studio.add("caller")
    other = studio.add("other")
    tone = (ToneItem((1000.0,), 60_000, -15.0),)
    studio.engine.play(PLAYER, tone, (CALLER,), loop=False)
    studio.engine.play(PlayerId("q"), tone, (LegId("other"),), loop=False)
    studio.run(10)
    studio.engine.stop_player(PLAYER)
    studio.run(20)
    assert studio.events == [PlayerEnded(player=PLAYER, played_ms=200, stopped=True, missing=())]
    assert not studio.parties["caller"].heard(10).any()
    assert level_of(other.heard(15), 1000) > 3000


def test_a_player_started_anew_under_its_old_name_replaces_the_old_one() -> None:
    studio = Studio()
    caller = studio.add("caller")
    studio.engine.play(PLAYER, (ToneItem((1000.0,), 1000, -15.0),), (CALLER,), loop=True)
    studio.run(5)
    studio.engine.play(PLAYER, (ToneItem((1500.0,), 1000, -15.0),), (CALLER,), loop=True)
    studio.run(20)
    assert [type(e) for e in studio.events] == [PlayerEnded]
    assert level_of(caller.heard(15), 1000) < 100
    assert level_of(caller.heard(15), 1500) > 3000


def test_many_players_at_once() -> None:
    studio = Studio()
    for i in range(200):
        studio.add(f"leg{i}")
        studio.engine.play(
            PlayerId(f"p{i}"),
            (ToneItem((300.0 + 10 * i,), 400, -15.0),),
            (LegId(f"leg{i}"),),
            loop=False,
        )
    studio.run(25)
    for i in (0, 64, 199):
        assert level_of(studio.parties[f"leg{i}"].heard()[:3200], 300 + 10 * i) > 3000
    assert len(studio.events) == 200
    assert studio.engine.players == ()
