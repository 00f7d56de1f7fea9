"""Digits in the sound of legs whose peer sends no telephone-events (ITU-T Q.24).

    frames of these legs    | half of the last | this frame, 20 ms |
    two windows a tick      |------- 20 ms -------|
                                       |------- 20 ms -------|

Each window is multiplied with the tone basis, a sine and a cosine for each of the eight frequencies: one
product for all these legs. A window is a hit when two tones, one of each group, are nearly all that is in it:

- as much of its power lies in the two as in a window that the tones fill: a tone of 23 ms never fills two;
- neither is too weak, nor stronger than the other by more than telephones send (twist);
- both are where they should be: the phase that they gain from window to window tells their frequencies to
  a few hertz, where the product alone would take anything within 50.

Two hits in a row begin a digit, four windows without one end it: so 40 ms of tones are enough, a gap of
40 ms divides two digits, and one of 10 ms does not. Speech seldom has two such tones and nothing else.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import (
    INTS,
    OCTET_LIST,
    OCTET_ROWS,
    REAL_ROWS,
    SAMPLE_TABLE,
    entry,
    inner,
    table_of,
)
from switch.ids import LegId
from switch.media.codecs import DECODE, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ, SILENCE
from switch.media.digit_tones import HIGH_HZ, KEYPAD, LOW_HZ, amplitude_of
from switch.media.events import DigitEnded
from switch.media.legs import LEG, Rows
from switch.media.rows import grown

HOP: Final = FRAME_SAMPLES // 2
_TONES: Final = 8
_GROUP: Final = 4
_PARTS: Final = 2 * _TONES
NO_DIGIT: Final = -1
MIN_SHARE: Final = 0.84
"""Of a window's power in the two tones. Noise 15 dB below them takes 3 % away."""
MAX_SHARE: Final = 1.3
"""More comes out where the correction for a wrong frequency finds something else."""
MAX_DEVIATION: Final = 0.022
"""Q.24: up to 1.5 % must be taken, from 3.5 % on nothing."""
MAX_TWIST: Final = 10**0.5
"""The high tone over the low one, as powers: 5 dB. Q.24 has 4."""
MIN_TWIST: Final = 10**-0.9
"""-9 dB. Q.24 has 8 for the low one over the high one."""
MIN_POWER: Final = (amplitude_of(-27.0) * FRAME_SAMPLES / 2) ** 2
"""Of one tone, as the product gives it: -27 dBm0 each. Q.24 has -25 (AT&T)."""
_MIN_ENERGY: Final = amplitude_of(-27.0) ** 2 * FRAME_SAMPLES * MIN_SHARE / 2
HITS_TO_BEGIN: Final = 2
MISSES_TO_END: Final = 4
_WINDOW_S: Final = FRAME_SAMPLES / SAMPLE_RATE_HZ
_HOP_S: Final = HOP / SAMPLE_RATE_HZ
_HZ: Final = np.array([*LOW_HZ, *HIGH_HZ])
TONE: Final = np.dtype(
    [
        ("candidate", np.int64),  # the digit of the last window, while it may become one
        ("hits", np.int64),
        ("digit", np.int64),  # that sounds now; NO_DIGIT
        ("windows", np.int64),  # from its first hit to its last
        ("misses", np.int64),
    ]
)
"""What is known of one leg's digits."""


def _basis() -> NDArray[np.float32]:
    """(160, 16): cosines of the eight tones, then their sines."""
    angle = 2 * np.pi * np.outer(np.arange(FRAME_SAMPLES) / SAMPLE_RATE_HZ, _HZ)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


BASIS: Final = _basis()


class ToneDigits:
    """Hears digits; rows are legs."""

    def __init__(self, rows: int) -> None:
        self.table = np.zeros(rows, dtype=TONE)
        self.tails = np.zeros((rows, HOP), dtype=np.float32)
        """The last half of the frame before."""
        self.products = np.zeros((rows, _PARTS), dtype=np.float32)
        """Of the window before."""
        self._rows: Rows = np.empty(0, dtype=np.int64)
        self._ended = np.zeros((0, 3), dtype=np.int64)

    def grow(self, rows: int) -> None:
        """Make room for `rows` rows."""
        self.table = grown(self.table, rows)
        self.tails = grown(self.tails, rows)
        self.products = grown(self.products, rows)

    def listen(self, rows: Rows) -> None:
        """Hear the digits of these legs, and of no others."""
        begun = np.setdiff1d(rows, self._rows)
        self.table[begun] = (NO_DIGIT, 0, NO_DIGIT, 0, 0)
        self.tails[begun] = 0.0
        self.products[begun] = 0.0
        self._rows = rows
        # A digit may end in each of the two windows of a tick, and another in the second.
        self._ended = np.zeros((2 * len(rows) + 1, 3), dtype=np.int64)

    def hear(
        self, frames: NDArray[np.uint8], legs: NDArray[Any], names: dict[int, LegId]
    ) -> list[DigitEnded]:
        """Take this tick's frames, (rows, 160); return the digits that ended. `legs` are LEGs."""
        if not len(self._rows):
            return []
        count = hear_tones(
            self._rows, frames, legs, DECODE, SILENCE, BASIS, self.table, self.tails, self.products,
            self._ended,
        )  # fmt: skip
        return [
            DigitEnded(leg=names[row], digit=KEYPAD[digit], duration_ms=duration)
            for row, digit, duration in self._ended[:count].tolist()
            if row in names
        ]


@inner
def _correction(deviation_hz: float) -> float:
    """What a window shows of a tone's power when its frequency is wrong by so much."""
    x = math.pi * deviation_hz * _WINDOW_S
    if abs(x) < 1e-6:
        return 1.0
    return (math.sin(x) / x) ** 2


