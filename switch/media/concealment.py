"""What is heard in place of sound that did not come: its last period again and again, or comfort noise.

    ... last 60 ms of sound ......|          nothing came           | sound again
                       |--period--|--period--|--period--|--period---|
    gain                          1   10 ms   falling to 0 at 60 ms  crossed over within 5 ms

The period is that of the voice, where the sound is most like itself a little earlier (the idea of ITU-T
G.711 Appendix I, without its delay). Noise is that of RFC 3389: white, as loud as the peer says.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import inner
from switch.media.codecs import FRAME_SAMPLES

HISTORY_FRAMES: Final = 3
HISTORY_SAMPLES: Final = HISTORY_FRAMES * FRAME_SAMPLES
MIN_LAG: Final = 40
MAX_LAG: Final = 120
"""Periods of 200 to 66 Hz, as in the appendix."""
_TEMPLATE: Final = 160
_FULL_SAMPLES: Final = 80
_FADE_SAMPLES: Final = 400
CROSS_SAMPLES: Final = 40
NOISE_TYPE: Final = 13
"""The payload type of comfort noise."""


@inner
def _likeness(sound: NDArray[np.float32], lag: int, step: int) -> float:
    """How like the end of a sound is to what was `lag` samples before."""
    both = energy = 0.0
    for i in range(HISTORY_SAMPLES - _TEMPLATE, HISTORY_SAMPLES, step):
        earlier = sound[i - lag]
        both += sound[i] * earlier
        energy += earlier * earlier
    return both / math.sqrt(energy) if both > 0.0 and energy > 0.0 else 0.0


@inner
def period_of(sound: NDArray[np.float32]) -> int:
    """The period at the end of a sound of 480 samples, in samples."""
    best, likest = MIN_LAG, -1.0
    for lag in range(MIN_LAG, MAX_LAG + 1, 2):
        likeness = _likeness(sound, lag, 2)
        if likeness > likest:
            best, likest = lag, likeness
    middle, likest = best, -1.0
    for lag in range(max(middle - 1, MIN_LAG), min(middle + 2, MAX_LAG + 1)):
        likeness = _likeness(sound, lag, 1)
        if likeness > likest:
            best, likest = lag, likeness
    return best


@inner
def begin_repeating(
    ring: Any, blocks: NDArray[np.uint8], cycle: NDArray[np.float32], decode: NDArray[np.int16]
) -> None:
    """Find the last period of a leg's sound and put it into `cycle`.

    `blocks` are those of its ring, encoded: the sound lies before `ring.read_slot`. `decode` is their law's.
    """
    ring.phase = ring.faded = 0
    if ring.heard < HISTORY_FRAMES:  # it has hardly begun
        ring.lag = MIN_LAG
        cycle[:] = np.float32(0.0)
        return
    sound = np.empty(HISTORY_SAMPLES, dtype=np.float32)
    depth, width = blocks.shape
    count = HISTORY_SAMPLES // width
    for i in range(count):
        block = blocks[(ring.read_slot - count + i) % depth]
        for j in range(width):
            sound[i * width + j] = decode[block[j]]
    lag = period_of(sound)
    crossed = lag // 4
    for i in range(lag):
        sample = sound[HISTORY_SAMPLES - lag + i]
        later = i - (lag - crossed)
        if later >= 0:  # the end of the period leads into its own beginning
            share = np.float32((later + 1) / (crossed + 1))
            sample += share * (sound[HISTORY_SAMPLES - 2 * lag + i] - sample)
        cycle[i] = sample
    ring.lag = lag


@inner
def repeat(ring: Any, cycle: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """The next samples of the repetition, ever softer."""
    for i in range(len(out)):
        left = 1.0 - max(ring.faded - _FULL_SAMPLES, 0) / _FADE_SAMPLES
        out[i] = cycle[ring.phase] * max(left, 0.0)
        ring.phase = (ring.phase + 1) % ring.lag
        ring.faded += 1


@inner
def noise_amplitude(noise: int) -> float:
    """The largest sample of noise as loud as a leg's `noise` says: its level (-dBov) and one."""
    return 32768.0 * math.sqrt(3.0) * math.pow(10.0, -(noise - 1) / 20.0)


@inner
def next_random(seed: int) -> int:
    """The next of a row of numbers of 32 bits (a linear congruence)."""
    return (seed * 1664525 + 1013904223) & 0xFFFFFFFF


@inner
def noise_sample(seed: int, amplitude: float) -> int:
    """The sample of white noise that belongs to a random number."""
    return int(min(max((seed / 2147483648.0 - 1.0) * amplitude, -32768.0), 32767.0))
