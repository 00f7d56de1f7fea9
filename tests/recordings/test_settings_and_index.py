from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recordings.capture import SegmentedRecorder
from recordings.errors import NotARecordingError, SettingsError
from recordings.index import RecordingEntry, RecordingState
from recordings.outcome import Outcome
from recordings.playback import Channel, Format, export, read_mulaw
from recordings.settings import RecordingSettings
from recordings.sidecar import Sidecar, read_sidecar
from switch.ids import RecordingId
from tests.recordings.sound import feed, outcomes, pitch_hz, purity, stereo

ONE = RecordingId("rec-1")


def test_files_lie_by_day() -> None:
    settings = RecordingSettings(folder=Path("/srv/rec"))
    assert settings.path_for(ONE, "int-7", 1_700_000_000.0) == "/srv/rec/2023/11/14/int-7-rec-1"


def test_names_cannot_leave_their_folder() -> None:
    settings = RecordingSettings(folder=Path("/srv/rec"), pattern="{interaction}-{recording}")
    path = settings.path_for(RecordingId("../../etc/passwd\0"), "../..", 0.0)
    assert Path(path).parent == Path("/srv/rec")
    assert "\0" not in path


def test_a_sidecar_is_closed_to_others(tmp_path: Path) -> None:
    sidecar = Sidecar(recording=ONE, started_at=1.0, duration_ms=1, octets=16, sha256="ab")
    (tmp_path / "a.json.new").touch(mode=0o644)  # of a crash
    sidecar.write(tmp_path / "a.json")
    assert (tmp_path / "a.json").stat().st_mode & 0o027 == 0
    assert read_sidecar(tmp_path / "a.wav") == sidecar


@pytest.mark.parametrize(
    "pattern", ["{who}-{recording}", "{yyyy}", "../{recording}", "/x{recording}"]
)
def test_a_pattern_that_cannot_work_is_refused(pattern: str) -> None:
    with pytest.raises(SettingsError, match=r"recordings\.pattern"):
        RecordingSettings(folder=Path("/srv"), pattern=pattern)


@pytest.mark.parametrize(
    ("error", "duration_ms", "recovered", "state"),
    [
        (None, 1000, False, RecordingState.WHOLE),
        (None, 1000, True, RecordingState.RECOVERED),
        ("disk full", 1000, False, RecordingState.PARTIAL),
        ("disk full", 0, False, RecordingState.LOST),
    ],
)
def test_the_entry_tells_what_became_of_it(
    error: str | None, duration_ms: int, recovered: bool, state: RecordingState
) -> None:
    entry = RecordingEntry(recording=ONE, interaction="int-1", started_at=1.0)
    outcome = Outcome(
        recording=ONE, path="/x.wav", duration_ms=duration_ms, octets=9, sha256="ab", error=error
    )
    closed = entry.closed(outcome, recovered=recovered)
    assert (closed.state, closed.path, closed.error) == (state, "/x.wav", error)


def test_a_range_and_one_party_can_be_played(tmp_path: Path) -> None:
    recorder = SegmentedRecorder()
    sound = np.concatenate([stereo(400, 900, 16_000), stereo(600, 1100, 16_000)])
    recorder.open(ONE, str(tmp_path / "call"))
    feed(recorder, ONE, sound)
    recorder.close(ONE)
    path = Path(outcomes(recorder, 1)[0].path)
    assert recorder.stop()

    assert (read_mulaw(path, 500, 1250) == sound[4000:10_000]).all()
    assert len(read_mulaw(path, 3900, 9000)) == 800
    assert len(read_mulaw(path, 9000)) == 0
    with pytest.raises(ValueError, match="range"):
        read_mulaw(path, 5, 4)
    for channel, first, second in ((Channel.CUSTOMER, 400, 600), (Channel.AGENT, 900, 1100)):
        target = tmp_path / f"{channel.name}.wav"
        export(path, target, channel, Format.WAV)
        heard, rate = soundfile.read(target, dtype="int16")
        assert (rate, heard.shape) == (8000, (32_000,))
        assert pitch_hz(heard[:16_000]) == pytest.approx(first, abs=1)
        assert pitch_hz(heard[16_000:]) == pytest.approx(second, abs=1)
        assert purity(heard[16_000:], second) > 0.99
    target = tmp_path / "both.wav"
    export(path, target, Channel.BOTH, Format.WAV)
    both, _ = soundfile.read(target, dtype="int16")
    assert purity(both[:16_000], 400) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("format", list(Format))
def test_a_recording_is_exported_in_stereo_and_in_other_formats(
    tmp_path: Path, format: Format
) -> None:
    recorder = SegmentedRecorder()
    recorder.open(ONE, str(tmp_path / "call"))
    feed(recorder, ONE, stereo(400, 900, 16_000))
    recorder.close(ONE)
    path = Path(outcomes(recorder, 1)[0].path)
    assert recorder.stop()
    target = tmp_path / f"talk.{format.value}"
    export(path, target, Channel.BOTH, format, stereo=True)
    heard, rate = soundfile.read(target, dtype="int16")
    assert (rate, heard.shape) == (8000, (16_000, 2))
    assert pitch_hz(heard[:, 0]) == pytest.approx(400, abs=1)
    assert pitch_hz(heard[:, 1]) == pytest.approx(900, abs=1)
    export(path, target, Channel.AGENT, format)
    heard, _ = soundfile.read(target, dtype="int16")
    assert pitch_hz(heard) == pytest.approx(900, abs=1)


@contextmanager
def files_of_at_most(octets: int) -> Iterator[None]:
    """The system refuses to write more into any file, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("stereo", [False, True])
def test_what_cannot_be_exported_whole_is_said_and_leaves_nothing(
    tmp_path: Path, format: Format, stereo: bool
) -> None:
    recorder = SegmentedRecorder()
    recorder.open(ONE, str(tmp_path / "call"))
    feed(recorder, ONE, np.random.default_rng(1).integers(0, 256, (160_000, 2), np.uint8))
    recorder.close(ONE)
    path = Path(outcomes(recorder, 1)[0].path)
    assert recorder.stop()

    missing = tmp_path / "nowhere" / "talk"
    with pytest.raises(FileNotFoundError, match="nowhere/talk'"):
        export(path, missing, Channel.BOTH, format, stereo=stereo)
    target = tmp_path / "out" / "talk"
    target.parent.mkdir()
    target.write_bytes(b"mine")
    with files_of_at_most(4096), pytest.raises(OSError, match="talk'"):
        export(path, target, Channel.BOTH, format, stereo=stereo)
    assert target.read_bytes() == b"mine"
    assert list(target.parent.iterdir()) == [target]
    export(path, target, Channel.BOTH, format, stereo=stereo)
    assert soundfile.info(target).frames == 160_000


def test_other_files_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "other.wav", np.zeros(800, np.int16), 8000)
    for octets in (b"", b"RIFF", b"junk" * 100):
        (tmp_path / "junk.wav").write_bytes(octets)
        with pytest.raises(NotARecordingError):
            read_mulaw(tmp_path / "junk.wav")
    with pytest.raises(NotARecordingError):
        read_mulaw(tmp_path / "other.wav")
