"""A long run: many calls of every kind, and whether anything of them is left behind.

    python -m cti.bench.soak                       100,000 calls in 30 minutes
    python -m cti.bench.soak --calls 2000 --minutes 1 --out /tmp/soak

Calls go through queues, menus, desks, a carrier, recordings, holds and refusals, with sound both ways;
phones register and go, desks and wallboards come and go. Memory of both processes, legs, ports, files,
tasks, transactions, sessions are taken from the server's own `/metrics` every few seconds. At the end
everything must be as before but memory, and memory must be flat over the calls: see
`cti.bench.flatness` for the bound. Writes `samples.csv`, `soak.json`, `soak.txt` and `memory.svg`; ends with
1 when something was left behind or went wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
import uvloop

from cti.bench.flatness import trend
from cti.bench.machine import machine
from cti.bench.server import RTP_PORTS, MeasuredServer, measured_server
from cti.bench.sip_load import MANY
from cti.bench.soak_files import files_at_end
from cti.bench.soak_load import SoakLoad
from cti.bench.soak_report import SoakReport, in_words, progress, write_report
from cti.bench.soak_samples import Sample, left_over, sample_of
from cti.bench.soak_site import DESKS, know_callers, write_site
from cti.free_ports import free_port
from cti.metrics.reading import Figures, read_figures
from cti.serving_limits import raise_open_files

_SAMPLES: Final = 360
_LEAST_PERIOD_S: Final = 0.5
_SETTLE_S: Final = 100.0
"""SIP transactions linger for 32 s (RFC 3261 timers H, J, K), numbers that agents dialled ring for 60 s."""
_LOOK_S: Final = 0.2
"""Between two looks at resident memory; a sample has the least of its period."""
_TELL_EVERY_S: Final = 30.0

Tell = Callable[[str], None]


async def soak(
    calls: int,
    minutes: float,
    folder: Path,
    *,
    rtp_ports: str = RTP_PORTS,
    desks: Sequence[str] = DESKS,
    linger: bool = True,
    tell: Tell = lambda text: None,
) -> SoakReport:
    """Run it; the server's data and log go below `folder`. Raises ServerFailedError.

    Without `linger` the end does not wait until the last transactions are over. `tell` gets a line of
    progress now and then.
    """
    carrier_port = free_port()
    config = write_site(folder / "soak.toml", carrier_port)
    async with measured_server(folder, rtp_ports=rtp_ports, config=config) as server:
        await know_callers(server.server.data, MANY)
        load = SoakLoad(server, calls / (60 * minutes), carrier_port, desks)
        await load.open()
        try:
            return await _Soak(server, load, calls, minutes, linger, tell).run()
        finally:
            await load.close()


class _Soak:
    def __init__(
        self,
        server: MeasuredServer,
        load: SoakLoad,
        calls: int,
        minutes: float,
        linger: bool,
        tell: Tell,
    ) -> None:
        self._linger = linger
        self._server = server
        self._load = load
        self._calls = calls
        self._minutes = minutes
        self._tell = tell
        self._began = 0.0
        self._samples: list[Sample] = []
        self._least = math.inf, math.inf
        """Octets resident, of call agent and gateway, since the last sample."""

    async def run(self) -> SoakReport:
        async with httpx.AsyncClient() as client:
            before = await self._when(client, lambda sample: sample.ports_free > 0)
            files_at_end(self._server.server.data)  # if that cannot be done, better now than later
            self._began = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                beside = [tasks.create_task(self._look(client)), tasks.create_task(self._weigh())]
                await self._load.run(self._calls)
                for task in beside:
                    task.cancel()
            seconds = time.monotonic() - self._began
            self._tell("all calls are over; waiting until the server is as before")
            after = await self._when(
                client, lambda sample: not self._left_over(before, sample), _SETTLE_S
            )
        load, samples = self._load, self._samples
        counts = [float(sample.calls) for sample in samples]
        files = files_at_end(self._server.server.data)
        return SoakReport(
            machine=machine(),
            calls=load.calls,
            asked_calls=self._calls,
            minutes=round(seconds / 60, 2),
            rate=round(load.calls / seconds, 1),
            failed=load.failed,
            odd=load.odd(),
            outcomes=load.outcomes(),
            registers={str(status): count for status, count in sorted(load.registers.items())},
            desks=dict(sorted(load.desks.done.items())),
            probed=load.probe.result(),
            files=files,
            faults=int(after.faults),
            left_over=self._left_over(before, after),
            # Not the last sample: with the calls gone it lies below the line.
            call_agent=trend(counts, [sample.call_agent_rss for sample in samples]),
            gateway=trend(counts, [sample.gateway_rss for sample in samples]),
            blocks=trend(counts, [sample.blocks for sample in samples]),
            samples=[before, *samples, after],
        )

    def _left_over(self, before: Sample, after: Sample) -> list[str]:
        return left_over(before, after, self._samples, linger=self._linger)

    async def _look(self, client: httpx.AsyncClient) -> None:
        """Take a sample now and then. An answer that is late is left out."""
        period = max(self._minutes * 60 / _SAMPLES, _LEAST_PERIOD_S)
        told = self._began
        while True:
            await asyncio.sleep(period)
            try:
                sample = await self._sample(client)
            except httpx.HTTPError as error:
                self._tell(f"no sample: {error!r}")
                continue
            # Those who are waited for at the end are no calls any more: memory falls, calls do not.
            if self._load.calls < self._calls or not self._samples:
                self._samples.append(sample)
            if time.monotonic() - told > _TELL_EVERY_S:
                told = time.monotonic()
                self._tell(progress(sample, self._calls, self._load.probe.calls))

    async def _weigh(self) -> None:
        """Look at memory often: checking a password takes 64 MiB, for a tenth of a second."""
        while True:
            used = self._server.usage()
            call_agent, gateway = self._least
            self._least = (
                min(call_agent, used.call_agent.resident),
                min(gateway, used.gateway.resident),
            )
            await asyncio.sleep(_LOOK_S)

    async def _sample(self, client: httpx.AsyncClient) -> Sample:
        figures: Figures = await read_figures(client, self._server.url)
        since = time.monotonic() - self._began if self._began else 0.0
        used = self._server.usage()
        sample = sample_of(
            figures,
            seconds=since,
            calls=self._load.calls,
            failed=self._load.failed,
            threads=self._server.threads(),
            file_backed=self._server.file_backed(),
            cpu_s=(used.call_agent.cpu_s, used.gateway.cpu_s),
        )
        (call_agent, gateway), self._least = self._least, (math.inf, math.inf)
        return replace(
            sample,
            call_agent_rss=min(call_agent, sample.call_agent_rss),
            gateway_rss=min(gateway, sample.gateway_rss),
        )

    async def _when(
        self,
        client: httpx.AsyncClient,
        holds: Callable[[Sample], bool],
        patience_s: float = 10.0,
    ) -> Sample:
        """The first sample for which it holds, or the last within the patience."""
        end = time.monotonic() + patience_s
        while True:
            sample = await self._sample(client)
            if holds(sample) or time.monotonic() > end:
                return sample
            await asyncio.sleep(0.25)


def main(argv: Sequence[str] | None = None) -> int:
    """Run once, write the report, print the verdict."""
    parser = argparse.ArgumentParser(
        prog="python -m cti.bench.soak", description="Many calls, and what they leave behind."
    )
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=Path("build/soak"), metavar="FOLDER")
    parser.add_argument("--rtp-ports", default=RTP_PORTS, metavar="LOW-HIGH")
    args = parser.parse_args(argv)
    if args.calls < 1 or args.minutes <= 0:
        parser.error("--calls and --minutes must be above zero")
    raise_open_files()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="switchroom-soak-") as name:
        folder = Path(name)
        try:
            report = uvloop.run(
                soak(args.calls, args.minutes, folder, rtp_ports=args.rtp_ports, tell=_say)
            )
        finally:
            log = folder / "server.log"
            if log.exists():
                (args.out / "server.log").write_bytes(log.read_bytes()[-200_000:])
    write_report(report, args.out)
    _say(
        f"{in_words(report)}\n{args.out}: samples.csv, soak.json, soak.txt, memory.svg, server.log"
    )
    return 1 if report.complaints else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
