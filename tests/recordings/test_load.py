from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
import pytest

from recordings.capture import SegmentedRecorder
from switch.ids import RecordingId

RECORDINGS = 1000
SECONDS = 4


@pytest.mark.slow
def test_a_thousand_recordings_cost_little(tmp_path: Path) -> None:
    recorder = SegmentedRecorder(max_open_files=500)
    names = [RecordingId(f"rec-{n}") for n in range(RECORDINGS)]
    block = np.random.default_rng(1).integers(0, 256, (RECORDINGS, 160, 2), np.uint8)
    for name in names:
        recorder.open(name, str(tmp_path / name))
    while len(list(tmp_path.iterdir())) < RECORDINGS:
        time.sleep(0.01)
    before = resource.getrusage(resource.RUSAGE_SELF)
    longest = total = 0.0
    for _ in range(SECONDS * 50):
        began = time.perf_counter()
        recorder.append(names, block)
        took = time.perf_counter() - began
        longest, total = max(longest, took), total + took
        assert recorder.open_files <= 500
    while recorder.backlog_octets:
        time.sleep(0.001)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    writes = recorder.writes
    assert recorder.stop(30)
    found = recorder.poll()
    assert {(outcome.error, outcome.duration_ms) for outcome in found} == {(None, SECONDS * 1000)}
    share = cpu_s / SECONDS
    # At least half a second of sound in a write, the first of each recording aside.
    assert writes <= RECORDINGS * (SECONDS / 0.5 + 1)
    # Far above what is measured on a quiet machine, so that a busy one does not fail it.
    assert share < 0.6
    assert total / (SECONDS * 50) < 0.003
