"""Tones as whole frames of mu-law, one second each, so that they can be repeated without a click."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.media.codecs import PCMU, SAMPLE_RATE_HZ, encode

OVERLOAD_DBOV_AMPLITUDE: Final = 32767.0
"""A sine of this amplitude is at -3.01 dBov (RFC 6465 counts power against a full square wave)."""
_SINE_DBOV: Final = -3.0103


def tone_second(frequencies_hz: Sequence[float], level_dbov: float) -> NDArray[np.uint8]:
    """One second of the sum of sines, `level_dbov` in all: uint8 (8000,).

    Frequencies are rounded to whole hertz: then the second holds whole periods, and its repetition
    is continuous in phase. Frequencies from half the sampling rate on are left out.
    """
    usable = [round(f) for f in frequencies_hz if 0.5 < f < SAMPLE_RATE_HZ // 2 - 0.5]
    if not usable or math.isnan(level_dbov):
        return encode(np.zeros(SAMPLE_RATE_HZ, dtype=np.int16), PCMU)
    amplitude = OVERLOAD_DBOV_AMPLITUDE * 10 ** (
        (min(level_dbov, _SINE_DBOV) - _SINE_DBOV - 10 * np.log10(len(usable))) / 20
    )
    time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    wave = sum(np.sin(2 * np.pi * f * time) for f in usable) * amplitude
    return encode(np.clip(np.round(wave), -32768, 32767).astype(np.int16), PCMU)
