"""What one frame of a leg sounds like: its levels, its pitch as a single tone or as a voice, its hiss.

A sine obeys x[n-1] + x[n+1] = 2 cos(w) x[n]. The w that fits best comes from two sums, and what is left
over tells whether the frame was a sine at all; two tones close together (ring-back) pass for one between
them. No transform is needed, and the pitch is right to a few hertz.

A voice repeats itself with each opening of the vocal cords: the frame and the one before it, at half the
sample rate, are compared with themselves at each lag from 400 down to 70 Hz.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import INTS, OCTET_ROWS, REAL_ROWS, SAMPLE_TABLE, entry, inner, table_of
from switch.media.codecs import FRAME_SAMPLES, SAMPLE_RATE_HZ
from switch.media.legs import LEG, Rows

SILENT_DBOV: Final = -96.0
MAX_REST: Final = 0.01
"""Of a sine's own size: what may be left over. Speech leaves some tenths."""
MIN_TONE_HZ: Final = 350.0
"""Below, every sound obeys the law of a sine well enough."""
MAX_TONE_HZ: Final = 3000.0
HALF: Final = FRAME_SAMPLES // 2
"""Samples of a frame at half the rate."""
_FULL_SCALE: Final = 32768.0
_HALF_RATE_HZ: Final = SAMPLE_RATE_HZ / 2
_MIN_LAG: Final = 10
_LAGS: Final = 48
_COMPARED: Final = 2 * HALF - _MIN_LAG - _LAGS
"""So many samples have a later one at every lag."""
_MIN_VOICE_DBOV: Final = -55.0
_MIN_LIKENESS: Final = 0.55
_FIRST_PEAK: Final = 0.85
"""Of the best likeness: the shortest lag that reaches it is the pitch, not a multiple of it."""

LEVEL, TONE_HZ, VOICE_HZ, CROSSINGS, BRIGHT = range(5)
MEASURES: Final = 5
"""The columns: dBov; Hz (0: no tone); Hz (0: no voice); share of samples where the sign changes; dBov of
what is left when the low notes are taken off, which most noise consists of."""
BRIGHTENED: Final = 0.95
"""Of each sample so much of the one before is taken off: 26 dB less at 0 Hz, 6 dB more at 4 kHz."""


@inner
def _dbov(energy: np.float32) -> float:
    """The level of a frame by the sum of its squares."""
    if energy <= 0.0:
        return SILENT_DBOV
    return max(10.0 * math.log10(energy / FRAME_SAMPLES / _FULL_SCALE**2), SILENT_DBOV)


@inner
def _voice_hz(wave: NDArray[np.float32], likeness: NDArray[np.float32]) -> float:
    """The pitch of a voice; 0: there is none. `wave`: two frames at half the rate."""
    likeness[:] = 0.0
    for j in range(_COMPARED):
        for lag in range(_LAGS):
            likeness[lag] += wave[j] * wave[j + lag + _MIN_LAG]
    here = np.float32(0.0)
    there = np.float32(0.0)
    for j in range(_COMPARED):
        here += wave[j] * wave[j]
        there += wave[j + _MIN_LAG] * wave[j + _MIN_LAG]
    best = np.float32(0.0)
    for lag in range(_LAGS):
        size = here * there
        likeness[lag] = likeness[lag] / math.sqrt(size) if size > 0.0 else 0.0
        best = max(best, likeness[lag])
        out, come = wave[lag + _MIN_LAG], wave[lag + _MIN_LAG + _COMPARED]
        there = max(there + come * come - out * out, np.float32(0.0))
    if best < _MIN_LIKENESS:
        return 0.0
    for lag in range(1, _LAGS - 1):
        before, at, after = likeness[lag - 1], likeness[lag], likeness[lag + 1]
        if at >= _FIRST_PEAK * best and at >= before and at >= after:
            bend = before - 2.0 * at + after
            shift = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
            return _HALF_RATE_HZ / (lag + _MIN_LAG + shift)
    return 0.0


@entry(INTS, OCTET_ROWS, table_of(LEG), SAMPLE_TABLE, REAL_ROWS, REAL_ROWS)
def measure_frames(
    rows: Rows,
    frames: NDArray[np.uint8],
    legs: NDArray[Any],
    decode: NDArray[np.int16],
    tails: NDArray[np.float32],
    measures: NDArray[np.float32],
) -> None:
    """Measure the frames of these legs into `measures`, (legs, MEASURES).

    `tails`, (legs, HALF), has each leg's frame before at half the rate, and this one afterwards.
    """
    wave = np.empty(FRAME_SAMPLES, dtype=np.float32)
    halves = np.empty(2 * HALF, dtype=np.float32)
    likeness = np.empty(_LAGS, dtype=np.float32)
    for i, row in enumerate(rows):
        table = decode[legs[row].law]
        energy = np.float32(0.0)
        for j in range(FRAME_SAMPLES):
            wave[j] = table[frames[row, j]]
            energy += wave[j] * wave[j]
        bright = np.float32(0.0)
        for j in range(1, FRAME_SAMPLES):
            step = wave[j] - np.float32(BRIGHTENED) * wave[j - 1]
            bright += step * step
        level = _dbov(energy)
        measures[i, LEVEL] = level
        measures[i, BRIGHT] = _dbov(bright)
        measures[i, TONE_HZ] = measures[i, VOICE_HZ] = measures[i, CROSSINGS] = 0.0
        for j in range(HALF):
            halves[j] = tails[i, j]
            halves[HALF + j] = tails[i, j] = wave[2 * j] + wave[2 * j + 1]
        both = inside = np.float32(0.0)
        crossings = 0
        for j in range(1, FRAME_SAMPLES - 1):
            both += (wave[j - 1] + wave[j + 1]) * wave[j]
            inside += wave[j] * wave[j]
            crossings += (wave[j] < 0.0) != (wave[j - 1] < 0.0)
        measures[i, CROSSINGS] = crossings / FRAME_SAMPLES
        if level > _MIN_VOICE_DBOV:
            measures[i, VOICE_HZ] = _voice_hz(halves, likeness)
        if inside <= 0.0:
            continue
        cosine = both / (2.0 * inside)
        if abs(cosine) >= 1.0:
            continue
        rest = np.float32(0.0)
        for j in range(1, FRAME_SAMPLES - 1):
            left = wave[j - 1] + wave[j + 1] - np.float32(2.0 * cosine) * wave[j]
            rest += left * left
        pitch = math.acos(cosine) * SAMPLE_RATE_HZ / (2.0 * math.pi)
        if rest <= MAX_REST * inside and MIN_TONE_HZ <= pitch <= MAX_TONE_HZ:
            measures[i, TONE_HZ] = pitch
            measures[i, VOICE_HZ] = 0.0
