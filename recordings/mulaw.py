"""Mu-law octets (ITU-T G.711) to and from 16-bit linear PCM: the tables of the media engine."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.media import codecs

SILENCE: Final = int(codecs.SILENCE[codecs.PCMU])
"""The octet of a zero sample."""


def decode(octets: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Expand mu-law octets of any shape to linear samples."""
    samples: NDArray[np.int16] = codecs.DECODE[codecs.PCMU][octets]
    return samples


def encode(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Compress linear samples of any shape to mu-law octets."""
    return codecs.encode(samples, codecs.PCMU)