@inner
def _deviation(now: NDArray[np.float32], before: NDArray[np.float32], tone: int) -> float:
    """How far a tone is from its frequency, Hz, by the phase it gained from one window to the next."""
    # The product's phase runs against the tone's own: x = sum of wave * (cos + i sin).
    re = now[tone] * before[tone] + now[_TONES + tone] * before[_TONES + tone]
    im = now[tone] * before[_TONES + tone] - now[_TONES + tone] * before[tone]
    gained = math.atan2(im, re) / (2 * math.pi * _HOP_S)
    off = gained - _HZ[tone]
    period = 1.0 / _HOP_S
    return float(off - period * round(off / period))


@inner
def _digit_in(
    energy: float,
    now: NDArray[np.float32],
    before: NDArray[np.float32],
) -> int:
    """The digit that fills a window of this energy, or NO_DIGIT."""
    low, high = 0, _GROUP
    powers = np.empty(_TONES, dtype=np.float64)
    for tone in range(_TONES):
        powers[tone] = now[tone] * now[tone] + now[_TONES + tone] * now[_TONES + tone]
        if tone < _GROUP:
            if powers[tone] > powers[low]:
                low = tone
        elif powers[tone] > powers[high]:
            high = tone
    # Most windows end here: less than this is no tone, whatever its frequency.
    if (powers[low] + powers[high]) * 2.0 < 0.1 * energy * FRAME_SAMPLES:
        return NO_DIGIT
    low_off, high_off = _deviation(now, before, low), _deviation(now, before, high)
    if abs(low_off) > MAX_DEVIATION * _HZ[low] or abs(high_off) > MAX_DEVIATION * _HZ[high]:
        return NO_DIGIT
    low_power = powers[low] / _correction(low_off)
    high_power = powers[high] / _correction(high_off)
    share = 2.0 * (low_power + high_power) / (FRAME_SAMPLES * energy)
    if not MIN_SHARE <= share <= MAX_SHARE or min(low_power, high_power) < MIN_POWER:
        return NO_DIGIT
    if not MIN_TWIST <= high_power / low_power <= MAX_TWIST:
        return NO_DIGIT
    return _GROUP * low + high - _GROUP


@inner
def _end(state: Any, row: int, ended: NDArray[np.int64], count: int) -> int:
    """Report the digit that sounded."""
    ended[count, 0] = row
    ended[count, 1] = state.digit
    ended[count, 2] = (state.windows + 1) * FRAME_MS // 2 + FRAME_MS // 4
    state.digit = NO_DIGIT
    return count + 1


@inner
def _follow(state: Any, found: int, row: int, ended: NDArray[np.int64], count: int) -> int:
    """Go on with what the next window holds; return how many digits have ended."""
    if found != NO_DIGIT and found == state.digit:
        state.windows += state.misses + 1
        state.misses = 0
        state.candidate = NO_DIGIT
        return count
    if state.digit != NO_DIGIT:
        state.misses += 1
    if found == NO_DIGIT:
        state.candidate = NO_DIGIT
    elif found != state.candidate:
        state.candidate = found
        state.hits = 1
    else:
        state.hits += 1
        if state.hits == HITS_TO_BEGIN:
            if state.digit != NO_DIGIT:
                count = _end(state, row, ended, count)
            state.digit = found
            state.candidate = NO_DIGIT
            state.windows = HITS_TO_BEGIN
            state.misses = 0
    if state.digit != NO_DIGIT and state.misses == MISSES_TO_END:
        count = _end(state, row, ended, count)
    return count


@entry(
    INTS, OCTET_ROWS, table_of(LEG), SAMPLE_TABLE, OCTET_LIST, REAL_ROWS, table_of(TONE), REAL_ROWS,
    REAL_ROWS, types.int64[:, ::1],
)  # fmt: skip
def hear_tones(
    rows: Rows,
    frames: NDArray[np.uint8],
    legs: NDArray[Any],
    decode: NDArray[np.int16],
    silence: NDArray[np.uint8],
    basis: NDArray[np.float32],
    states: NDArray[Any],
    tails: NDArray[np.float32],
    products: NDArray[np.float32],
    ended: NDArray[np.int64],
) -> int:
    """Hear both windows of each leg; list in `ended` the digits that are over: row, digit, milliseconds.

    The frames of legs that `hush` are silent while a digit sounds.
    """
    count = 0
    sound = np.empty(HOP + FRAME_SAMPLES, dtype=np.float32)
    now = np.empty(_PARTS, dtype=np.float32)
    for row in rows:
        table = decode[legs[row].law]
        sound[:HOP] = tails[row]
        for j in range(FRAME_SAMPLES):
            sound[HOP + j] = table[frames[row, j]]
        tails[row] = sound[FRAME_SAMPLES:]
        for first in range(0, FRAME_SAMPLES, HOP):
            window = sound[first : first + FRAME_SAMPLES]
            energy = np.float32(0.0)
            for j in range(FRAME_SAMPLES):
                energy += window[j] * window[j]
            found = NO_DIGIT
            now[:] = np.float32(0.0)
            if energy >= _MIN_ENERGY:
                for j in range(FRAME_SAMPLES):
                    sample = window[j]
                    for part in range(_PARTS):
                        now[part] += sample * basis[j, part]
                found = _digit_in(float(energy), now, products[row])
            products[row] = now
            count = _follow(states[row], found, row, ended, count)
        leg = legs[row]
        leg.hushed = leg.hushes and states[row].digit != NO_DIGIT
        if leg.hushed:
            frames[row] = silence[leg.law]
    return count
