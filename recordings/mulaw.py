"""Mu-law octets (ITU-T G.711) to and from 16-bit linear PCM, by table."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

SILENCE: Final = 0xFF
"""The octet of a zero sample."""


def _expand_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    segment = (code >> 4) & 7
    magnitude = (((code & 0x0F) << 3) + 0x84 << segment) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _compress_table() -> NDArray[np.uint8]:
    """Return the octet for each 16-bit value, indexed by the value seen as unsigned."""
    value = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    biased = np.minimum(np.abs(value), 32635) + 0x84
    segment = np.log2(biased).astype(np.int32) - 7
    mantissa = (biased >> (segment + 3)) & 0x0F
    sign = np.where(value < 0, 0x80, 0)
    octets: NDArray[np.uint8] = (~(sign | (segment << 4) | mantissa) & 0xFF).astype(np.uint8)
    return octets


_EXPAND: Final = _expand_table()
_COMPRESS: Final = _compress_table()


def decode(octets: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Expand mu-law octets of any shape to linear samples."""
    return _EXPAND[octets]


def encode(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Compress linear samples of any shape to mu-law octets."""
    return _COMPRESS[samples.view(np.uint16)]
