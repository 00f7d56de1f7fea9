"""What a phone encodes and decodes with: libraries of their own, at the rates that real phones use."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import opuslib_next
from G722 import G722
from numpy.typing import NDArray

from switch.media.codecs import CODEC_BY_NAME, DECODE, ENCODE

Wave = NDArray[np.int16]


class Voice(Protocol):
    """One codec of one phone, with its state."""

    rate_hz: int

    def encode(self, wave: Wave) -> bytes:
        """The payload for samples at `rate_hz`."""

    def decode(self, payloads: Sequence[bytes]) -> Wave:
        """What is heard, at 8 kHz."""


class G711Voice:
    """Either law."""

    rate_hz = 8000

    def __init__(self, codec: int) -> None:
        self._codec = codec

    def encode(self, wave: Wave) -> bytes:
        return bytes(ENCODE[self._codec][wave.view(np.uint16)].tobytes())

    def decode(self, payloads: Sequence[bytes]) -> Wave:
        sound: Wave = DECODE[self._codec][np.frombuffer(b"".join(payloads), dtype=np.uint8)]
        return sound


class G722Voice:
    """Both sub-bands, at 16 kHz."""

    rate_hz = 16000

    def __init__(self) -> None:
        self._encoder = G722(16000, 64000)
        self._decoder = G722(16000, 64000)

    def encode(self, wave: Wave) -> bytes:
        return bytes(self._encoder.encode(array("h", wave.tobytes())))

    def decode(self, payloads: Sequence[bytes]) -> Wave:
        return np.array(self._decoder.decode(b"".join(payloads)), dtype=np.int16)[::2]


class OpusVoice:
    """Full band, mono, at 48 kHz."""

    rate_hz = 48000

    def __init__(self) -> None:
        self._encoder = opuslib_next.Encoder(48000, 1, opuslib_next.APPLICATION_VOIP)
        self._encoder.bitrate = 32000
        self._decoder = opuslib_next.Decoder(48000, 1)

    def encode(self, wave: Wave) -> bytes:
        return bytes(self._encoder.encode(wave.tobytes(), len(wave)))

    def decode(self, payloads: Sequence[bytes]) -> Wave:
        heard = b"".join(self._decoder.decode(payload, 5760) for payload in payloads)
        return np.frombuffer(heard, dtype=np.int16)[::6]


def voice_of(codec: str) -> Voice:
    """A voice in its first state, by the name of its codec."""
    match codec:
        case "G722":
            return G722Voice()
        case "OPUS":
            return OpusVoice()
        case _:
            return G711Voice(CODEC_BY_NAME[codec])
