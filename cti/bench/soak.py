"""A long run: many calls of every kind, and whether anything of them is left behind.

    python -m cti.bench.soak                       100,000 calls in 30 minutes
    python -m cti.bench.soak --calls 2000 --minutes 1 --out /tmp/soak

Calls go through queues, menus, recordings and refusals, with sound both ways; phones register; a wallboard
watches. Memory of both processes, legs, ports, files, tasks, transactions, sessions are taken from the
server's own `/metrics` every few seconds. At the end everything must be as before but memory, and
memory must be flat over the calls: see `cti.bench.flatness` for the bound. Writes `samples.csv`,
`soak.json` and `memory.svg`; ends with 1 when something was left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import uvloop

from cti.bench.flatness import BOUND, Trend, Verdict, trend
from cti.bench.machine import machine
from cti.bench.picture import Line, line_chart
from cti.bench.server import RTP_PORTS, MeasuredServer, measured_server
from cti.bench.soak_load import SoakLoad
from cti.bench.soak_samples import Sample, left_over, sample_of, write_csv
from cti.metrics.reading import Figures, read_figures
from cti.serving_limits import raise_open_files

_SAMPLES: Final = 360
_LEAST_PERIOD_S: Final = 0.5
_SETTLE_S: Final = 45.0
"""SIP transactions linger for 32 s (RFC 3261 timers H, J, K)."""
_FAILED_SHARE: Final = 0.001
"""So many calls may fail: a busy machine loses a datagram now and then."""


@dataclass(slots=True, kw_only=True)
class SoakReport:
    """What came of it."""

    machine: dict[str, str]
    calls: int
    minutes: float
    rate: float
    failed: int
    outcomes: dict[str, dict[str, int]]
    faults: int
    left_over: list[str]
    call_agent: Trend
    gateway: Trend
    samples: list[Sample] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        """Everything that must not be, in words; empty: passed."""
        found = [f"left behind: {each}" for each in self.left_over]
        for name, line in (("call agent", self.call_agent), ("gateway", self.gateway)):
            if line.verdict is Verdict.GROWS:
                found.append(
                    f"memory of the {name} grows by {line.octets_per_call:.0f} octets a call "
                    f"(bound {BOUND:.0f})"
                )
        if self.faults:
            found.append(f"{self.faults} exceptions at the call boundary; see the server's log")
        if self.failed > _FAILED_SHARE * self.calls:
            found.append(f"{self.failed} of {self.calls} calls failed")
        return found


async def soak(
    calls: int, minutes: float, folder: Path, *, rtp_ports: str = RTP_PORTS, linger: bool = True
) -> SoakReport:
    """Run it; the server's data and log go below `folder`. Raises ServerFailedError.

    Without `linger` the end does not wait until the last transactions are over.
    """
    async with measured_server(folder, rtp_ports=rtp_ports) as server:
        load = SoakLoad(server, calls / (60 * minutes))
        await load.open()
        try:
            return await _Soak(server, load, calls, minutes, linger).run()
        finally:
            await load.close()


class _Soak:
    def __init__(
        self, server: MeasuredServer, load: SoakLoad, calls: int, minutes: float, linger: bool
    ) -> None:
        self._linger = linger
        self._server = server
        self._load = load
        self._calls = calls
        self._minutes = minutes
        self._began = 0.0
        self._samples: list[Sample] = []

    async def run(self) -> SoakReport:
        async with httpx.AsyncClient() as client:
            before = await self._when(client, lambda figures: figures.has("gateway_ports_free"))
            self._began = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                looking = tasks.create_task(self._look(client))
                await self._load.run(self._calls)
                looking.cancel()
            seconds = time.monotonic() - self._began
            after = await self._when(
                client,
                lambda figures: not left_over(before, self._sample(figures), linger=self._linger),
                _SETTLE_S,
            )
        self._samples.append(after)
        counts = [float(sample.calls) for sample in self._samples]
        return SoakReport(
            machine=machine(),
            calls=self._load.calls,
            minutes=round(seconds / 60, 2),
            rate=round(self._load.calls / seconds, 1),
            failed=self._load.failed,
            outcomes=self._load.outcomes(),
            faults=int(after.faults),
            left_over=left_over(before, after, linger=self._linger),
            # Not the last sample: with the calls gone it lies below the line.
            call_agent=trend(counts[:-1], [s.call_agent_rss for s in self._samples[:-1]]),
            gateway=trend(counts[:-1], [s.gateway_rss for s in self._samples[:-1]]),
            samples=[before, *self._samples],
        )

    async def _look(self, client: httpx.AsyncClient) -> None:
        """Take a sample now and then. An answer that is late is left out."""
        period = max(self._minutes * 60 / _SAMPLES, _LEAST_PERIOD_S)
        while True:
            await asyncio.sleep(period)
            try:
                figures = await read_figures(client, self._server.url)
            except httpx.HTTPError as error:
                sys.stderr.write(f"no sample: {error!r}\n")
                continue
            self._samples.append(self._sample(figures))

    def _sample(self, figures: Figures) -> Sample:
        since = time.monotonic() - self._began if self._began else 0.0
        return sample_of(figures, seconds=since, calls=self._load.calls, failed=self._load.failed)

    async def _when(
        self, client: httpx.AsyncClient, holds: Any, patience_s: float = 10.0
    ) -> Sample:
        """The first sample for which it holds, or the last within the patience."""
        end = time.monotonic() + patience_s
        while True:
            figures = await read_figures(client, self._server.url)
            if holds(figures) or time.monotonic() > end:
                return self._sample(figures)
            await asyncio.sleep(0.25)


def write_report(report: SoakReport, folder: Path) -> None:
    """CSV, JSON and the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "samples.csv", report.samples)
    whole = asdict(report)
    del whole["samples"]
    whole["complaints"] = report.complaints
    (folder / "soak.json").write_text(
        json.dumps(whole, indent=2, default=str) + "\n", encoding="utf-8"
    )
    shown = report.samples[1:-1]
    title = f"Memory over {report.calls:,} calls in {report.minutes:g} minutes"
    lines = (
        Line("call agent", [sample.call_agent_rss / 2**20 for sample in shown]),
        Line("gateway", [sample.gateway_rss / 2**20 for sample in shown]),
        Line("live calls", [sample.live_calls for sample in shown]),
    )
    xs = [float(sample.calls) for sample in shown]
    (folder / "memory.svg").write_text(
        line_chart(title, "calls", "MiB resident; calls", xs, lines), encoding="utf-8"
    )


