"""What several gateways cost beside one: the same bridged calls, shared evenly among them.

A gateway has a clock, a relay and figures of its own, so the same calls on two cost somewhat more in all,
and each of them has a core to itself. No call crosses from one to another, as most do not.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cti.bench.gateway_run import GatewayRun, Window
from cti.bench.media import ADDRESS
from cti.bench.rtp_load import RtpLoad
from cti.bench.server import RTP_PORTS
from cti.ranges import port_range, port_shares
from switch.gateway.protocol import Gain, SetGains

_WARM_UP_S: Final = 1.5
_WAIT_S: Final = 120.0
_ROUNDS: Final = 3
"""By turns, so that a machine that gets slower or faster does so for both."""
_PACKETS: Final = 100
"""A second, that the gateways receive of one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaysFigures:
    """The same calls on one gateway, and on several; medians of some rounds."""

    calls: int
    gateways: int
    alone_ms: float
    """CPU time of the one gateway, a call and second."""
    shared_ms: float
    """Of all gateways together."""
    alone_p99_ms: float
    """Lateness of its ticks."""
    shared_p99_ms: float
    """Of the latest of them."""
    load_reached: float
    """Share of the packets that were handled, the lesser of all rounds."""

    @property
    def ratio(self) -> float:
        """All of them together as a multiple of the one."""
        return self.shared_ms / self.alone_ms if self.alone_ms else 0.0


async def measure_gateways(
    calls: int, gateways: int, seconds: float, ports: str = RTP_PORTS, rounds: int = _ROUNDS
) -> GatewaysFigures:
    """Compare, in rounds by turns. Raises MediaUnavailableError, TimeoutError."""
    measured: dict[int, list[_Round]] = {1: [], gateways: []}
    for _ in range(rounds):
        for count, done in measured.items():
            done.append(_Round.of(await _bridged(calls, count, seconds, ports), calls))
    alone, shared = measured[1], measured[gateways]
    return GatewaysFigures(
        calls=calls,
        gateways=gateways,
        alone_ms=round(float(np.median([each.cpu_ms for each in alone])), 3),
        shared_ms=round(float(np.median([each.cpu_ms for each in shared])), 3),
        alone_p99_ms=round(float(np.median([each.p99_ms for each in alone])), 3),
        shared_p99_ms=round(float(np.median([each.p99_ms for each in shared])), 3),
        load_reached=round(min(each.reached for each in (*alone, *shared)), 3),
    )


@dataclass(frozen=True, slots=True)
class _Round:
    """All gateways of one round together."""

    cpu_ms: float
    p99_ms: float
    reached: float

    @classmethod
    def of(cls, windows: list[Window], calls: int) -> _Round:
        """By the packets that were handled, as a busy machine handles fewer."""
        handled = sum(window.packets_received for window in windows)
        due = sum(_PACKETS * calls / len(windows) * window.seconds for window in windows)
        return cls(
            cpu_ms=1000 * sum(window.cpu_s for window in windows) / max(handled / _PACKETS, 1),
            p99_ms=max(window.lateness_p99_ms for window in windows),
            reached=handled / due,
        )


async def _bridged(calls: int, count: int, seconds: float, ports: str) -> list[Window]:
    """So many calls on so many gateways, one after the other to each; what each of them did."""
    load = RtpLoad(ADDRESS, 2 * calls)
    try:
        async with AsyncExitStack() as running:
            shares = port_shares(*port_range(ports, "ports"), count)
            runs = [await _started(running, low, high) for low, high in shares]
            gateway_ports = [0] * (2 * calls)
            for number, run in enumerate(runs):
                await _bridge(run, load.ports, gateway_ports, range(number, calls, count))
            load.start(gateway_ports, _WARM_UP_S + seconds)
            await asyncio.sleep(_WARM_UP_S)
            async with asyncio.TaskGroup() as measuring:
                windows = [measuring.create_task(run.window(seconds)) for run in runs]
            await asyncio.to_thread(load.result, _WAIT_S)
            return [window.result() for window in windows]
    finally:
        load.close()


async def _started(running: AsyncExitStack, low: int, high: int) -> GatewayRun:
    """A gateway with these ports, until all are stopped."""
    folder = running.enter_context(tempfile.TemporaryDirectory(prefix="switchroom-bench-"))
    return await running.enter_async_context(GatewayRun(Path(folder), f"{low}-{high}"))


async def _bridge(
    run: GatewayRun, parties: list[int], gateway_ports: list[int], calls: range
) -> None:
    """Bridge these calls at one gateway, and note its ports beside those of the parties."""
    sides = [side for call in calls for side in (2 * call, 2 * call + 1)]
    legs = await run.legs([parties[side] for side in sides])
    for side, (_, port) in zip(sides, legs, strict=True):
        gateway_ports[side] = port
    gains: list[Gain] = []
    for (one, _), (other, _) in zip(legs[::2], legs[1::2], strict=True):
        gains += [Gain(listener=one, source=other), Gain(listener=other, source=one)]
    run.send(SetGains(gains=tuple(gains)))
