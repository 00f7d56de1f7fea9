from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile

from recordings.finish import first_broken_segment, verify
from recordings.playback import duration_ms
from recordings.recover import recover
from recordings.sidecar import read_sidecar
from tests.recordings.sound import pitch_hz, purity

ROOT = Path(__file__).parents[2]
SEEDS = range(4)


def start(folder: Path, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.recordings.writing_child", str(folder), what],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def killed_after(folder: Path, seconds: float) -> int:
    """Run the child, kill it after so much sound; returns the frames it had appended."""
    child = start(folder, "run")
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 50 * seconds:
            break
    os.kill(child.pid, signal.SIGKILL)
    appended = int(line)
    for line in child.stdout:
        appended = int(line) if line.endswith("\n") else appended
    child.stdout.close()
    child.wait()
    return appended


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, int]]:
    """Folders that killed processes left behind, with the frames each had appended."""
    folders = [tmp_path_factory.mktemp(f"killed-{seed}") for seed in SEEDS]
    lives = [random.Random(seed).uniform(0.8, 2.2) for seed in SEEDS]
    with ThreadPoolExecutor() as each_in_its_own_time:
        return list(
            zip(folders, each_in_its_own_time.map(killed_after, folders, lives), strict=True)
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_process_costs_less_than_a_second(
    killed: list[tuple[Path, int]], seed: int
) -> None:
    folder, appended = killed[seed]
    found = recover(folder)
    assert [entry.outcome.recording for entry in found] == ["rec-0", "rec-1", "rec-2"]
    for entry in found:
        outcome = entry.outcome
        assert outcome.error is None
        assert entry.started_at == pytest.approx(time.time(), abs=60)
        assert appended * 20 - 1000 < outcome.duration_ms <= appended * 20
        assert verify(Path(outcome.path), outcome.sha256)
        assert read_sidecar(Path(outcome.path)).recovered
        assert first_broken_segment(Path(outcome.path)) is None
        heard, rate = soundfile.read(outcome.path, dtype="int16")
        assert (rate, len(heard)) == (8000, outcome.duration_ms * 8)
        for side, hz in ((0, 440), (1, 1000)):
            assert pitch_hz(heard[:, side]) == pytest.approx(hz, abs=2)
            assert purity(heard[:, side], hz) > 0.98
    assert list(folder.rglob("*.part")) == []
    assert recover(folder) == []


def test_a_file_cut_off_at_any_octet_is_recovered_or_kept(tmp_path: Path) -> None:
    killed_after(tmp_path, 1.0)
    octets = (tmp_path / "rec-0.part").read_bytes()
    begin = octets.index(b"data") + 8
    long_ago = time.time() - 3600
    for cut in [*range(0, begin + 5), begin + 999, len(octets) - 1]:
        folder = tmp_path / f"cut-{cut}"
        folder.mkdir()
        part = folder / "call.part"
        part.write_bytes(octets[:cut])
        os.utime(part, (long_ago, long_ago))
        (entry,) = recover(folder)
        if cut < begin:
            assert entry.outcome.error is not None
            assert part.exists()
        else:
            assert entry.outcome.error is None
            assert soundfile.info(entry.outcome.path).frames == (cut - begin) // 2


def test_what_is_still_being_written_is_left_alone(tmp_path: Path) -> None:
    child = start(tmp_path, "run")
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) > 60:
            break
    assert recover(tmp_path) == []
    assert duration_ms(tmp_path / "rec-0.part") > 0
    os.kill(child.pid, signal.SIGKILL)
    child.stdout.read()
    child.stdout.close()
    child.wait()
    assert len(recover(tmp_path)) == 3


def test_a_full_disk_ends_that_recording_alone_and_keeps_what_was_written(tmp_path: Path) -> None:
    child = start(tmp_path, "full")
    said, _ = child.communicate(timeout=30)
    assert child.returncode == 0
    rows = dict[str, tuple[str, str]]()
    for line in said.splitlines():
        name, length, error = line.split("|")
        rows[name] = (length, error)
    assert rows["rec-1"] == ("2000", "")
    length, error = rows["rec-0"]
    assert error.startswith("file size limit reached")
    assert 2400 <= int(length) <= 2500
    heard, _ = soundfile.read(tmp_path / "rec-0.wav", dtype="int16")
    assert len(heard) // 8 == int(length)
    assert pitch_hz(heard[:, 1]) == pytest.approx(1000, abs=1)


def test_strangers_files_do_not_disturb_recovery(tmp_path: Path) -> None:
    (tmp_path / "notes.part").write_bytes(b"no recording at all" * 50)
    (tmp_path / "young.part").write_bytes(b"")
    os.utime(tmp_path / "notes.part", (0, 0))
    (tmp_path / "folder.part").mkdir()
    found = recover(tmp_path)
    errors = {Path(entry.outcome.path).name: entry.outcome.error for entry in found}
    assert set(errors) == {"notes.part", "folder.part"}
    assert "no WAVE file" in str(errors["notes.part"])
    assert recover(tmp_path / "nowhere") == []
