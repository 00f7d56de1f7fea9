"""What a leg with Opus or G.722 costs above one with G.711, and what the coding alone costs.

Gateways do the same work by turns: calls of which every frame is mixed, all legs of the codec, then all of
G.711. The difference is what the codec costs in a gateway. A bare loop (`cti.bench.bare_gateway`) passes the
same packets on, as they are or decoded and encoded: the difference is the coding alone, with as many states.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from cti.bench.bare_gateway import G722, OPUS, WARM_UP_S, Work, passed_on
from cti.bench.gateway_run import GatewayRun, Window
from cti.bench.server import RTP_PORTS
from cti.bench.speakers import Sentences, Speakers
from cti.paths import shipped
from switch.gateway.protocol import Gain, SetGains
from switch.media.codecs import (
    CLOCK_SCALE_OF_CODEC,
    CODEC_BY_NAME,
    DECODE,
    FRAME_SAMPLES,
    PCMU,
    encode,
)
from switch.media.coders import DEFAULT_BITRATE
from switch.media.g722 import encode_g722, first_state
from switch.media.opus import OpusStates, encode_opus

PAYLOAD_TYPES: Final = {"PCMU": 0, "G722": 9, "OPUS": 111}
_SPOKEN: Final = ("welcome", "main-menu", "about", "closed")
_GAIN: Final = 0.8
"""Anything but 1 must be decoded, multiplied and encoded again: such a bridge cannot be relayed."""
_ROOM: Final = 1024
_ROUNDS: Final = 3

Frames = NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecFigures:
    """One codec against G.711."""

    codec: str
    legs: int
    library_us: float
    """CPU to decode one frame and to encode one: a bare loop with the codec above one without."""
    leg_us: float
    """What the same costs in a gateway: CPU for a frame each way above what it is for G.711."""
    plain_us: float
    """CPU of a leg with G.711 for a frame each way."""
    load_reached: float
    """Share of the packets that were handled, the lesser of all runs."""

    @property
    def ratio(self) -> float:
        """The leg as a multiple of its library."""
        return self.leg_us / self.library_us


async def measure_codec(
    codec: str, legs: int, seconds: float, ports: str = RTP_PORTS
) -> CodecFigures:
    """Compare, in rounds by turns. Raises MediaUnavailableError, TimeoutError."""
    frames = _speech()
    work = Work(kind=OPUS if codec == "OPUS" else G722)
    spoken = _sentences(codec, frames)
    plain = _sentences("PCMU", frames)
    costs: dict[str, list[float]] = {codec: [], "PCMU": []}
    bare: dict[bool, list[float]] = {True: [], False: []}
    reached = 1.0
    for _ in range(_ROUNDS):
        for works, passed in bare.items():
            done = work if works else Work()
            passed.append(await asyncio.to_thread(passed_on, spoken, done, legs, seconds))
        for name, spent in costs.items():
            speech = spoken if name == codec else plain
            window = await _mixed(name, speech, legs, seconds, ports)
            handled = 50 * legs * window.seconds
            reached = min(reached, min(window.packets_received, window.packets_sent) / handled)
            spent.append(1e6 * window.cpu_s / max(window.packets_received, 1))
    g711 = float(np.median(costs["PCMU"]))
    return CodecFigures(
        codec=codec,
        legs=legs,
        library_us=round(float(np.median(bare[True]) - np.median(bare[False])), 2),
        leg_us=round(float(np.median(costs[codec])) - g711, 2),
        plain_us=round(g711, 2),
        load_reached=round(reached, 3),
    )


def _sentences(codec: str, frames: Frames) -> Sentences:
    step = FRAME_SAMPLES * CLOCK_SCALE_OF_CODEC[CODEC_BY_NAME[codec]]
    return Sentences(payloads_of(codec, frames), PAYLOAD_TYPES[codec], step)


async def _mixed(codec: str, speech: Sentences, legs: int, seconds: float, ports: str) -> Window:
    parties = Speakers(legs, speech)
    try:
        with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
            async with GatewayRun(Path(folder), ports) as run:
                kind = PAYLOAD_TYPES[codec]
                made = await run.legs(parties.ports, codec=codec, payload_type=kind)
                gains: list[Gain] = []
                for (one, _), (other, _) in zip(made[::2], made[1::2], strict=True):
                    gains.append(Gain(listener=one, source=other, gain=_GAIN))
                    gains.append(Gain(listener=other, source=one, gain=_GAIN))
                run.send(SetGains(gains=tuple(gains)))
                parties.start([port for _, port in made])
                await asyncio.sleep(WARM_UP_S)
                return await run.window(seconds)
    finally:
        parties.close()


def _speech() -> Frames:
    """Shipped prompts, in frames of 20 ms: (frames, 160)."""
    folder = shipped("prompts") / "en"
    octets = b"".join((folder / f"{name}.ulaw").read_bytes() for name in _SPOKEN)
    sound: Frames = DECODE[PCMU][np.frombuffer(octets, dtype=np.uint8)]
    return sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


def payloads_of(codec: str, frames: Frames) -> list[bytes]:
    """The frames, coded one after the other."""
    if codec == "PCMU":
        return [encode(frame, PCMU).tobytes() for frame in frames]
    octets = np.zeros((len(frames), _ROOM), dtype=np.uint8)
    sizes = np.zeros(len(frames), dtype=np.int64)
    _encode_all(codec, frames, octets, sizes)
    return [row[:size].tobytes() for row, size in zip(octets, sizes.tolist(), strict=True)]


def _encode_all(
    codec: str, frames: Frames, octets: NDArray[np.uint8], sizes: NDArray[np.int64]
) -> None:
    if codec == "G722":
        _encode_g722(first_state(), frames, octets, sizes)
        return
    states = OpusStates()
    encoder = states.take_encoder(DEFAULT_BITRATE, use_fec=False)
    _encode_opus(encoder, frames, octets, sizes)
    states.give_back_encoder(encoder)


def _compiled(function: Any) -> Any:
    return numba.njit(nogil=True, error_model="numpy")(function)


@_compiled
def _encode_opus(encoder: int, frames: Frames, octets: Any, sizes: Any) -> None:
    for i in range(len(frames)):
        sizes[i] = encode_opus(encoder, frames[i], FRAME_SAMPLES, octets[i], 0, _ROOM)


@_compiled
def _encode_g722(state: Any, frames: Frames, octets: Any, sizes: Any) -> None:
    for i in range(len(frames)):
        encode_g722(state, frames[i], FRAME_SAMPLES, octets[i], 0)
        sizes[i] = FRAME_SAMPLES
