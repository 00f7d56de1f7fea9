"""What mixed sound costs: bridges that must be mixed, a conference, a prompt to everybody; and delay.

The gateway is a process as in production, the parties are others. CPU is what the kernel counts for
the gateway, all its threads.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.bench.gateway_run import GatewayRun, Window
from cti.bench.media import ADDRESS, measure
from cti.bench.rtp_listeners import RtpListeners
from cti.bench.rtp_load import RtpLoad
from cti.bench.server import RTP_PORTS
from switch.gateway.protocol import Gain, Play, Prompt, SetGains
from switch.ids import PlayerId

_WARM_UP_S: Final = 1.5
_WAIT_S: Final = 120.0
_GAIN: Final = 0.8
"""Anything but 1 must be decoded, multiplied and encoded again: such a bridge cannot be relayed."""
_PROMPT: Final = Prompt(name="en/main-menu")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFigures:
    """One measurement."""

    legs: int
    cpu_percent: float
    """Of one core."""
    kernel_share: float
    lateness_p50_ms: float
    lateness_p99_ms: float
    ticks_dropped: int
    packets_received: int
    """By the gateway in the window."""
    packets_sent: int
    load_reached: float
    """Share of the packets that the gateway should have received and sent in that time, the lesser."""
    sent_us: float
    """CPU time by packets sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayFigures:
    """From one party's send to the other's receipt, through the gateway and without it."""

    calls: int
    direct_p50_ms: float
    direct_p99_ms: float
    relayed_p50_ms: float
    relayed_p99_ms: float

    @property
    def added_p50_ms(self) -> float:
        """What the gateway adds to the middle packet."""
        return max(0.0, self.relayed_p50_ms - self.direct_p50_ms)

    @property
    def added_p99_ms(self) -> float:
        """What it adds to the slow ones."""
        return max(0.0, self.relayed_p99_ms - self.direct_p99_ms)


async def measure_mixing(calls: int, seconds: float, ports: str = RTP_PORTS) -> SoundFigures:
    """Bridge `calls` calls so that every frame is decoded, mixed and encoded."""
    load = RtpLoad(ADDRESS, 2 * calls)
    try:
        with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
            async with GatewayRun(Path(folder), ports) as run:
                legs = await run.legs(load.ports)
                gains: list[Gain] = []
                for (one, _), (other, _) in zip(legs[::2], legs[1::2], strict=True):
                    gains += [
                        Gain(listener=one, source=other, gain=_GAIN),
                        Gain(listener=other, source=one, gain=_GAIN),
                    ]
                run.send(SetGains(gains=tuple(gains)))
                load.start([port for _, port in legs], _WARM_UP_S + seconds)
                await asyncio.sleep(_WARM_UP_S)
                window = await run.window(seconds)
                await asyncio.to_thread(load.result, _WAIT_S)
                return _figures(2 * calls, 2 * calls, window)
    finally:
        load.close()


async def measure_conference(
    listeners: int, speakers: int, seconds: float, ports: str = RTP_PORTS
) -> SoundFigures:
    """A room in which all hear the speakers; listeners are muted and send nothing."""
    audience = RtpListeners(ADDRESS, listeners)
    load = RtpLoad(ADDRESS, speakers)
    try:
        with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
            async with GatewayRun(Path(folder), ports) as run:
                speaking = await run.legs(load.ports)
                hearing = await run.legs(audience.ports, receive=False)
                for listener, _ in (*speaking, *hearing):
                    run.send(
                        SetGains(
                            gains=tuple(
                                Gain(listener=listener, source=speaker)
                                for speaker, _ in speaking
                                if speaker != listener
                            )
                        )
                    )
                load.start([port for _, port in speaking], _WARM_UP_S + seconds)
                await asyncio.sleep(_WARM_UP_S)
                window = await run.window(seconds)
                await asyncio.to_thread(load.result, _WAIT_S)
                return _figures(listeners + speakers, speakers, window)
    finally:
        load.close()
        audience.close()


async def measure_prompt(legs: int, seconds: float, ports: str = RTP_PORTS) -> SoundFigures:
    """A prompt to many legs, each from its own beginning, as callers hear it."""
    audience = RtpListeners(ADDRESS, legs)
    try:
        with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
            async with GatewayRun(Path(folder), ports) as run:
                hearing = await run.legs(audience.ports, receive=False)
                for number, (leg, _) in enumerate(hearing):
                    player = PlayerId(f"player-{number}")
                    run.send(Play(player=player, items=(_PROMPT,), listeners=(leg,), loop=True))
                    if number % 100 == 0:
                        await asyncio.sleep(0.03)
                await asyncio.sleep(_WARM_UP_S)
                return _figures(legs, 0, await run.window(seconds))
    finally:
        audience.close()


async def measure_delay(calls: int, seconds: float, ports: str = RTP_PORTS) -> DelayFigures:
    """The same parties through the gateway, and straight to each other."""
    relayed = await measure(calls, seconds, ports=ports)
    load = RtpLoad(ADDRESS, 2 * calls)
    try:
        crossed = [port for pair in _pairs(load.ports) for port in reversed(pair)]
        load.start(crossed, seconds)
        direct = await asyncio.to_thread(load.result, seconds + _WAIT_S)
    finally:
        load.close()
    return DelayFigures(
        calls=calls,
        direct_p50_ms=direct.delay_p50_ms,
        direct_p99_ms=direct.delay_p99_ms,
        relayed_p50_ms=relayed.delay_p50_ms,
        relayed_p99_ms=relayed.delay_p99_ms,
    )


def _pairs(ports: list[int]) -> list[tuple[int, int]]:
    return list(zip(ports[::2], ports[1::2], strict=True))


def _figures(legs: int, speaking: int, window: Window) -> SoundFigures:
    """All legs hear something in every frame; so many speak."""
    frames = 50 * window.seconds
    reached = window.packets_sent / (legs * frames)
    if speaking:
        reached = min(reached, window.packets_received / (speaking * frames))
    return SoundFigures(
        legs=legs,
        cpu_percent=round(window.cpu_percent, 1),
        kernel_share=round(window.kernel_share, 3),
        lateness_p50_ms=round(window.lateness_p50_ms, 3),
        lateness_p99_ms=round(window.lateness_p99_ms, 3),
        ticks_dropped=window.ticks_dropped,
        packets_received=window.packets_received,
        packets_sent=window.packets_sent,
        load_reached=round(reached, 3),
        sent_us=round(1e6 * window.cpu_s / max(window.packets_sent, 1), 2),
    )
