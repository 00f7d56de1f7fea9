"""A gateway process to be measured, driven by the control protocol without a call agent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec

from cti.bench.media import ADDRESS, gateway_command
from cti.bench.processes import usage
from cti.paths import shipped
from switch.errors import MediaUnavailableError
from switch.gateway.client import GatewayClient
from switch.gateway.process import GatewayProcess
from switch.gateway.protocol import (
    AddLeg,
    Command,
    ConfigureLeg,
    Event,
    GatewayStats,
    GetStats,
    LegFailed,
    SrtpKeys,
)
from switch.ids import LegId

_WAIT_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What the gateway used and did in some seconds."""

    seconds: float
    cpu_s: float
    system_s: float
    crypt_s: float
    """To encrypt and decrypt."""
    packets_received: int
    packets_sent: int
    lateness_p50_ms: float
    lateness_p99_ms: float
    lateness_max_ms: float
    ticks_dropped: int
    packets_dropped: int

    @property
    def cpu_percent(self) -> float:
        """Of one core."""
        return 100 * self.cpu_s / self.seconds

    @property
    def kernel_share(self) -> float:
        """Of the CPU time; 0 to 1."""
        return self.system_s / self.cpu_s if self.cpu_s else 0.0


class GatewayRun:
    """One gateway: `async with GatewayRun(folder, ports) as run`."""

    def __init__(self, folder: Path, ports: str) -> None:
        self._stats: asyncio.Future[GatewayStats] | None = None
        self._client = GatewayClient(
            on_event=self._on_event, on_lost=lambda why: self._process.lost(why)
        )
        path = folder / "gateway.sock"
        self._process = GatewayProcess(
            [*gateway_command(path, ports), "--prompts", str(shipped("prompts"))],
            path,
            self._client,
            on_ready=lambda welcome: None,
            on_lost=lambda why: None,
        )
        self._pid = 0
        self._legs = 0
        self._settings: list[ConfigureLeg] = []
        self._refused: list[str] = []

    async def __aenter__(self) -> Self:
        """Start it. Raises MediaUnavailableError."""
        self._pid = (await self._process.start()).pid
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._process.stop()

    def send(self, command: Command) -> None:
        """Queue a command."""
        self._client.send(command)

    async def legs(
        self,
        remote_ports: Sequence[int],
        *,
        receive: bool = True,
        codec: str = "PCMU",
        payload_type: int = 0,
        srtp: SrtpKeys | None = None,
    ) -> list[tuple[LegId, int]]:
        """A leg for each party, with the gateway's port. Raises MediaUnavailableError."""
        made = []
        for remote in remote_ports:
            port = await self._port()
            leg = LegId(f"leg-{self._legs}")
            self._legs += 1
            self.send(AddLeg(leg=leg, port=port))
            settings = ConfigureLeg(
                leg=leg,
                remote_address=ADDRESS,
                remote_port=remote,
                codec=codec,
                payload_type=payload_type,
                telephone_event_payload_type=101,
                receive=receive,
                srtp=srtp,
            )
            self.send(settings)
            self._settings.append(settings)
            made.append((leg, port))
        there = (await self.stats()).legs
        if there < self._legs:
            why = "; ".join(sorted(set(self._refused))[:3]) or "it says nothing"
            raise MediaUnavailableError(f"{there} of {self._legs} legs were made: {why}")
        return made

    def secure(self, srtp: SrtpKeys | None) -> None:
        """Encrypt what all legs send and receive from now on; None: in clear."""
        for settings in self._settings:
            self.send(msgspec.structs.replace(settings, srtp=srtp))

    async def window(self, seconds: float) -> Window:
        """Measure for so long."""
        earlier, before = await self.stats(), usage(self._pid)
        await asyncio.sleep(seconds)
        used, later = usage(self._pid).since(before), await self.stats()
        return Window(
            seconds=later.uptime_s - earlier.uptime_s,
            cpu_s=used.cpu_s,
            system_s=used.system_s,
            crypt_s=later.crypt_s - earlier.crypt_s,
            packets_received=later.packets_received - earlier.packets_received,
            packets_sent=later.packets_sent - earlier.packets_sent,
            lateness_p50_ms=later.lateness_p50_ms,
            lateness_p99_ms=later.lateness_p99_ms,
            lateness_max_ms=later.lateness_max_ms,
            ticks_dropped=later.ticks_dropped - earlier.ticks_dropped,
            packets_dropped=later.packets_dropped - earlier.packets_dropped,
        )

    async def stats(self) -> GatewayStats:
        """The gateway's counters now. Raises TimeoutError."""
        self._stats = asyncio.get_running_loop().create_future()
        self.send(GetStats())
        async with asyncio.timeout(_WAIT_S):
            return await self._stats

    async def _port(self) -> int:
        for _ in range(1500):
            try:
                return self._client.take_port()
            except MediaUnavailableError:
                await asyncio.sleep(0.02)
        raise MediaUnavailableError("the gateway's port range is too small for this many legs")

    def _on_event(self, event: Event) -> None:
        if isinstance(event, LegFailed):
            self._refused.append(event.reason)
        elif isinstance(event, GatewayStats) and self._stats and not self._stats.done():
            self._stats.set_result(event)
