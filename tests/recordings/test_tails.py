from __future__ import annotations

import contextlib
import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from recordings.owner import current_owner
from recordings.playback import read_mulaw
from recordings.recover import recover
from recordings.shared_tails import SharedTails
from recordings.tails import append_tail, folder_of, sweep
from recordings.wave_header import MAX_HEADER_OCTETS, Header, parse
from switch.ids import RecordingId
from switch.media.legs import LEG
from switch.media.ports import RecordingOutcome
from switch.media.tail_layout import BLOCK_FRAMES, FRAME_OCTETS, RING_FRAMES
from switch.media.tails import Tails
from switch.media.taps import RecordingTaps
from tests.recordings.sound import FRAME
from tests.recordings.writing_child import NAMES, SECOND, TAPPED
from tests.switch.media.sinks import NothingWaits

ROOT = Path(__file__).parents[2]
_PLACE, _, _START = current_owner().rpartition("/")
GONE = f"{_PLACE}/1"
"""This process, had it begun a hundredth of a second after the machine."""
HEAD = Header(recording=RecordingId("rec"), started_at=0.0, owner=GONE).pack()


class StoppedDisk(NothingWaits):
    """Writes at once, but only so many octets of each recording."""

    def __init__(self, tails: Tails, room: dict[str, int]) -> None:
        super().__init__()
        self.kept = tails
        self._room = room
        self._paths: dict[RecordingId, Path] = {}

    def open(self, recording: RecordingId, path: str) -> None:
        self._paths[recording] = Path(f"{path}.part")
        self._paths[recording].write_bytes(HEAD)

    def append(self, recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None:
        for recording, sound in zip(recordings, block, strict=True):
            written = sound.tobytes()[: self._room[recording]]
            self._room[recording] -= len(written)
            with self._paths[recording].open("ab") as file:
                file.write(written)

    def close(self, recording: RecordingId) -> None:
        raise AssertionError("nobody has time for that")

    def poll(self) -> list[RecordingOutcome]:
        return []


def sound_of(first: int, frames: int) -> bytes:
    """What is recorded from one frame to another."""
    ticks = range(first, frames)
    return b"".join(SECOND[tick % 50 * FRAME : (tick % 50 + 1) * FRAME].tobytes() for tick in ticks)


def record(taps: RecordingTaps, folder: Path, names: Sequence[str], ticks: int) -> None:
    """Begin one more recording each tick as long as there are names."""
    legs = np.zeros(2, dtype=LEG)
    for tick in range(ticks):
        if tick < len(names):
            taps.start(RecordingId(names[tick]), str(folder / names[tick]), [0], [1])
        frame = SECOND[tick % 50 * FRAME : (tick % 50 + 1) * FRAME]
        taps.write(np.ascontiguousarray(frame.T), legs)


@pytest.mark.parametrize("seed", range(8))
def test_what_the_disk_lacks_is_put_to_the_end_wherever_it_stopped(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    ticks = rng.randrange(20, 4 * RING_FRAMES)
    names = [f"r{n}" for n in range(40)]  # more than there is room for at first
    recorded = {name: max(0, ticks - n) * FRAME_OCTETS for n, name in enumerate(names)}
    room = {name: rng.randrange(0, recorded[name] + 1) for name in names}
    tails = SharedTails(GONE, tmp_path)
    record(RecordingTaps(StoppedDisk(tails, dict(room))), tmp_path, names, ticks)
    for n, name in enumerate(names[:ticks]):
        part = tmp_path / f"{name}.part"
        written = part.stat().st_size - len(HEAD)
        lost = append_tail(part, GONE, len(HEAD), tmp_path)
        assert append_tail(part, GONE, len(HEAD), tmp_path) == lost  # and nothing is written twice
        whole = sound_of(n, ticks)
        is_near = len(whole) - written <= (RING_FRAMES - 1) * FRAME_OCTETS
        assert part.read_bytes()[len(HEAD) :] == (whole if is_near else whole[:written])
        gap_s = (len(whole) - written) / 16_000
        assert lost == (None if is_near else f"the disk was slow, the last {gap_s:.1f} s are lost")
    sweep(tmp_path)
    assert not list(tmp_path.glob("switchroom-*"))


def killed(folder: Path, ticks: int) -> Path:
    """Let a process record so many ticks and be killed; gives where its tails are."""
    command = [sys.executable, "-m", "tests.recordings.writing_child", str(folder), "tapped"]
    child = subprocess.run([*command, str(ticks)], cwd=ROOT, check=False)
    assert child.returncode == -signal.SIGKILL
    part = folder / f"{TAPPED[0]}.part"
    header, _ = parse(part.read_bytes()[:MAX_HEADER_OCTETS], str(part))
    found = folder_of(header.owner)
    assert found.is_dir()
    return found


@pytest.mark.parametrize("ticks", [140, 141])
def test_a_killed_process_costs_not_one_frame(tmp_path: Path, ticks: int) -> None:
    tails = killed(tmp_path, ticks)
    found = {one.outcome.recording: one.outcome for one in recover(tmp_path)}
    assert set(found) == set(TAPPED)
    for n, name in enumerate(TAPPED):
        assert found[name].error is None
        assert read_mulaw(Path(found[name].path)).tobytes() == sound_of(n, ticks)
    assert not tails.exists()


def test_one_that_has_just_ended_is_kept_although_another_begins(tmp_path: Path) -> None:
    """Its last sound is on its way to the disk."""
    tails = SharedTails(GONE, tmp_path)
    disk = StoppedDisk(tails, {"first": 0, "second": 0})
    taps = RecordingTaps(disk)
    record(taps, tmp_path, ["first"], 20)
    with contextlib.suppress(AssertionError):
        taps.stop(RecordingId("first"))
    taps.start(RecordingId("second"), str(tmp_path / "second"), [0], [1])
    part = tmp_path / "first.part"
    assert append_tail(part, GONE, len(HEAD), tmp_path) is None
    assert part.read_bytes()[len(HEAD) :] == sound_of(0, 20)


def test_a_full_disk_is_said_of_what_could_not_be_put_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tails = killed(tmp_path, 60)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("recordings.tails._append", full)
    found = recover(tmp_path)
    assert {one.outcome.error for one in found} == {
        "its end could not be written: No space left on device"
    }
    assert all(Path(one.outcome.path).suffix == ".wav" for one in found)
    assert not tails.exists()


def test_tails_are_kept_as_long_as_somebody_needs_them(tmp_path: Path) -> None:
    name = str(NAMES[0])
    tails = SharedTails(GONE, tmp_path)
    record(RecordingTaps(StoppedDisk(tails, {name: 0})), tmp_path, [name], BLOCK_FRAMES)
    alive = SharedTails(current_owner(), tmp_path)
    elsewhere = SharedTails("another-boot/pid:[1]/7/99", tmp_path)
    sweep(tmp_path)
    assert len(list(tmp_path.glob("switchroom-*"))) == 3
    (tmp_path / f"{name}.part").unlink()
    sweep(tmp_path)
    assert len(list(tmp_path.glob("switchroom-*"))) == 2
    alive.remove()
    elsewhere.remove()
    assert not list(tmp_path.glob("switchroom-*"))


def test_nobody_else_reads_them(tmp_path: Path) -> None:
    SharedTails(GONE, tmp_path).grow(16)
    (folder,) = tmp_path.glob("switchroom-*")
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o022 == 0 for file in folder.iterdir())


@pytest.mark.parametrize("rows", [16, 32])
def test_without_such_memory_it_records_as_before_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, rows: int
) -> None:
    """From the beginning, or once it should grow."""
    allocate = os.posix_fallocate

    def full(handle: int, offset: int, octets: int) -> None:
        if octets >= rows * RING_FRAMES * FRAME_OCTETS:
            raise OSError(errno.ENOSPC, "No space left on device")
        allocate(handle, offset, octets)

    monkeypatch.setattr(os, "posix_fallocate", full)
    names = [f"r{n}" for n in range(20)]
    sink = StoppedDisk(SharedTails(GONE, tmp_path), dict.fromkeys(names, 1 << 30))
    taps = RecordingTaps(sink)
    record(taps, tmp_path, names, 100)
    assert "lack their last 0.7 s" in caplog.text
    assert not list(tmp_path.glob("switchroom-*"))
    for n, name in enumerate(names):
        written = (tmp_path / f"{name}.part").read_bytes()[len(HEAD) :]
        assert len(written) > (100 - n - BLOCK_FRAMES) * FRAME_OCTETS
        assert written == sound_of(n, 100)[: len(written)]


