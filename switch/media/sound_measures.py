"""What one frame of a leg sounds like, in two numbers: its level, and the pitch when it is a single tone.

A sine obeys x[n-1] + x[n+1] = 2 cos(w) x[n]. The w that fits best comes from two sums, and what is left
over tells whether the frame was a sine at all; two tones close together (ring-back) pass for one between
them. No transform is needed, and the pitch is right to a few hertz.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import INTS, OCTET_ROWS, REAL_ROWS, SAMPLE_TABLE, entry, table_of
from switch.media.codecs import FRAME_SAMPLES, SAMPLE_RATE_HZ
from switch.media.legs import LEG, Rows

SILENT_DBOV: Final = -96.0
MAX_REST: Final = 0.01
"""Of a sine's own size: what may be left over. Speech leaves some tenths."""
MIN_TONE_HZ: Final = 350.0
"""Below, every sound obeys the law of a sine well enough."""
MAX_TONE_HZ: Final = 3000.0
_FULL_SCALE: Final = 32768.0


@entry(INTS, OCTET_ROWS, table_of(LEG), SAMPLE_TABLE, REAL_ROWS)
def measure_frames(
    rows: Rows,
    frames: NDArray[np.uint8],
    legs: NDArray[Any],
    decode: NDArray[np.int16],
    measures: NDArray[np.float32],
) -> None:
    """Measure the frames of these legs: `measures[i]` becomes level (dBov) and pitch (Hz; 0: no tone)."""
    wave = np.empty(FRAME_SAMPLES, dtype=np.float32)
    for i, row in enumerate(rows):
        table = decode[legs[row].law]
        energy = np.float32(0.0)
        for j in range(FRAME_SAMPLES):
            wave[j] = table[frames[row, j]]
            energy += wave[j] * wave[j]
        level = SILENT_DBOV
        if energy > 0.0:
            level = max(10.0 * math.log10(energy / FRAME_SAMPLES / _FULL_SCALE**2), SILENT_DBOV)
        measures[i, 0] = level
        measures[i, 1] = 0.0
        both = inside = np.float32(0.0)
        for j in range(1, FRAME_SAMPLES - 1):
            both += (wave[j - 1] + wave[j + 1]) * wave[j]
            inside += wave[j] * wave[j]
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
            measures[i, 1] = pitch
