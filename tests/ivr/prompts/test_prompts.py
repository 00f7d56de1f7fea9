from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cti.cli import prompts as command
from ivr.prompts import levels, music
from ivr.prompts.catalogue import PromptCatalogue, read_texts
from ivr.prompts.errors import PromptTextError
from ivr.prompts.render import languages, plan, render
from recordings import mulaw
from tests.ivr.scene import CATALOGUE, ROOT

FOLDER = ROOT / "config/prompts"


def sound_of(path: Path) -> NDArray[np.float64]:
    return mulaw.decode(np.frombuffer(path.read_bytes(), np.uint8)) / 32768


def dbfs(value: float) -> float:
    return float(20 * np.log10(value))


def shipped_speech() -> list[tuple[str, str]]:
    return [(lang, name) for lang in languages(FOLDER) for name in read_texts(FOLDER / lang)]


def test_every_text_has_its_audio_and_every_audio_its_text() -> None:
    texts = {f"{language}/{name}" for language, name in shipped_speech()}
    assert languages(FOLDER) == ["en", "zh"]
    assert texts | {"music/default", "tones/beep"} == CATALOGUE.names()


@pytest.mark.parametrize(("language", "name"), shipped_speech())
def test_shipped_prompts_are_speech_of_one_loudness(language: str, name: str) -> None:
    text = read_texts(FOLDER / language)[name]
    sound = sound_of(FOLDER / language / f"{name}.ulaw")
    length_s = sound.size / 8000
    # Spoken: about 15 letters of English a second, about 4 characters of Chinese; a word alone
    # takes at least a quarter of a second.
    letters = sum(character.isalnum() for character in text)
    rate = letters / max(length_s - 0.25, 0.1)
    assert 0.2 <= length_s <= 12
    assert rate <= (60 if length_s < 0.8 else 26) if language == "en" else rate <= 30
    assert dbfs(levels.speech_rms(sound)) == pytest.approx(-20, abs=0.6)
    assert dbfs(np.abs(sound).max()) < -3
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(sound.size, 1 / 8000)
    assert power[(hz > 150) & (hz < 3600)].sum() / power.sum() > 0.9
    # Speech is spread over many pitches, unlike a tone or a hum.
    assert np.sort(power)[::-1][: max(3, power.size // 200)].sum() / power.sum() < 0.95
    # No long silence at the ends, no click.
    frames = np.abs(sound[: sound.size // 80 * 80]).reshape(-1, 80).max(axis=1) > 0.01
    assert 10 * np.flatnonzero(frames)[0] <= 100
    assert 10 * np.flatnonzero(frames[::-1])[0] <= 120
    assert abs(sound[0]) < 0.01


def test_the_shipped_music_is_what_the_program_composes_and_has_no_seam() -> None:
    octets = (FOLDER / "music/default.ulaw").read_bytes()
    composed = music.hold_music()
    difference = sound_of(FOLDER / "music/default.ulaw") - composed
    assert len(octets) == music.LENGTH == 40 * 8000
    assert dbfs(np.abs(difference).max()) < -30
    assert dbfs(np.sqrt(np.mean(composed**2))) == pytest.approx(-25, abs=1)
    seam = abs(composed[0] - composed[-1])
    assert seam < np.quantile(np.abs(np.diff(composed)), 0.99)
    power = np.abs(np.fft.rfft(composed)) ** 2
    hz = np.fft.rfftfreq(composed.size, 1 / 8000)
    assert power[(hz > 150) & (hz < 3400)].sum() / power.sum() > 0.95


def test_the_beep_is_a_tone() -> None:
    beep = sound_of(FOLDER / "tones/beep.ulaw")
    assert np.argmax(np.abs(np.fft.rfft(beep))) * 8000 / beep.size == pytest.approx(440, abs=4)


def test_all_shipped_audio_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.ulaw")) < 3_000_000


def test_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.ulaw").write_bytes(b"x")
    (tmp_path / "in").mkdir()
    catalogue = PromptCatalogue(tmp_path / "in")
    assert not catalogue.has("../secret")
    assert not catalogue.has(str(tmp_path / "secret"))
    assert catalogue.duration_ms("nothing") is None


def test_a_folder_of_ones_own_goes_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/welcome.ulaw").write_bytes(b"\xff" * 800)
    catalogue = PromptCatalogue(tmp_path, FOLDER)
    assert catalogue.duration_ms("en/welcome") == 100
    assert catalogue.has("zh/welcome")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: b: c", "prompts.yaml"),
        ("- a", "prompts.yaml:1"),
        ("a: one\nb: ''\n", "prompts.yaml:2: `b` needs a text"),
        ("a: one\na: two\n", "prompts.yaml:2: `a` is there twice"),
    ],
)
def test_bad_texts_are_told_with_their_line(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "prompts.yaml").write_text(text)
    with pytest.raises(PromptTextError, match=part):
        read_texts(tmp_path)


def texts_in(folder: Path, language: str, text: str) -> None:
    (folder / language).mkdir()
    (folder / language / "prompts.yaml").write_text(f"hello: {text}\n", encoding="utf-8")


def test_both_voices_render_speech(tmp_path: Path) -> None:
    texts_in(tmp_path, "en", "Good morning, how can we help you?")
    texts_in(tmp_path, "zh", "早上好，请问有什么可以帮您？")
    jobs = plan(tmp_path, ["en", "zh"])
    lengths = {job.name: duration_ms for job, duration_ms in render(tmp_path, jobs)}
    assert 1000 < lengths["en/hello"] < 4000
    assert 1500 < lengths["zh/hello"] < 6000
    for name in lengths:
        sound = sound_of(tmp_path / f"{name}.ulaw")
        assert dbfs(levels.speech_rms(sound)) == pytest.approx(-20, abs=0.6)
    assert plan(tmp_path, ["en", "zh"], only_missing=True) == []


def test_the_command_renders_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())

    def run(*words: str) -> int:
        return command.run(parser.parse_args(["prompts", *words, "--folder", str(tmp_path)]))

    texts_in(tmp_path, "zh", "你好")
    assert run("list") == 0
    assert "missing" in capsys.readouterr().out
    assert run("render", "--missing") == 0
    assert "3 prompts" in capsys.readouterr().out
    assert {path.name for path in tmp_path.rglob("*.ulaw")} == {
        "hello.ulaw",
        "default.ulaw",
        "beep.ulaw",
    }
    assert run("render", "--missing") == 0
    assert "0 prompts" in capsys.readouterr().out
    assert run("render", "--language", "fr") == 1
    assert "there are texts in: zh" in capsys.readouterr().err


def test_a_language_without_a_voice_is_told(tmp_path: Path) -> None:
    texts_in(tmp_path, "fr", "Bonjour")
    with pytest.raises(PromptTextError, match="no voice for language `fr`"):
        list(render(tmp_path, plan(tmp_path, ["fr"])))