def test_where_there_is_no_such_folder_it_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tails = SharedTails(GONE, tmp_path / "nowhere")
    tails.grow(4)
    assert len(tails) == 4
    assert "lack their last 0.7 s" in caplog.text


@pytest.mark.parametrize("column", ["paths", "begins", "ends", "sound"])
def test_tails_that_were_being_made_are_none(tmp_path: Path, column: str) -> None:
    part = tmp_path / "call.part"
    tails = SharedTails(GONE, tmp_path)
    record(RecordingTaps(StoppedDisk(tails, {"call": 0})), tmp_path, ["call"], 9)
    cut = folder_of(GONE, tmp_path) / column
    for octets in (cut.stat().st_size // 2 + 1, 1, 0):
        os.truncate(cut, octets)
        part.write_bytes(HEAD)
        assert append_tail(part, GONE, len(HEAD), tmp_path) is None
        assert part.read_bytes()[len(HEAD) :] in (b"", sound_of(0, 9))
    cut.unlink()
    part.write_bytes(HEAD)
    assert append_tail(part, GONE, len(HEAD), tmp_path) is None
    assert part.read_bytes() == HEAD


def test_tails_that_nobody_comes_for_are_removed_after_a_day(tmp_path: Path) -> None:
    tails = SharedTails(GONE, tmp_path)
    record(RecordingTaps(StoppedDisk(tails, {"call": 0})), tmp_path, ["call"], 9)
    sweep(tmp_path)
    mark = folder_of(GONE, tmp_path) / "seen"
    os.utime(mark, (mark.stat().st_mtime - 80_000,) * 2)
    sweep(tmp_path)
    assert mark.exists()
    os.utime(mark, (mark.stat().st_mtime - 80_000,) * 2)
    sweep(tmp_path)
    assert not mark.parent.exists()
