"""G.722 at 64 kbit/s, its lower sub-band: 8 kHz in, 8 kHz out (ITU-T G.722).

    octet   | high band, 2 bits | low band, 6 bits |      160 octets are 20 ms

The engine's sound is of 8 kHz, which is the lower sub-band as it is; the upper one is passed over at the
receipt and sent as silence. Legs of G.722 that are plainly bridged are relayed and keep both.

The names of steps and variables are the recommendation's (clause 3 and 4, 5.2). Why this is ours and no
library's: docs/decisions/codecs.md. The tests compare it with one, bit by bit.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import INT, OCTETS, entry, inner

STATE_WORDS: Final = 22
"""nb, det, s, sz, r1, r2, p1, p2, a1, a2, b1 to b6, d1 to d6."""
_NB, _DET, _S, _SZ, _R1, _R2, _P1, _P2, _A1, _A2, _B, _D = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16
_ORDER: Final = 6
_FIRST_DET: Final = 32
_MOST_NB: Final = 18432
_HIGH_BAND_SILENCE: Final = 0xC0
_LEVELS: Final = 30

State = NDArray[np.int32]
STATE: Final = types.int32[::1]
SAMPLES: Final = types.int16[::1]

# Tables 17, 19, 20 and 21 of the recommendation.
_WL: Final = np.array([-60, -30, 58, 172, 334, 538, 1198, 3042], dtype=np.int32)
_RL42: Final = np.array([0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0], dtype=np.int32)
_ILB: Final = np.array(
    [
        2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
        2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
    ],
    dtype=np.int32,
)  # fmt: skip
_QM4: Final = np.array(
    [
        0, -20456, -12896, -8968, -6288, -4240, -2584, -1200,
        20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
    ],
    dtype=np.int32,
)  # fmt: skip
_QM6_MAGNITUDES: Final = (
    24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000,
    5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728,
)  # fmt: skip
_QM6: Final = np.array(
    [*[-136] * 4, *[-m for m in _QM6_MAGNITUDES], *_QM6_MAGNITUDES, 432, 136, -432, -136],
    dtype=np.int32,
)
_Q6: Final = np.array(
    [
        0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023,
        1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919, 0,
    ],
    dtype=np.int32,
)  # fmt: skip
_ILN: Final = np.array([0, 63, 62, *range(31, 3, -1)], dtype=np.int32)
_ILP: Final = np.array([0, *range(61, 31, -1)], dtype=np.int32)


def first_state() -> State:
    """The state of an encoder or decoder that has seen nothing."""
    state = np.zeros(STATE_WORDS, dtype=np.int32)
    state[_DET] = _FIRST_DET
    return state


@inner
def reset_g722(state: State) -> None:
    """Make the state that of `first_state`."""
    state[:] = 0
    state[_DET] = _FIRST_DET


@inner
def _limited(value: int) -> int:
    return min(max(value, -32768), 32767)


@inner
def _adapt(state: Any, ril: int, d: int) -> None:
    """Take the difference signal `d` of code `ril`: the scale factor and the predictor follow it."""
    # LOGSCL and SCALEL: the logarithmic scale factor, and the linear one.
    nb = ((state[_NB] * 127) >> 7) + _WL[_RL42[ril]]
    nb = min(max(nb, 0), _MOST_NB)
    state[_NB] = nb
    mantissa = _ILB[(nb >> 6) & 31]
    shift = 8 - (nb >> 11)
    state[_DET] = (mantissa << -shift if shift < 0 else mantissa >> shift) << 2
    # RECONS and PARREC: the reconstructed and the partially reconstructed signal.
    r = _limited(state[_S] + d)
    p = _limited(state[_SZ] + d)
    a1, a2 = state[_A1], state[_A2]
    r1 = state[_R1]
    p1 = state[_P1]
    # UPPOL2 and UPPOL1: the poles.
    same = (p >> 15) == (p1 >> 15)
    wd = _limited(a1 << 2)
    wd = min(-wd if same else wd, 32767)
    next_a2 = (128 if (p >> 15) == (state[_P2] >> 15) else -128) + (wd >> 7)
    next_a2 += (a2 * 32512) >> 15
    next_a2 = min(max(next_a2, -12288), 12288)
    most = _limited(15360 - next_a2)
    next_a1 = _limited((192 if same else -192) + ((a1 * 32640) >> 15))
    next_a1 = min(max(next_a1, -most), most)
    # UPZERO and FILTEZ: the zeros, with the differences moved on by one.
    gain = 128 if d != 0 else 0
    sign = d >> 15
    sz = 0
    newer = d
    for i in range(_ORDER):
        older = state[_D + i]
        step = gain if (older >> 15) == sign else -gain
        b = _limited(step + ((state[_B + i] * 32640) >> 15))
        state[_B + i] = b
        state[_D + i] = newer
        sz += (b * _limited(newer + newer)) >> 15
        newer = older
    sz = _limited(sz)
    # FILTEP and PREDIC.
    sp = (next_a1 * _limited(r + r)) >> 15
    sp = _limited(sp + ((next_a2 * _limited(r1 + r1)) >> 15))
    state[_SZ] = sz
    state[_S] = _limited(sp + sz)
    state[_R2], state[_R1] = r1, r
    state[_P2], state[_P1] = p1, p
    state[_A1], state[_A2] = next_a1, next_a2


@entry(STATE, OCTETS, INT, INT, SAMPLES)
def decode_g722(
    state: State, payload: NDArray[np.uint8], start: int, count: int, out: NDArray[np.int16]
) -> None:
    """Decode `count` octets of `payload` from `start` on into the first samples of `out`."""
    for i in range(count):
        code = int(payload[start + i]) & 0x3F
        det = int(state[_DET])
        rlow = state[_S] + ((det * _QM6[code]) >> 15)
        out[i] = min(max(rlow, -16384), 16383) << 1
        ril = code >> 2
        _adapt(state, ril, (det * _QM4[ril]) >> 15)


@entry(STATE, SAMPLES, INT, OCTETS, INT)
def encode_g722(
    state: State, samples: NDArray[np.int16], count: int, out: NDArray[np.uint8], start: int
) -> None:
    """Encode the first `count` samples into `out` from `start` on, an octet each."""
    for i in range(count):
        el = _limited((int(samples[i]) >> 1) - state[_S])
        det = int(state[_DET])
        magnitude = el if el >= 0 else -(el + 1)
        # QUANTL: the thresholds rise, so the level is found by halving.
        low, high = 1, _LEVELS
        while low < high:
            middle = (low + high) >> 1
            if magnitude < (_Q6[middle] * det) >> 12:
                high = middle
            else:
                low = middle + 1
        code = int(_ILN[low] if el < 0 else _ILP[low])
        out[start + i] = _HIGH_BAND_SILENCE | code
        ril = code >> 2
        _adapt(state, ril, (det * _QM4[ril]) >> 15)
