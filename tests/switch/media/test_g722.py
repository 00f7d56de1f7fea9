"""Our lower sub-band of G.722 is the library's, bit by bit."""

from array import array

import numpy as np
import pytest
from G722 import G722
from numpy.typing import NDArray

from switch.media.g722 import decode_g722, encode_g722, first_state

SAMPLES = 16000


def sounds() -> list[NDArray[np.int16]]:
    rng = np.random.default_rng(1)
    time = np.arange(SAMPLES)
    voiced = 8000 * np.sin(time * 0.3) + rng.normal(0, 3000, SAMPLES) * np.sin(time / 900)
    edges = np.repeat([32767, -32768, 0, 1, -1, 32767, -32768, 5], SAMPLES // 8)
    return [
        np.clip(voiced, -32768, 32767).astype(np.int16),
        edges.astype(np.int16),
        rng.integers(-32768, 32768, SAMPLES).astype(np.int16),
        np.zeros(SAMPLES, dtype=np.int16),
    ]


@pytest.mark.parametrize("sound", sounds())
def test_octets_are_those_of_the_library(sound: NDArray[np.int16]) -> None:
    octets = np.zeros(SAMPLES, dtype=np.uint8)
    encode_g722(first_state(), sound, SAMPLES, octets, 0)
    assert bytes(G722(8000, 64000).encode(array("h", sound.tobytes()))) == octets.tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_samples_are_those_of_the_library_whatever_the_octets(seed: int) -> None:
    octets = np.random.default_rng(seed).integers(0, 256, SAMPLES).astype(np.uint8)
    if seed == 3:
        octets[:] = 0xFF
    heard = np.zeros(SAMPLES, dtype=np.int16)
    state = first_state()
    for first in range(0, SAMPLES, 160):  # as packets come
        decode_g722(state, octets, first, 160, heard[first:])
    assert list(G722(8000, 64000).decode(octets.tobytes())) == heard.tolist()
