from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recordings.capture import SegmentedRecorder
from recordings.finish import first_broken_segment, verify
from recordings.playback import Channel, read_header, read_mulaw, read_pcm
from recordings.sidecar import read_sidecar
from switch.ids import RecordingId
from tests.recordings.sound import feed, outcomes, pitch_hz, purity, stereo

ONE = RecordingId("rec-1")
TWO = RecordingId("rec-2")


@pytest.fixture
def recorder() -> Iterator[SegmentedRecorder]:
    recorder = SegmentedRecorder(wall=lambda: 1_700_000_000.0)
    yield recorder
    assert recorder.stop()
    assert recorder.open_files == 0


def test_each_party_is_on_its_own_side(recorder: SegmentedRecorder, tmp_path: Path) -> None:
    sound = stereo(440, 1000, 3 * 8000)
    recorder.open(ONE, str(tmp_path / "deep/down/call"))
    feed(recorder, ONE, sound)
    recorder.close(ONE)
    (outcome,) = outcomes(recorder, 1)

    assert outcome.error is None
    assert outcome.path == str(tmp_path / "deep/down/call.wav")
    assert outcome.duration_ms == 3000
    assert outcome.octets == Path(outcome.path).stat().st_size
    info = soundfile.info(outcome.path)
    assert (info.samplerate, info.channels, info.subtype) == (8000, 2, "ULAW")
    heard, _ = soundfile.read(outcome.path, dtype="int16")
    assert heard.shape == (3 * 8000, 2)
    for side, hz in ((0, 440), (1, 1000)):
        assert pitch_hz(heard[:, side]) == pytest.approx(hz, abs=1)
        assert purity(heard[:, side], hz) > 0.99
    assert (read_mulaw(Path(outcome.path)) == sound).all()
    assert (read_pcm(Path(outcome.path), channel=Channel.AGENT) == heard[:, 1]).all()


def test_where_both_want_a_core_sound_comes_before_files(
    recorder: SegmentedRecorder, tmp_path: Path
) -> None:
    recorder.open(ONE, str(tmp_path / "call"))
    recorder.close(ONE)
    outcomes(recorder, 1)  # by now both threads have done something
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    theirs = [
        os.getpriority(os.PRIO_PROCESS, thread.native_id)
        for thread in threading.enumerate()
        if thread.name.startswith("recordings-") and thread.native_id is not None
    ]
    assert theirs
    assert all(nice > own for nice in theirs)


def test_checksums_and_the_sidecar_prove_the_file(
    recorder: SegmentedRecorder, tmp_path: Path
) -> None:
    recorder.open(ONE, str(tmp_path / "call"))
    feed(recorder, ONE, stereo(300, 600, 25 * 8000))
    recorder.close(ONE)
    (outcome,) = outcomes(recorder, 1)
    path = Path(outcome.path)

    assert verify(path, outcome.sha256)
    sidecar = read_sidecar(path)
    assert (sidecar.recording, sidecar.started_at) == ("rec-1", 1_700_000_000.0)
    assert (sidecar.sha256, sidecar.duration_ms) == (outcome.sha256, 25_000)
    assert len(sidecar.chain) == 1 + 3
    assert first_broken_segment(path) is None
    with path.open("rb+") as file:
        file.seek(-100, os.SEEK_END)
        file.write(b"\x00")
    assert not verify(path, outcome.sha256)
    assert first_broken_segment(path) == 3


def test_a_running_recording_can_be_read(recorder: SegmentedRecorder, tmp_path: Path) -> None:
    recorder.open(ONE, str(tmp_path / "call"))
    feed(recorder, ONE, stereo(440, 880, 4 * 8000))
    while recorder.backlog_octets:
        pass
    part = tmp_path / "call.part"
    assert read_header(part).sound_octets is None
    heard, rate = soundfile.read(part, dtype="int16")
    assert rate == 8000
    assert 3.0 < len(heard) / 8000 <= 4.0
    assert pitch_hz(heard[:, 0]) == pytest.approx(440, abs=1)
    recorder.close(ONE)


def test_recordings_that_come_and_go_keep_their_own_sound(
    recorder: SegmentedRecorder, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    names = [RecordingId(f"rec-{n}") for n in range(40)]
    spans = [tuple(sorted(rng.integers(0, 200, 2))) for _ in names]
    wanted: dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]] = {}
    for frame in range(200):
        for name, (begin, end) in zip(names, spans, strict=True):
            if frame == begin and end > begin:
                recorder.open(name, str(tmp_path / name))
                wanted[name] = []
            if frame == end and end > begin:
                recorder.close(name)
        running = [n for n, (b, e) in zip(names, spans, strict=True) if b <= frame < e]
        if running:
            # Now and then a block of odd length, as no engine sends, but the contract allows.
            samples = 160 if frame % 17 else 53
            block = rng.integers(0, 256, (len(running), samples, 2), np.uint8)
            for row, name in enumerate(running):
                wanted[name].append(block[row].copy())
            recorder.append([RecordingId("unknown"), *running], np.concatenate([block[:1], block]))
            block[:] = 0
    for outcome in outcomes(recorder, len(wanted)):
        assert outcome.error is None
        sound = np.concatenate(wanted[outcome.recording])
        assert (read_mulaw(Path(outcome.path)) == sound).all()


