"""What the media gateway costs, measured from outside: bridged calls over real loopback sockets.

The gateway is a child process as in production; the parties are another process. CPU is what the
kernel counts for the gateway, all its threads included.

    python -m cti.bench.media --calls 1000 --seconds 10 [--recorded]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from cti.bench.floor import FLOOR_S, relay_floor
from cti.bench.processes import usage
from cti.bench.recorded import lacking
from cti.bench.rtp_load import LoadResult, RtpLoad
from cti.bench.rtp_parties import packets_of_each
from cti.serving_limits import raise_open_files
from switch.errors import MediaUnavailableError
from switch.gateway.client import GatewayClient
from switch.gateway.process import GatewayProcess
from switch.gateway.protocol import (
    AddLeg,
    ConfigureLeg,
    Event,
    Gain,
    GatewayStats,
    GetStats,
    LegFailed,
    RecordingFailed,
    RecordingFinished,
    RemoveLeg,
    SetGains,
    StartRecording,
    StopRecording,
)
from switch.ids import LegId, RecordingId

ADDRESS: Final = "127.0.0.1"
WARM_UP_S: Final = 1.5
_WAIT_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFigures:
    """One measurement."""

    calls: int
    recorded: bool
    seconds: float
    cpu_percent: float
    """Of one core, at the load that was reached."""
    load_reached: float
    """Share of the packets that so many calls send in that time; below 1 the machine was too busy."""
    kernel_share: float
    """Of that CPU time, spent in the kernel; 0 to 1."""
    cpu_ms_per_call_second: float
    """By the packets that were handled: 100 in and 100 out are one call and second."""
    lateness_p50_ms: float
    lateness_p99_ms: float
    lateness_max_ms: float
    ticks_dropped: int
    packets_sent: int
    """By the parties."""
    packets_lost: int
    """Sent by a party and not heard by its peer."""
    packets_dropped: int
    """Of those, dropped by the gateway by its own count."""
    delay_p50_ms: float
    """From one party's send to the other's receipt, both in the generator."""
    delay_p99_ms: float
    generator_slipped_s: float
    """More than a few milliseconds: the machine was too busy for figures that mean anything."""
    resident_mib: float
    recordings_whole: int
    """Recordings that were finished and in which each packet of both parties stands."""
    recorded_packets_lacking: int
    """Packets that were sent and stand in no recording."""
    floor_us: float
    """CPU time of one packet received and sent on by a bare loop in the gateway's place, measured in
    the same run: see `cti.bench.floor`."""
    times_floor: float
    """The gateway's CPU time as a multiple of that for the same packets."""


_START: Final = """
import argparse
from cti.cli import gateway
parser = argparse.ArgumentParser()
gateway.add_parser(parser.add_subparsers())
raise SystemExit(gateway.run(parser.parse_args()))
"""


def gateway_command(socket_path: Path, ports: str = "16000-31999") -> list[str]:
    """How to start the gateway that is measured: `switchroom gateway`, without the other commands."""
    options = ["--socket", str(socket_path), "--rtp-address", ADDRESS, "--rtp-ports", ports]
    return [sys.executable, "-c", _START, "gateway", *options]


async def measure(
    calls: int,
    seconds: float,
    *,
    recorded: bool = False,
    ports: str = "16000-31999",
    command: Sequence[str] | None = None,
) -> MediaFigures:
    """Bridge `calls` calls for `seconds` and measure. Raises MediaUnavailableError."""
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        path = Path(folder)
        run = _Run(path, command or gateway_command(path / "gateway.sock", ports))
        try:
            return await run.measure(calls, seconds, recorded)
        finally:
            await run.close()


