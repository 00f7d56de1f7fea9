from __future__ import annotations

import numpy as np

from recordings import mulaw


def test_decoding_follows_the_table_of_the_standard() -> None:
    octets = np.array([0x80, 0x00, 0xFF, 0x7F, 0xF0, 0xE7, 0x8F], np.uint8)
    assert mulaw.decode(octets).tolist() == [32124, -32124, 0, 0, 120, 260, 16764]


def test_encoding_is_the_inverse_and_never_far_off() -> None:
    octets = np.arange(256, dtype=np.uint8)
    again = mulaw.encode(mulaw.decode(octets))
    assert (again == np.where(octets == 0x7F, 0xFF, octets)).all()
    values = np.arange(-32768, 32768).astype(np.int16)
    off = np.abs(mulaw.decode(mulaw.encode(values)).astype(int) - values)
    assert (off <= 1 + (np.abs(values.astype(int)) + 132) / 32).all()
    assert mulaw.encode(np.zeros(1, np.int16))[0] == mulaw.SILENCE
