"""The whole path of a caller: menu with prompt and digit, queue, agent, recorded, ten seconds in all."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.bench.call_sound import CallSound
from cti.bench.calls import percentile
from cti.bench.server import RTP_PORTS, MeasuredServer, measured_server
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import CallerPool

_ADDRESS: Final = "127.0.0.1"
_CALLED: Final = "4103"
_DIGIT_AFTER_S: Final = 2.0
_WARM_UP: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuFigures:
    """One measurement."""

    rate: float
    calls: int
    failures: int
    """Calls that were not answered, and those whose digit led to no agent."""
    cpu_ms: float
    """Of call agent and gateway, a call, from its INVITE to its BYE; sound both ways included."""
    call_agent_cpu_ms: float
    digit_p50_ms: float
    """End of the digit (its first packet with the end bit) to the agent's INVITE."""
    digit_p95_ms: float
    digit_max_ms: float


async def measure_menu(
    rate: float, calls: int, *, call_s: float = 10.0, ports: str = RTP_PORTS
) -> MenuFigures:
    """Let `calls` callers at `rate` a second go through a menu; both sides speak all the time."""
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        async with measured_server(Path(folder), rtp_ports=ports) as server:
            sound = CallSound(_ADDRESS)
            sound.open()
            try:
                return await _measure(server, sound, rate, calls, call_s)
            finally:
                await sound.close()


async def _measure(
    server: MeasuredServer, sound: CallSound, rate: float, calls: int, call_s: float
) -> MenuFigures:
    agents = AgentPool(host=_ADDRESS, port=server.agent_port, rtp_port=sound.port, sound=sound)
    callers = CallerPool(
        host=_ADDRESS,
        server=server.sip,
        rtp_port=sound.port,
        called=_CALLED,
        talk_s=call_s,
        digit="1",
        digit_after_s=min(_DIGIT_AFTER_S, call_s / 2),
        sound=sound,
    )
    await agents.open()
    await callers.open()
    try:
        callers.talk_s = min(call_s, _DIGIT_AFTER_S + 1.0)
        await callers.run(rate, _WARM_UP)
        callers.records.clear()
        callers.talk_s = call_s
        before = server.usage()
        await callers.run(rate, calls)
        used = server.usage().since(before)
    finally:
        callers.close()
        agents.close()
    records = callers.records
    waits = [
        1000 * (agents.invited[record.token] - record.digit_ended)
        for record in records
        if record.digit_ended and record.token in agents.invited
    ]
    return MenuFigures(
        rate=rate,
        calls=len(records),
        failures=len(records) - len(waits),
        cpu_ms=round(1000 * used.cpu_s / len(records), 2),
        call_agent_cpu_ms=round(1000 * used.call_agent.cpu_s / len(records), 2),
        digit_p50_ms=round(percentile(waits, 0.5), 2),
        digit_p95_ms=round(percentile(waits, 0.95), 2),
        digit_max_ms=round(max(waits, default=0.0), 2),
    )
