"""Memory of a call that lives, and what a burst of short calls leaves behind."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.bench.calls import WARM_UP_CALLS, rtp_sink
from cti.bench.server import RTP_PORTS, MeasuredServer, ServerUsage, measured_server
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import CallerPool
from cti.tidying import IDLE_S

_ADDRESS: Final = "127.0.0.1"
_CALLED: Final = "4101"
_RATE: Final = 50.0
_SETTLE_S: Final = IDLE_S + 25.0
"""SIP transactions are gone after 32 s; the server tidies up a minute after the last call."""
_STEADY_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFigures:
    """Resident memory of call agent and gateway, MiB."""

    calls: int
    failures: int
    idle_mib: float
    """Before, warmed up."""
    up_mib: float
    """With all calls up."""
    after_mib: float
    """When they are over."""
    burst_calls: int
    burst_mib: float
    """After a burst of short calls, once it has settled."""

    @property
    def mib_per_call(self) -> float:
        """Of a call that lives."""
        return (self.up_mib - self.idle_mib) / self.calls

    @property
    def left_by_burst_mib(self) -> float:
        """What the burst left."""
        return self.burst_mib - self.after_mib


async def measure_memory(
    calls: int, burst_calls: int, burst_rate: float, *, ports: str = RTP_PORTS
) -> MemoryFigures:
    """Let `calls` calls live at once, end them, then make `burst_calls` short ones."""
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        async with measured_server(Path(folder), rtp_ports=ports) as server:
            with rtp_sink() as rtp_port:
                return await _measure(server, rtp_port, calls, burst_calls, burst_rate)


async def _measure(
    server: MeasuredServer, rtp_port: int, calls: int, burst_calls: int, burst_rate: float
) -> MemoryFigures:
    agents = AgentPool(host=_ADDRESS, port=server.agent_port, rtp_port=rtp_port)
    callers = CallerPool(
        host=_ADDRESS, server=server.sip, rtp_port=rtp_port, called=_CALLED, talk_s=0.2
    )
    await agents.open()
    await callers.open()
    try:
        await callers.run(_RATE, WARM_UP_CALLS)
        await asyncio.sleep(_STEADY_S)
        idle = _mib(server.usage())
        callers.records.clear()
        callers.talk_s = calls / _RATE + 2 * _STEADY_S
        calling = asyncio.ensure_future(callers.run(_RATE, calls))
        await asyncio.sleep(calls / _RATE + _STEADY_S)
        live, up = callers.live, _mib(server.usage())
        await calling
        await asyncio.sleep(_SETTLE_S)
        after = _mib(server.usage())
        failures = max(calls - live, sum(record.status != 200 for record in callers.records))
        callers.talk_s = 0.2
        await callers.run(burst_rate, burst_calls)
        await asyncio.sleep(_SETTLE_S)
        burst = _mib(server.usage())
    finally:
        callers.close()
        agents.close()
    return MemoryFigures(
        calls=calls,
        failures=failures,
        idle_mib=round(idle, 1),
        up_mib=round(up, 1),
        after_mib=round(after, 1),
        burst_calls=burst_calls,
        burst_mib=round(burst, 1),
    )


def _mib(used: ServerUsage) -> float:
    return (used.call_agent.resident + used.gateway.resident) / 2**20
