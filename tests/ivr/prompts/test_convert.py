"""Audio files of one's own become prompts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ivr.prompts.convert import convert, convert_all, pending
from ivr.prompts.errors import PromptAudioError
from recordings import mulaw
from tests.kit.phone import tone_levels

RATE = 44_100
TONE_HZ = 700.0


def write(path: Path, *, channels: int = 2, seconds: float = 1.0) -> None:
    """A tone at half of full scale."""
    path.parent.mkdir(parents=True, exist_ok=True)
    at = np.arange(int(RATE * seconds)) / RATE
    tone = 0.5 * np.sin(2 * np.pi * TONE_HZ * at)
    soundfile.write(path, np.column_stack([tone] * channels), RATE)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_each_format_becomes_mulaw_with_the_same_tone(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / "music" / f"waiting.{suffix}", seconds=2.0)
    ((path, duration_ms),) = convert_all(tmp_path)
    assert duration_ms == pytest.approx(2000, abs=60)
    octets = np.frombuffer(path.with_suffix(".ulaw").read_bytes(), np.uint8)
    assert len(octets) // 8 == duration_ms
    (level,) = tone_levels(mulaw.decode(octets)[4000:12_000], [TONE_HZ])
    assert level == pytest.approx(16_384, rel=0.1)


def test_it_is_converted_once_and_again_when_it_is_newer(tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    write(path, channels=1)
    assert len(list(convert_all(tmp_path))) == 1
    assert pending(tmp_path) == []
    later = path.with_suffix(".ulaw").stat().st_mtime + 10
    os.utime(path, (later, later))
    assert pending(tmp_path) == [path]


def test_what_is_no_sound_is_said_with_its_name_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.flac").write_bytes(b"fLaC" + bytes(100))
    with pytest.raises(PromptAudioError, match=r"broken\.flac cannot be read as audio"):
        list(convert_all(tmp_path))
    (tmp_path / "broken.flac").unlink()
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    with pytest.raises(PromptAudioError, match="no sound in it"):
        list(convert_all(tmp_path))
    assert [each.name for each in tmp_path.iterdir()] == ["empty.wav"]


def test_a_text_that_is_called_mp3_is_told_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "page.mp3").write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(
        PromptAudioError, match=r"page\.mp3 cannot be read as audio: Format not rec"
    ):
        list(convert_all(tmp_path))


def test_an_mp3_with_something_before_its_first_frame_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp3"
    soundfile.write(path, np.sin(2 * np.pi * 440 * np.arange(16_000) / 8000) / 4, 8000)
    path.write_bytes(bytes(1024) + path.read_bytes())
    assert convert(path) == 2000


def test_a_file_that_cannot_be_opened_is_told_by_the_system(tmp_path: Path) -> None:
    path = tmp_path / "gone.wav"
    with pytest.raises(FileNotFoundError) as caught:
        convert(path)
    assert caught.value.filename == str(path)


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """One of them would silence, or fill with noise, all that follows in a resampler."""
    sound = np.zeros(4000)
    sound[100] = np.nan
    soundfile.write(tmp_path / "broken.wav", sound, 8000, subtype="FLOAT")
    with pytest.raises(PromptAudioError, match="no numbers"):
        list(convert_all(tmp_path))
    assert [each.name for each in tmp_path.iterdir()] == ["broken.wav"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "hello.wav")
    write(tmp_path / "hello.ogg")
    with pytest.raises(PromptAudioError, match="rename or remove one"):
        pending(tmp_path)