def test_a_block_of_any_length(recorder: SegmentedRecorder, tmp_path: Path) -> None:
    sound = stereo(500, 700, 5 * 8000 + 3)
    recorder.open(ONE, str(tmp_path / "call"))
    recorder.append([ONE], sound[None])
    recorder.close(ONE)
    (outcome,) = outcomes(recorder, 1)
    assert (read_mulaw(Path(outcome.path)) == sound).all()


def test_a_recording_without_sound_is_a_whole_empty_file(
    recorder: SegmentedRecorder, tmp_path: Path
) -> None:
    recorder.open(ONE, str(tmp_path / "call"))
    recorder.close(ONE)
    recorder.close(ONE)
    (outcome,) = outcomes(recorder, 1)
    assert (outcome.error, outcome.duration_ms) == (None, 0)
    assert soundfile.info(outcome.path).frames == 0


def test_more_recordings_than_files_may_be_open(tmp_path: Path) -> None:
    recorder = SegmentedRecorder(max_open_files=3)
    names = [RecordingId(f"rec-{n}") for n in range(10)]
    for name in names:
        recorder.open(name, str(tmp_path / name))
    block = np.tile(stereo(400, 800, 160), (10, 1, 1))
    for _ in range(100):
        recorder.append(names, block)
        assert recorder.open_files <= 3
    assert recorder.stop()
    found = recorder.poll()
    assert [outcome.error for outcome in found] == [None] * 10
    assert {outcome.duration_ms for outcome in found} == {2000}
    assert recorder.open_files == 0


def test_no_right_to_write_ends_that_recording_alone(
    recorder: SegmentedRecorder, tmp_path: Path
) -> None:
    # A file where a folder should be refuses root as well, which a missing right would not.
    (tmp_path / "closed").write_text("no folder")
    recorder.open(ONE, str(tmp_path / "closed/call"))
    recorder.open(TWO, str(tmp_path / "fine"))
    for _ in range(100):
        recorder.append([ONE, TWO], np.zeros((2, 160, 2), np.uint8))
    (failed,) = outcomes(recorder, 1)
    assert failed.recording == ONE
    assert failed.error is not None
    assert "closed" in failed.error
    recorder.close(ONE)
    recorder.close(TWO)
    (fine,) = outcomes(recorder, 1)
    assert (fine.recording, fine.error, fine.duration_ms) == (TWO, None, 2000)


def test_a_folder_that_vanishes_is_reported(recorder: SegmentedRecorder, tmp_path: Path) -> None:
    recorder.open(ONE, str(tmp_path / "gone/call"))
    feed(recorder, ONE, stereo(440, 880, 8000))
    while recorder.backlog_octets:
        pass
    shutil.rmtree(tmp_path / "gone")
    recorder.close(ONE)
    (outcome,) = outcomes(recorder, 1)
    assert outcome.error is not None
    assert "vanished" in outcome.error


def test_a_file_that_is_there_already_is_left_alone(
    recorder: SegmentedRecorder, tmp_path: Path
) -> None:
    for suffix in ("wav", "part"):
        (tmp_path / f"{suffix}.{suffix}").write_text("precious")
        recorder.open(RecordingId(suffix), str(tmp_path / suffix))
        recorder.close(RecordingId(suffix))
    for outcome in outcomes(recorder, 2):
        assert outcome.error is not None
        assert "exists" in outcome.error
    assert (tmp_path / "wav.wav").read_text() == "precious"
    assert (tmp_path / "part.part").read_text() == "precious"


def test_too_little_free_space_refuses_to_begin(tmp_path: Path) -> None:
    recorder = SegmentedRecorder(min_free_octets=1 << 62)
    recorder.open(ONE, str(tmp_path / "call"))
    (outcome,) = outcomes(recorder, 1)
    assert outcome.error is not None
    assert outcome.error.startswith("disk full")
    assert recorder.stop()


def test_a_disk_that_hangs_fails_recordings_and_never_blocks(tmp_path: Path) -> None:
    # A pipe without a reader in place of the file: opening it for writing waits, as a dead disk does.
    recorder = SegmentedRecorder(max_open_files=0, max_backlog_octets=50_000)
    recorder.open(ONE, str(tmp_path / "stuck"))
    recorder.open(TWO, str(tmp_path / "behind"))
    stuck = tmp_path / "stuck.part"
    while not (tmp_path / "behind.part").exists():
        pass
    stuck.unlink()
    os.mkfifo(stuck)
    began = time.monotonic()
    for _ in range(1000):
        recorder.append([ONE, TWO], np.zeros((2, 160, 2), np.uint8))
    recorder.close(ONE)
    recorder.close(TWO)
    assert time.monotonic() - began < 1
    assert recorder.poll() == []
    reader = os.open(stuck, os.O_RDONLY | os.O_NONBLOCK)
    try:
        by_name = {outcome.recording: outcome for outcome in outcomes(recorder, 2)}
    finally:
        os.close(reader)
    behind = by_name[TWO]
    assert behind.error is not None
    assert "backlog" in behind.error
    assert behind.path.endswith(".wav")
    assert 500 <= behind.duration_ms < 20_000
    assert verify(Path(behind.path), behind.sha256)
    assert by_name[ONE].error is not None
    assert recorder.stop()
