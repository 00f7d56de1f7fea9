from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
import pytest

from recordings.capture import SegmentedRecorder
from switch.ids import RecordingId
from switch.media.legs import LEG
from switch.media.taps import RecordingTaps

RECORDINGS = 1000
SECONDS = 4


@pytest.mark.slow
def test_a_thousand_recordings_cost_little(tmp_path: Path) -> None:
    recorder = SegmentedRecorder(max_open_files=500)
    taps = RecordingTaps(recorder)
    legs = np.zeros(2 * RECORDINGS, dtype=LEG)
    frames = np.random.default_rng(1).integers(0, 256, (len(legs), 160), np.uint8)
    for n in range(RECORDINGS):
        taps.start(RecordingId(f"rec-{n}"), str(tmp_path / f"rec-{n}"), [2 * n], [2 * n + 1])
    while len(list(tmp_path.iterdir())) < RECORDINGS:
        time.sleep(0.01)
    before = resource.getrusage(resource.RUSAGE_SELF)
    longest = total = 0.0
    for _ in range(SECONDS * 50):
        began = time.perf_counter()
        taps.write(frames, legs)
        took = time.perf_counter() - began
        longest, total = max(longest, took), total + took
        assert recorder.open_files <= 500
    while recorder.backlog_octets:
        time.sleep(0.001)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    writes = recorder.writes
    for recording in taps.ids:
        taps.stop(recording)
    assert recorder.stop(120)
    found = recorder.poll()
    assert {(outcome.error, outcome.duration_ms) for outcome in found} == {(None, SECONDS * 1000)}
    share = cpu_s / SECONDS
    # At least half a second of sound in a write, the first of each recording aside.
    assert writes <= RECORDINGS * (SECONDS / 0.5 + 1)
    # Far above what is measured on a quiet machine, so that a busy one does not fail it.
    assert share < 0.6
    assert total / (SECONDS * 50) < 0.003
