from __future__ import annotations

import numpy as np
import pytest

from switch.media.codecs import (
    DECODE,
    ENCODE,
    PCMA,
    PCMU,
    SILENCE,
    TRANSCODE,
)

# The decision values of G.711, tables 1a and 2a, positive side: the upper ends of the eight
# segments, in steps of the 14-bit (mu) and 13-bit (A) uniform codes, where the next one begins.
ULAW_POINTS = {
    0: 0xFF,
    2: 0xFE,
    3: 0xFD,
    31: 0xEF,
    95: 0xDF,
    223: 0xCF,
    479: 0xBF,
    991: 0xAF,
    2015: 0x9F,
    4063: 0x8F,
    8031: 0x80,
}
ALAW_POINTS = {
    0: 0xD5,
    2: 0xD4,
    32: 0xC5,
    64: 0xF5,
    128: 0xE5,
    256: 0x95,
    512: 0x85,
    1024: 0xB5,
    2048: 0xA5,
    4095: 0xAA,
}


def encoded(codec: int, linear: int) -> int:
    return int(ENCODE[codec][np.uint16(linear & 0xFFFF)])


@pytest.mark.parametrize(("value", "octet"), ULAW_POINTS.items())
def test_mu_law_segments_end_where_the_standard_says(value: int, octet: int) -> None:
    assert encoded(PCMU, value * 4) == octet
    if value:
        assert encoded(PCMU, -value * 4) == octet & 0x7F


@pytest.mark.parametrize(("value", "octet"), ALAW_POINTS.items())
def test_a_law_segments_end_where_the_standard_says(value: int, octet: int) -> None:
    assert encoded(PCMA, value * 8) == octet
    assert encoded(PCMA, -value * 8 - 1) == octet & 0x7F


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_every_octet_survives_decoding_and_encoding(codec: int) -> None:
    octets = np.arange(256, dtype=np.uint8)
    again = ENCODE[codec][DECODE[codec][octets].view(np.uint16)]
    # Mu-law has two zeros; the negative one comes back as the positive one.
    expected = np.where((codec == PCMU) & (octets == 0x7F), 0xFF, octets)
    assert (again == expected).all()


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_every_linear_value_comes_back_within_half_a_step(codec: int) -> None:
    linear = np.arange(-32768, 32768, dtype=np.int32)
    back = DECODE[codec][ENCODE[codec][linear.astype(np.int16).view(np.uint16)]].astype(np.int32)
    error = np.abs(np.clip(linear, -32124, 32124) - back)
    assert (error <= np.maximum((np.abs(linear) + 132) / 32, 8)).all()
    # Monotonic: louder is never coded as softer.
    assert (np.diff(back) >= 0).all()


def test_sine_to_noise_is_above_what_the_standard_demands() -> None:
    wave = (16000 * np.sin(2 * np.pi * 1020 * np.arange(8000) / 8000)).astype(np.int16)
    for codec in (PCMU, PCMA):
        error = DECODE[codec][ENCODE[codec][wave.view(np.uint16)]].astype(float) - wave
        assert 10 * np.log10((wave.astype(float) ** 2).mean() / (error**2).mean()) > 36


def test_transcoding_is_decoding_and_encoding_and_keeps_silence() -> None:
    octets = np.arange(256, dtype=np.uint8)
    assert (TRANSCODE[PCMU] == ENCODE[PCMA][DECODE[PCMU][octets].view(np.uint16)]).all()
    assert TRANSCODE[PCMU][SILENCE[PCMU]] == SILENCE[PCMA]
    assert DECODE[PCMU][TRANSCODE[PCMA][SILENCE[PCMA]]] in (-8, 0, 8)


def test_tables_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        DECODE[0][0] = 1
