"""What calls cost and how fast they are, measured from outside over real sockets.

Callers and agents are `cti.bench.sip_load`; the server is a process of its own. CPU is what the
kernel counts for call agent and gateway together.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.bench.caller_leg import CallRecord
from cti.bench.server import MeasuredServer, measured_server
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import CallerPool
from cti.client import ApiClient
from cti.paths import shipped
from cti.schema import Event, EventType

WARM_UP_CALLS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """One measurement of set-up and tear-down."""

    rate: float
    calls: int
    failures: int
    statuses: dict[int, int]
    cpu_ms: float
    """Of call agent and gateway, a call, set-up to tear-down."""
    call_agent_cpu_ms: float
    kernel_share: float
    invite_p50_ms: float
    """Caller's INVITE to agent's INVITE, as the generator sends and receives."""
    invite_p95_ms: float
    invite_max_ms: float
    answer_p95_ms: float
    """Caller's INVITE to its 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PopFigures:
    """Screen pop against the agent's INVITE, by time of receipt in one process."""

    calls: int
    pop_first: int
    """Calls in which the card came before the INVITE."""
    lead_p50_ms: float
    """How much earlier."""
    lead_p5_ms: float
    invite_p95_ms: float
    """Caller's INVITE to agent's INVITE with the pop in between."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie; 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextlib.contextmanager
def rtp_sink() -> Iterator[int]:
    """A port that takes RTP and reads none of it: what calls cost, not what sound costs.

    It is open, as those of phones are: a closed one would answer each packet with an ICMP error.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        yield sink.getsockname()[1]


async def measure_calls(
    rate: float, calls: int, *, called: str = "4101", talk_s: float = 1.0
) -> CallFigures:
    """Set up and tear down `calls` calls at `rate` a second through an entry of the lab."""
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        async with measured_server(Path(folder)) as server:
            with rtp_sink() as rtp_port:
                return await _measure_calls(server, rate, calls, called, talk_s, rtp_port)


async def _measure_calls(
    server: MeasuredServer, rate: float, calls: int, called: str, talk_s: float, rtp_port: int
) -> CallFigures:
    agents = AgentPool(host="127.0.0.1", port=server.agent_port, rtp_port=rtp_port)
    callers = CallerPool(
        host="127.0.0.1",
        server=server.sip,
        rtp_port=rtp_port,
        called=called,
        talk_s=talk_s,
    )
    await agents.open()
    await callers.open()
    try:
        await callers.run(min(rate, 50.0), WARM_UP_CALLS)
        callers.records.clear()
        before = server.usage()
        await callers.run(rate, calls)
        used = server.usage().since(before)
    finally:
        callers.close()
        agents.close()
    records = callers.records
    waits = invite_waits(records, agents.invited)
    answers = [1000 * (r.answered - r.invited) for r in records if r.answered]
    statuses = Counter(record.status for record in records)
    system = used.call_agent.system_s + used.gateway.system_s
    return CallFigures(
        rate=rate,
        calls=len(records),
        failures=len(records) - statuses[200],
        statuses=dict(statuses),
        cpu_ms=1000 * used.cpu_s / len(records),
        call_agent_cpu_ms=1000 * used.call_agent.cpu_s / len(records),
        kernel_share=system / used.cpu_s,
        invite_p50_ms=percentile(waits, 0.5),
        invite_p95_ms=percentile(waits, 0.95),
        invite_max_ms=max(waits, default=0.0),
        answer_p95_ms=percentile(answers, 0.95),
    )


def invite_waits(records: Sequence[CallRecord], invited: dict[str, float]) -> list[float]:
    """Caller's INVITE to agent's INVITE of each call that came so far, milliseconds."""
    return [
        1000 * (invited[record.token] - record.invited)
        for record in records
        if record.token in invited
    ]


# --- screen pops --------------------------------------------------------------------------------


async def measure_pops(calls: int, *, rate: float = 20.0, desks: int = 25) -> PopFigures:
    """Offer calls to the 25 agents of `sales`, each with a connected desk, all in this process."""
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        config = Path(folder) / "lab.toml"
        config.write_text(_with_fixed_phones(), encoding="utf-8")
        async with measured_server(Path(folder), config=config) as server:
            with rtp_sink() as rtp_port:
                return await _measure_pops(server, calls, rate, desks, rtp_port)


def _with_fixed_phones() -> str:
    """The lab with all phones at the load agents' address and no wrap-up: no phone registers."""
    text = shipped("lab.toml").read_text(encoding="utf-8")
    fixed = text.replace('password = "lab-{number}"', 'binding = "sip:{number}@127.0.0.1:6000"', 1)
    return fixed.replace("wrap_up_s = 5", "wrap_up_s = 0")


async def _measure_pops(
    server: MeasuredServer, calls: int, rate: float, desks: int, rtp_port: int
) -> PopFigures:
    popped: dict[str, float] = {}
    agents = AgentPool(host="127.0.0.1", port=server.agent_port, rtp_port=rtp_port)
    callers = CallerPool(
        host="127.0.0.1", server=server.sip, rtp_port=rtp_port, called="4001", talk_s=0.2
    )
    await agents.open()
    await callers.open()

    async def desk(number: int, ready: asyncio.Event) -> None:
        async with ApiClient(server.url) as client:
            await client.sign_on(f"{1000 + number}", f"desk-{1000 + number}")
            async for item in client.stream():
                if not isinstance(item, Event):
                    if not ready.is_set():
                        await client.set_state("available")
                        ready.set()
                elif item.type is EventType.SCREEN_POP:
                    name = item.data.caller_name  # type: ignore[union-attr]
                    popped.setdefault(name, time.monotonic())
                    await client.ack(item.seq)

    try:
        async with asyncio.TaskGroup() as tasks:
            signs = [asyncio.Event() for _ in range(desks)]
            running = [tasks.create_task(desk(n + 1, ready)) for n, ready in enumerate(signs)]
            for ready in signs:
                async with asyncio.timeout(20.0):
                    await ready.wait()
            await callers.run(rate, calls)
            for task in running:
                task.cancel()
    finally:
        callers.close()
        agents.close()
    leads = [
        1000 * (agents.invited[token] - at)
        for token, at in popped.items()
        if token in agents.invited
    ]
    waits = invite_waits(callers.records, agents.invited)
    return PopFigures(
        calls=len(agents.invited),
        pop_first=sum(lead > 0 for lead in leads),
        lead_p50_ms=statistics.median(leads) if leads else 0.0,
        lead_p5_ms=percentile(leads, 0.05),
        invite_p95_ms=percentile(waits, 0.95),
    )
