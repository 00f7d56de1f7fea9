"""The codecs by number, and G.711 mu-law and A-law as table look-ups (ITU-T G.711).

Encoded sound is uint8 of any shape, linear sound int16 of the same shape. The tables are made once
from the definition: decoding has 256 entries, encoding one for each of the 65,536 linear values.
Codecs are small integers, so that the codec of each leg is a column.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

PCMU: Final = 0
PCMA: Final = 1
G722: Final = 2
OPUS: Final = 3
CODEC_BY_NAME: Final = {"PCMU": PCMU, "PCMA": PCMA, "G722": G722, "OPUS": OPUS}
"""From `G722` on they are coded: what they send becomes mu-law where it comes in (switch/media/coders.py)."""
LAW_OF_CODEC: Final = (PCMU, PCMA, PCMU, PCMU)
"""How a leg's sound is kept inside, by codec."""
CLOCK_SCALE_OF_CODEC: Final = (1, 1, 1, 6)
"""Units of RTP timestamps for a sample at 8 kHz, by codec."""
SAMPLE_RATE_HZ: Final = 8000
FRAME_SAMPLES: Final = 160
"""One frame: 20 ms."""
FRAME_MS: Final = 20

_ULAW_BIAS: Final = 132
_ULAW_CLIP: Final = 32635


def _ulaw_decode_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4) & 7
    mantissa = (code & 0x0F).astype(np.int32)
    magnitude = (((mantissa << 3) + _ULAW_BIAS) << exponent) - _ULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _ulaw_encode_table() -> NDArray[np.uint8]:
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    sign = np.where(linear < 0, 0x80, 0)
    biased = np.minimum(np.abs(linear), _ULAW_CLIP) + _ULAW_BIAS
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = (biased >> (exponent + 3)) & 0x0F
    table: NDArray[np.uint8] = (~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8)
    return table


def _alaw_decode_table() -> NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code >> 4) & 7
    mantissa = code & 0x0F
    magnitude = np.where(
        exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0)
    )
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _alaw_encode_table() -> NDArray[np.uint8]:
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    # 13 bits of sign and magnitude; the negative side is one's complement, as in the standard.
    positive = linear >= 0
    scaled = linear >> 3
    magnitude = np.where(positive, scaled, -scaled - 1)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    mantissa = np.where(
        exponent == 0, (magnitude >> 1) & 0x0F, (magnitude >> np.maximum(exponent, 1)) & 0x0F
    )
    code = np.where(positive, 0x80, 0) | exponent << 4 | mantissa
    table: NDArray[np.uint8] = ((code ^ 0x55) & 0xFF).astype(np.uint8)
    return table


DECODE: Final = np.stack([_ulaw_decode_table(), _alaw_decode_table()])
"""int16 (2, 256), by codec and octet."""
ENCODE: Final = np.stack([_ulaw_encode_table(), _alaw_encode_table()])
"""uint8 (2, 65536), by codec and linear value as uint16."""
TRANSCODE: Final = np.stack(
    [ENCODE[PCMA][DECODE[PCMU].view(np.uint16)], ENCODE[PCMU][DECODE[PCMA].view(np.uint16)]]
)
"""uint8 (2, 256), by the codec it comes from: to the other one."""
SILENCE: Final = np.array([0xFF, 0xD5], dtype=np.uint8)
"""The octet of silence, by codec."""

for _table in (DECODE, ENCODE, TRANSCODE, SILENCE):
    _table.flags.writeable = False


def encode(linear: NDArray[np.int16], codec: int) -> NDArray[np.uint8]:
    """Compress linear sound of any shape."""
    encoded: NDArray[np.uint8] = ENCODE[codec][linear.view(np.uint16)]
    return encoded


def clip_to_int16(mixed: NDArray[np.int32]) -> NDArray[np.int16]:
    """Limit a sum to 16 bits; `mixed` is overwritten."""
    np.clip(mixed, -32768, 32767, out=mixed)
    return mixed.astype(np.int16)
