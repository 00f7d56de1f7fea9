"""How many calls a second a server sets up, and what it does when more come.

The server's processes share one core, the generator has the others: the answer is for one core. The
rate rises until calls fail or wait half a second for their answer; then half as much again as the
best rate comes for a while. A server that sheds answers the surplus with 503 at once and goes on with
as many calls as before; one that collapses loses both.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.bench.calls import WARM_UP_CALLS, percentile, rtp_sink
from cti.bench.processes import children
from cti.bench.server import RTP_PORTS, MeasuredServer, measured_server
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import CallerPool

RATES: Final = (50.0, 100.0, 150.0, 200.0, 250.0, 300.0, 350.0, 400.0, 450.0, 500.0, 600.0, 700.0)
_ADDRESS: Final = "127.0.0.1"
_CALLED: Final = "4101"
_TALK_S: Final = 1.0
_OVERLOAD: Final = 1.5
SETUP_MS: Final = 500.0
"""INVITE to 200, p95, at which a rate still counts as carried."""
_STEADY: Final = 0.25
"""Share of the first calls of the overload that is not looked at: shedding takes a moment to set in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rate."""

    rate: float
    calls: int
    statuses: dict[int, int]
    answered_a_second: float
    """Of calls that were wanted in that time."""
    cpu_ms: float
    """Of call agent and gateway, a call that was answered."""
    setup_p95_ms: float
    """INVITE to 200."""

    @property
    def failed(self) -> int:
        """Calls that were not answered with 200."""
        return self.calls - self.statuses.get(200, 0)

    @property
    def is_carried(self) -> bool:
        """Every call was answered, and none queued up behind others: a caller would not wait longer."""
        return not self.failed and self.setup_p95_ms <= SETUP_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityFigures:
    """The whole measurement."""

    steps: tuple[Step, ...]
    best: Step | None
    """The highest rate that is carried; None: not even the lowest is."""
    overload: Step | None
    """Half as much again."""
    one_core: bool

    @property
    def shed(self) -> int:
        """Calls of the overload that were refused with 503."""
        return 0 if self.overload is None else self.overload.statuses.get(503, 0)

    @property
    def goodput(self) -> float:
        """Answered calls a second under overload, as a share of the best rate."""
        if self.best is None or self.overload is None:
            return 0.0
        return self.overload.answered_a_second / self.best.rate


async def measure_capacity(
    seconds: float, *, rates: tuple[float, ...] = RATES, ports: str = RTP_PORTS
) -> CapacityFigures:
    """Raise the rate until calls fail, `seconds` at each; then overload for twice as long."""
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        async with measured_server(Path(folder), rtp_ports=ports) as server:
            with rtp_sink() as rtp_port, _one_core(server) as pinned:
                return await _Climb(server, rtp_port, pinned).run(rates, seconds)


class _Climb:
    def __init__(self, server: MeasuredServer, rtp_port: int, pinned: bool) -> None:
        self._server = server
        self._rtp_port = rtp_port
        self._pinned = pinned
        self._round = 0
        self._agents = AgentPool(host=_ADDRESS, port=server.agent_port, rtp_port=rtp_port)

    async def run(self, rates: tuple[float, ...], seconds: float) -> CapacityFigures:
        steps: list[Step] = []
        best: Step | None = None
        await self._agents.open()
        try:
            await self._step(50.0, WARM_UP_CALLS / 50.0, 0.0)
            for rate in rates:
                step = await self._step(rate, seconds, 0.0)
                if not step.is_carried:
                    # Once more: something else on the machine may have had the core.
                    step = await self._step(rate, seconds, 0.0)
                steps.append(step)
                if not step.is_carried:
                    break
                best = step
            overload = None
            if best is not None:
                overload = await self._step(_OVERLOAD * best.rate, 2 * seconds, _STEADY)
        finally:
            self._agents.close()
        return CapacityFigures(
            steps=tuple(steps), best=best, overload=overload, one_core=self._pinned
        )

    async def _step(self, rate: float, seconds: float, skip: float) -> Step:
        self._round += 1
        callers = CallerPool(
            host=_ADDRESS,
            server=self._server.sip,
            rtp_port=self._rtp_port,
            called=_CALLED,
            talk_s=_TALK_S,
            prefix=f"climb{self._round}x",
        )
        await callers.open()
        before = self._server.usage()
        try:
            await callers.run(rate, int(rate * seconds))
        finally:
            callers.close()
        used = self._server.usage().since(before)
        records = callers.records[int(skip * len(callers.records)) :]
        answered = sum(record.status == 200 for record in records)
        all_answered = sum(record.status == 200 for record in callers.records)
        span = (records[-1].invited - records[0].invited) * len(records) / (len(records) - 1)
        waits = [1000 * (r.answered - r.invited) for r in records if r.answered]
        return Step(
            rate=rate,
            calls=len(records),
            statuses=dict(sorted(Counter(record.status for record in records).items())),
            answered_a_second=round(answered / span, 1),
            cpu_ms=round(1000 * used.cpu_s / max(all_answered, 1), 3),
            setup_p95_ms=round(percentile(waits, 0.95), 2),
        )


@contextlib.contextmanager
def _one_core(server: MeasuredServer) -> Iterator[bool]:
    """Give the last core to the server and the others to us; False where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        yield False
        return
    pid = server.server.process.pid
    for process in (pid, *children(pid)):
        for thread in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores[-1:])
    os.sched_setaffinity(0, cores[:-1])
    try:
        yield True
    finally:
        os.sched_setaffinity(0, cores)
