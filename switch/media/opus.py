"""Opus by libopus (RFC 6716): its functions in compiled loops, its states by their addresses.

libopus comes with the package `opuslib-next-bundled`, whose Python bindings are not used: a call from
the interpreter for each packet would cost as much as decoding it. The library checks what it is given
and answers with a negative number for what is no Opus.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
from pathlib import Path
from typing import Final

import numpy as np
from llvmlite import binding
from numba import types
from numpy.typing import NDArray

from switch.compiled import external, inner
from switch.media.codecs import FRAME_MS, SAMPLE_RATE_HZ

CLOCK_SCALE: Final = 6
"""RTP timestamps count at 48 kHz, whatever was encoded (RFC 7587 section 4.1)."""
MAX_SAMPLES: Final = 960
"""Of one packet, 120 ms at 8 kHz."""
SILENCE: Final = np.array([0xF8, 0xFF, 0xFE], dtype=np.uint8)
"""A packet of 20 ms of silence, which needs no encoder."""
SILENCE.flags.writeable = False
_VOIP: Final = 2048
_SET_BITRATE: Final = 4002
_SET_COMPLEXITY: Final = 4010
_SET_INBAND_FEC: Final = 4012
_SET_PACKET_LOSS: Final = 4014
_RESET: Final = 4028
_COMPLEXITY: Final = 5
"""0 to 10. Above this more CPU buys little at 8 kHz."""
_EXPECTED_LOSS: Final = 10
"""Percent; how much of a packet goes into repeating the one before, when the peer makes use of it."""
_MOST_POOLED: Final = 64
"""States kept for the next leg; one is 18 (decoder) or 31 (encoder) KiB."""


def _library_path() -> str:
    found = importlib.util.find_spec("opuslib_next")
    if found is not None and found.origin is not None:
        path = Path(found.origin).parent / "_native" / "libopus.so"
        if path.is_file():
            return str(path)
    system = ctypes.util.find_library("opus")
    if system is None:
        raise ImportError(
            "libopus is missing: install opuslib-next-bundled, or libopus of the system"
        )
    return system


_PATH: Final = _library_path()
_library: Final = ctypes.CDLL(_PATH)
binding.load_library_permanently(_PATH)
for _name in ("opus_decoder_create", "opus_encoder_create"):
    getattr(_library, _name).restype = ctypes.c_void_p
for _name in ("opus_decoder_ctl", "opus_encoder_ctl"):
    getattr(_library, _name).argtypes = [ctypes.c_void_p, ctypes.c_int]
for _name in ("opus_decoder_destroy", "opus_encoder_destroy"):
    getattr(_library, _name).argtypes = [ctypes.c_void_p]

_decode: Final = external(
    "opus_decode", types.int32, types.intp, types.intp, types.int32, types.intp, types.int32, types.int32
)  # fmt: skip
_encode: Final = external(
    "opus_encode", types.int32, types.intp, types.intp, types.int32, types.intp, types.int32
)


class OpusStates:
    """Decoders and encoders of libopus by their addresses. Whoever takes one gives it back."""

    def __init__(self) -> None:
        self._decoders: list[int] = []
        self._encoders: list[int] = []

    def take_decoder(self) -> int:
        """A decoder to 8 kHz mono that has seen nothing."""
        decoder = self._decoders.pop() if self._decoders else _create("decoder", SAMPLE_RATE_HZ, 1)
        reset_decoder(decoder)
        return decoder

    def take_encoder(self, bitrate: int, *, use_fec: bool) -> int:
        """An encoder of 8 kHz mono at `bitrate` (bits a second)."""
        pooled = self._encoders
        encoder = pooled.pop() if pooled else _create("encoder", SAMPLE_RATE_HZ, 1, _VOIP)
        _library.opus_encoder_ctl(encoder, _RESET)
        for what, value in (
            (_SET_COMPLEXITY, _COMPLEXITY),
            (_SET_BITRATE, bitrate),
            (_SET_INBAND_FEC, int(use_fec)),
            (_SET_PACKET_LOSS, _EXPECTED_LOSS if use_fec else 0),
        ):
            _library.opus_encoder_ctl(encoder, what, ctypes.c_int(value))
        return encoder

    def give_back_decoder(self, decoder: int) -> None:
        """Nobody uses it any more."""
        if len(self._decoders) < _MOST_POOLED:
            self._decoders.append(decoder)
        else:
            _library.opus_decoder_destroy(decoder)

    def give_back_encoder(self, encoder: int) -> None:
        """Nobody uses it any more."""
        if len(self._encoders) < _MOST_POOLED:
            self._encoders.append(encoder)
        else:
            _library.opus_encoder_destroy(encoder)


def reset_decoder(decoder: int) -> None:
    """Make a decoder forget what it has seen."""
    _library.opus_decoder_ctl(decoder, _RESET)


def _create(kind: str, *arguments: int) -> int:
    error = ctypes.c_int()
    state: int | None = getattr(_library, f"opus_{kind}_create")(*arguments, ctypes.byref(error))
    if not state:
        raise MemoryError(f"libopus gives no {kind}: error {error.value}")
    return state


@inner
def decode_opus(
    decoder: int,
    packet: NDArray[np.uint8],
    start: int,
    length: int,
    out: NDArray[np.int16],
    at: int,
) -> int:
    """Decode a packet into `out` from `at` on, where 960 samples must fit; samples, or below 0: no Opus."""
    place = np.int64(packet.ctypes.data) + start
    into = np.int64(out.ctypes.data) + 2 * at
    return int(_decode(decoder, place, length, into, MAX_SAMPLES, 0))


@inner
def conceal_opus(
    decoder: int,
    packet: NDArray[np.uint8],
    start: int,
    length: int,
    missing: int,
    out: NDArray[np.int16],
) -> int:
    """Make up for `missing` samples before a packet, by what it repeats of them or by guessing.

    `missing` is a multiple of 20, at most 960. Samples in `out`, or below 0: nothing could be made.
    """
    place = np.int64(packet.ctypes.data) + start
    return int(_decode(decoder, place, length, np.int64(out.ctypes.data), missing, 1))


@inner
def encode_opus(
    encoder: int,
    samples: NDArray[np.int16],
    count: int,
    out: NDArray[np.uint8],
    start: int,
    room: int,
) -> int:
    """Encode 20 ms into `out` from `start` on, `room` octets at most; octets, or below 0: it failed."""
    place = np.int64(samples.ctypes.data)
    into = np.int64(out.ctypes.data) + start
    return int(_encode(encoder, place, count, into, room))


@inner
def duration_of(packet: NDArray[np.uint8], start: int, length: int) -> int:
    """Timestamp units (48 kHz) that a packet covers, by its first octets (RFC 6716 section 3.1)."""
    if length < 1:
        return 0
    toc = int(packet[start])
    config = toc >> 3
    if config < 12:
        frame = 480 * (1, 2, 4, 6)[config & 3]
    elif config < 16:
        frame = 480 << (config & 1)
    else:
        frame = 120 << (config & 3)
    code = toc & 3
    if code == 0:
        frames = 1
    elif code < 3:
        frames = 2
    else:
        frames = int(packet[start + 1]) & 0x3F if length > 1 else 0
    return min(frame * frames, 5760)


FRAME_UNITS: Final = SAMPLE_RATE_HZ // 1000 * FRAME_MS * CLOCK_SCALE
"""Timestamp units of one frame."""