def in_words(report: SoakReport) -> str:
    """The verdict for people."""
    lines = [
        f"{report.calls} calls in {report.minutes:g} minutes, {report.rate:g} a second; "
        f"{report.failed} failed, {report.faults} faults",
    ]
    for name, line in (("call agent", report.call_agent), ("gateway", report.gateway)):
        lines.append(
            f"memory of the {name}: {line.verdict.value}; {line.begin_mib:.1f} to "
            f"{line.end_mib:.1f} MiB over {line.calls:,.0f} calls, {line.octets_per_call:+.0f} "
            f"± {line.uncertainty:.0f} octets a call (bound {BOUND:.0f})"
        )
    lines += report.complaints or ["nothing is left behind: legs, ports, files, tasks as before"]
    return "\n".join(lines)


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
    with tempfile.TemporaryDirectory(prefix="switchroom-soak-") as folder:
        report = uvloop.run(soak(args.calls, args.minutes, Path(folder), rtp_ports=args.rtp_ports))
        args.out.mkdir(parents=True, exist_ok=True)
        log = Path(folder) / "server.log"
        (args.out / "server.log").write_bytes(log.read_bytes()[-200_000:])
    write_report(report, args.out)
    sys.stdout.write(f"{in_words(report)}\n{args.out}: samples.csv, soak.json, memory.svg\n")
    return 1 if report.complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())