class _Run:
    """One gateway, one generator."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self._folder = folder
        self._stats: asyncio.Future[GatewayStats] | None = None
        self._refused: list[str] = []
        self._finished: list[RecordingFinished] = []
        self._failed: list[str] = []
        self._client = GatewayClient(
            on_event=self._on_event, on_lost=lambda why: self._gateway.lost(why)
        )
        self._gateway = GatewayProcess(
            command,
            folder / "gateway.sock",
            self._client,
            on_ready=lambda welcome: None,
            on_lost=lambda why: None,
        )
        self._load: RtpLoad | None = None

    async def measure(self, calls: int, seconds: float, recorded: bool) -> MediaFigures:
        floor_us = await asyncio.to_thread(relay_floor, 2 * calls, min(seconds, FLOOR_S))
        welcome = await self._gateway.start()
        self._load = load = RtpLoad(ADDRESS, 2 * calls)
        gateway_ports = await self._bridge(load.ports, recorded)
        length = WARM_UP_S + seconds
        load.start(gateway_ports, length)
        await asyncio.sleep(WARM_UP_S)
        earlier = await self._ask_stats()
        before = usage(welcome.pid)
        await asyncio.sleep(seconds)
        used = usage(welcome.pid).since(before)
        stats = await self._ask_stats()
        resident = usage(welcome.pid).resident
        handled = stats.packets_received - earlier.packets_received
        result = await asyncio.to_thread(load.result, length + _WAIT_S)
        if recorded:
            await self._stop_recordings(calls)
        for leg in range(2 * calls):
            self._client.send(RemoveLeg(leg=_leg(leg)))
        return _figures(
            calls, recorded, seconds, handled, floor_us,
            used.cpu_s, used.system_s, resident, stats, result,
            lacking((Path(done.path) for done in self._finished), packets_of_each(length)),
        )  # fmt: skip

    async def close(self) -> None:
        if self._load is not None:
            self._load.close()
        await self._gateway.stop()

    async def _bridge(self, party_ports: list[int], recorded: bool) -> list[int]:
        ports = []
        for i, party in enumerate(party_ports):
            port = await self._port()
            ports.append(port)
            self._client.send(AddLeg(leg=_leg(i), port=port))
            self._client.send(
                ConfigureLeg(
                    leg=_leg(i),
                    remote_address=ADDRESS,
                    remote_port=party,
                    codec="PCMU",
                    payload_type=0,
                    telephone_event_payload_type=101,
                )
            )
        for i in range(0, len(party_ports), 2):
            one, other = _leg(i), _leg(i + 1)
            self._client.send(
                SetGains(gains=(Gain(listener=one, source=other), Gain(listener=other, source=one)))
            )
            if recorded:
                path = self._folder / f"recording-{i // 2}"
                self._client.send(
                    StartRecording(
                        recording=RecordingId(f"r{i // 2}"),
                        path=str(path),
                        left=(one,),
                        right=(other,),
                    )
                )
        made = (await self._ask_stats()).legs
        if made < len(party_ports):
            why = "; ".join(sorted(set(self._refused))[:3]) or "it says nothing"
            raise MediaUnavailableError(f"{made} of {len(party_ports)} legs were made: {why}")
        return ports

    async def _port(self) -> int:
        """A port; waits for more to be reserved."""
        for _ in range(1000):
            try:
                return self._client.take_port()
            except MediaUnavailableError:
                await asyncio.sleep(0.02)
        raise MediaUnavailableError("the gateway's port range is too small for this many calls")

    async def _stop_recordings(self, calls: int) -> None:
        for i in range(calls):
            self._client.send(StopRecording(recording=RecordingId(f"r{i}")))
        for _ in range(int(_WAIT_S / 0.05)):
            if len(self._finished) + len(self._failed) >= calls:
                return
            await asyncio.sleep(0.05)

    async def _ask_stats(self) -> GatewayStats:
        self._stats = asyncio.get_running_loop().create_future()
        self._client.send(GetStats())
        async with asyncio.timeout(_WAIT_S):
            return await self._stats

    def _on_event(self, event: Event) -> None:
        match event:
            case GatewayStats() if self._stats is not None and not self._stats.done():
                self._stats.set_result(event)
            case RecordingFinished():
                self._finished.append(event)
            case RecordingFailed(reason=reason):
                self._failed.append(reason)
            case LegFailed(reason=reason):
                self._refused.append(reason)
            case _:
                pass


def _leg(number: int) -> LegId:
    return LegId(f"leg-{number}")


def _figures(
    calls: int,
    recorded: bool,
    seconds: float,
    handled: int,
    floor_us: float,
    cpu_s: float,
    system_s: float,
    resident: int,
    stats: GatewayStats,
    result: LoadResult,
    lacks: list[int],
) -> MediaFigures:
    return MediaFigures(
        calls=calls,
        recorded=recorded,
        seconds=seconds,
        cpu_percent=round(100 * cpu_s / seconds, 1),
        load_reached=round(handled / (calls * 100 * seconds), 3),
        kernel_share=round(system_s / cpu_s, 3) if cpu_s else 0.0,
        cpu_ms_per_call_second=round(1000 * cpu_s / max(handled / 100, 1), 3),
        lateness_p50_ms=stats.lateness_p50_ms,
        lateness_p99_ms=stats.lateness_p99_ms,
        lateness_max_ms=stats.lateness_max_ms,
        ticks_dropped=stats.ticks_dropped,
        packets_sent=result.sent,
        packets_lost=result.sent - result.received_from_peer,
        packets_dropped=stats.packets_dropped,
        delay_p50_ms=round(result.delay_p50_ms, 3),
        delay_p99_ms=round(result.delay_p99_ms, 3),
        generator_slipped_s=round(result.slipped_s, 3),
        resident_mib=round(resident / 2**20, 1),
        recordings_whole=lacks.count(0),
        recorded_packets_lacking=sum(lacks),
        floor_us=round(floor_us, 2),
        times_floor=round(1e6 * cpu_s / max(handled * floor_us, 1.0), 2),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure once and print a table."""
    parser = argparse.ArgumentParser(prog="python -m cti.bench.media", description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--recorded", action="store_true")
    parser.add_argument("--rtp-ports", default="16000-31999", metavar="LOW-HIGH")
    args = parser.parse_args(argv)
    raise_open_files()
    try:
        figures = asyncio.run(
            measure(args.calls, args.seconds, recorded=args.recorded, ports=args.rtp_ports)
        )
    except MediaUnavailableError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for field in fields(figures):
        sys.stdout.write(f"{field.name:24} {getattr(figures, field.name)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
