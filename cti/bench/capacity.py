"""How many calls a second a server sets up, and what it does when more come.

The server's processes share one core, the generator has the others: the answer is for one core. The
rate rises until calls fail or wait half a second for their answer; then half as much again as the
best rate comes for a while, and twice as much. A server that sheds answers the surplus with 503 at
once and goes on with as many calls as before; one that collapses loses both.

`python -m cti.bench.capacity --rates 350 --overloads 1.5 2 --seconds 5` measures that alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cti.bench.calls import WARM_UP_CALLS, invite_waits, percentile, rtp_sink
from cti.bench.processes import children
from cti.bench.server import RTP_PORTS, MeasuredServer, measured_server
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import CallerPool, CallRecord

RATES: Final = (50.0, 100.0, 150.0, 200.0, 250.0, 300.0, 350.0, 400.0, 450.0, 500.0, 600.0, 700.0)
_ADDRESS: Final = "127.0.0.1"
_CALLED: Final = "4101"
_TALK_S: Final = 1.0
OVERLOADS: Final = (1.5, 2.0)
"""Times the best rate."""
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
    """Of calls that were wanted in that time, those that were answered and ended well."""
    cpu_ms: float
    """Of call agent and gateway, a call that was answered."""
    setup_p95_ms: float
    """INVITE to 200."""
    invite_p95_ms: float = 0.0
    """Caller's INVITE to agent's INVITE."""
    refused_p95_ms: float = 0.0
    """INVITE to 503."""
    lost: int = 0
    """Calls that were answered and whose BYE was not."""
    generator_share: float = 0.0
    """CPU of the generator as a share of a core while it dials: near 1, it was the generator that
    was measured."""

    server_share: float = 0.0
    """CPU of call agent and gateway as a share of a core while calls came: under overload well below 1,
    something else had the core, and less could be answered."""

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
    overloads: tuple[Step, ...]
    """Above it, in the order of `OVERLOADS`."""
    one_core: bool

    @property
    def peak(self) -> float:
        """The most calls a second that were answered and ended well, at any rate up to the first too high."""
        return max((step.answered_a_second for step in self.steps), default=0.0)

    def goodput(self, overload: Step) -> float:
        """Answered calls a second under an overload, as a share of the peak."""
        return overload.answered_a_second / self.peak if self.peak else 0.0


async def measure_capacity(
    seconds: float,
    *,
    rates: Sequence[float] = RATES,
    overloads: Sequence[float] = OVERLOADS,
    ports: str = RTP_PORTS,
) -> CapacityFigures:
    """Raise the rate until calls fail, `seconds` at each; then overload for twice as long each.

    `overloads` are multiples of the best rate, of the last one where none is carried.
    """
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        async with measured_server(Path(folder), rtp_ports=ports) as server:
            with rtp_sink() as rtp_port, _one_core(server) as pinned:
                return await _Climb(server, rtp_port, pinned).run(rates, overloads, seconds)


class _Climb:
    def __init__(self, server: MeasuredServer, rtp_port: int, pinned: bool) -> None:
        self._server = server
        self._rtp_port = rtp_port
        self._pinned = pinned
        self._round = 0
        self._agents = AgentPool(host=_ADDRESS, port=server.agent_port, rtp_port=rtp_port)

    async def run(
        self, rates: Sequence[float], overloads: Sequence[float], seconds: float
    ) -> CapacityFigures:
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
            base = steps[-1].rate if best is None else best.rate
            above = [
                await self._step(times * base, 2 * seconds, _STEADY) for times in overloads if steps
            ]
        finally:
            self._agents.close()
        return CapacityFigures(
            steps=tuple(steps), best=best, overloads=tuple(above), one_core=self._pinned
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
        ours, begin = time.process_time(), time.monotonic()
        try:
            await callers.run(rate, int(rate * seconds))
        finally:
            callers.close()
        share = (time.process_time() - ours) / seconds
        span = time.monotonic() - begin - _TALK_S
        used = self._server.usage().since(before)
        all_answered = sum(record.status == 200 for record in callers.records)
        return self._figures(
            rate,
            callers.records[int(skip * len(callers.records)) :],
            cpu_ms=1000 * used.cpu_s / max(all_answered, 1),
            generator_share=share,
            server_share=used.cpu_s / span,
        )

    def _figures(
        self,
        rate: float,
        records: list[CallRecord],
        *,
        cpu_ms: float,
        generator_share: float,
        server_share: float,
    ) -> Step:
        answered = [record for record in records if record.status == 200]
        well = sum(not record.is_lost for record in answered)
        span = (records[-1].invited - records[0].invited) * len(records) / (len(records) - 1)
        setups = [1000 * (r.answered - r.invited) for r in answered]
        refusals = [1000 * (r.ended - r.invited) for r in records if r.status == 503]
        invites = invite_waits(answered, self._agents.invited)
        return Step(
            rate=rate,
            calls=len(records),
            statuses=dict(sorted(Counter(record.status for record in records).items())),
            answered_a_second=round(well / span, 1),
            cpu_ms=round(cpu_ms, 3),
            setup_p95_ms=round(percentile(setups, 0.95), 2),
            invite_p95_ms=round(percentile(invites, 0.95), 2),
            refused_p95_ms=round(percentile(refusals, 0.95), 2),
            lost=len(answered) - well,
            generator_share=round(generator_share, 2),
            server_share=round(server_share, 2),
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


def main() -> int:
    """The measurement by itself, as JSON; 1 where an overload brought the server down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    parser.add_argument("--overloads", type=float, nargs="*", default=OVERLOADS)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    figures = asyncio.run(
        measure_capacity(options.seconds, rates=options.rates, overloads=options.overloads)
    )
    shares = [round(figures.goodput(step), 3) for step in figures.overloads]
    json.dump(asdict(figures) | {"peak": figures.peak, "goodput": shares}, sys.stdout, indent=1)
    return 0 if all(share >= 0.9 for share in shares) else 1


if __name__ == "__main__":
    sys.exit(main())
