"""A process that records until it is killed or its disk is full. Run by the tests.

Arguments: folder, what to do (`run`: in real time; `full`: with a limit on the size of files; `tapped`: as
the engine does, and so many ticks).
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path

import numpy as np

from recordings.capture import SegmentedRecorder
from switch.ids import RecordingId
from switch.media.legs import LEG
from switch.media.tail_layout import BLOCK_FRAMES, FRAME_OCTETS
from switch.media.taps import RecordingTaps
from tests.recordings.sound import FRAME, stereo

NAMES = [RecordingId(f"rec-{n}") for n in range(3)]
TAPPED = [RecordingId(f"tapped-{n}") for n in range(40)]
SECOND = stereo(440, 1000, 8000)


def run(folder: Path) -> None:
    """Record in real time and say how many frames were appended."""
    recorder = SegmentedRecorder()
    for name in NAMES:
        recorder.open(name, str(folder / name))
    began = time.monotonic()
    for frame in range(100_000):
        at = frame % 50 * FRAME
        recorder.append(NAMES, np.stack([SECOND[at : at + FRAME]] * len(NAMES)))
        sys.stdout.write(f"{frame + 1}\n")
        sys.stdout.flush()
        time.sleep(max(0.0, began + (frame + 1) * 0.02 - time.monotonic()))


def full(folder: Path) -> None:
    """Record two calls, one of which outgrows what its file may have; print the outcomes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
    recorder = SegmentedRecorder()
    long, short = NAMES[:2]
    recorder.open(long, str(folder / long))
    recorder.open(short, str(folder / short))
    for frame in range(400):
        names = [long, short] if frame < 100 else [long]
        at = frame % 50 * FRAME
        recorder.append(names, np.stack([SECOND[at : at + FRAME]] * len(names)))
        if frame == 100:
            recorder.close(short)
    recorder.close(long)
    recorder.stop()
    for outcome in recorder.poll():
        sys.stdout.write(f"{outcome.recording}|{outcome.duration_ms}|{outcome.error or ''}\n")


def tapped(folder: Path) -> None:
    """Begin one more recording each tick, and be killed, the disk at most a block behind."""
    recorder = SegmentedRecorder()
    taps = RecordingTaps(recorder)
    legs = np.zeros(2, dtype=LEG)
    for tick in range(int(sys.argv[3])):
        if tick < len(TAPPED):
            taps.start(TAPPED[tick], str(folder / TAPPED[tick]), [0], [1])
        at = tick % 50 * FRAME
        taps.write(np.ascontiguousarray(SECOND[at : at + FRAME].T), legs)
        while recorder.backlog_octets > BLOCK_FRAMES * FRAME_OCTETS:
            time.sleep(0.0005)
    while len(list(folder.iterdir())) < len(TAPPED):
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    {"run": run, "full": full, "tapped": tapped}[sys.argv[2]](Path(sys.argv[1]))
