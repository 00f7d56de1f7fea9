"""Sound for the tests of the recordings: tones of a known pitch, and what pitch a sound has."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from recordings import mulaw
from recordings.capture import SegmentedRecorder
from recordings.outcome import Outcome
from switch.ids import RecordingId
from tests.kit.patience import PATIENCE_S

FRAME = 160


def tone(hz: float, samples: int, level: float = 8000.0) -> NDArray[np.uint8]:
    return mulaw.encode(
        (level * np.sin(2 * np.pi * hz * np.arange(samples) / 8000)).astype(np.int16)
    )


def stereo(left_hz: float, right_hz: float, samples: int) -> NDArray[np.uint8]:
    """(samples, 2) mu-law."""
    return np.stack([tone(left_hz, samples), tone(right_hz, samples)], axis=1)


def pitch_hz(samples: NDArray[np.int16]) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.argmax(spectrum) * 8000 / samples.size)


def purity(samples: NDArray[np.int16], hz: float) -> float:
    """The share of the energy within 20 Hz of `hz`."""
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    at = np.abs(np.fft.rfftfreq(samples.size, 1 / 8000) - hz) < 20
    return float(power[at].sum() / power.sum())


def feed(recorder: SegmentedRecorder, recording: RecordingId, sound: NDArray[np.uint8]) -> None:
    """Append (samples, 2) frame by frame, as the engine does, in a block it reuses."""
    block = np.empty((1, FRAME, 2), np.uint8)
    for at in range(0, len(sound) // FRAME * FRAME, FRAME):
        block[0] = sound[at : at + FRAME]
        recorder.append([recording], block)
    block[:] = 0


def outcomes(
    recorder: SegmentedRecorder, count: int, within_s: float = PATIENCE_S
) -> list[Outcome]:
    """What the threads report, once there are `count`."""
    found: list[Outcome] = []
    give_up = time.monotonic() + within_s
    while len(found) < count and time.monotonic() < give_up:
        found += [outcome for outcome in recorder.poll() if isinstance(outcome, Outcome)]
        time.sleep(0.002)  # the threads are real, so is the wait
    assert len(found) == count
    return found
