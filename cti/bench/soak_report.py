"""What came of a soak: the figures, the verdict, and how they are written down."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from cti.bench.flatness import BOUND, LEAST_CALLS, Trend, Verdict
from cti.bench.picture import Line, line_chart
from cti.bench.soak_samples import Sample, write_csv

_FAILED_SHARE: Final = 0.001
"""So many calls may fail: a busy machine loses a datagram now and then."""
_GAPS_SHARE: Final = 0.02
"""So many probes may miss packets, for the same reason. None may hear anybody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What the calls whose parties listened have heard."""

    calls: int
    gaps: int
    """Calls with too few packets, or that did not come about."""
    wrong: int
    """Calls with another sound than there should be."""
    words: list[str]
    """The first of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The data folder at the end."""

    recordings: int
    """Whole ones."""
    bad: list[str]
    """Recordings that are not whole, and files that should not be there any more; the first few."""
    journal_records: int
    """Of calls, in the journal for the next process."""


@dataclass(slots=True, kw_only=True)
class SoakReport:
    """What came of it."""

    machine: dict[str, str]
    calls: int
    asked_calls: int
    minutes: float
    rate: float
    failed: int
    odd: list[str]
    """Of those that failed the first few of each kind, in words."""
    outcomes: dict[str, dict[str, int]]
    registers: dict[str, int]
    """What phones were answered, by status."""
    desks: dict[str, int]
    """What agents and supervisors did, in words."""
    probed: Probed
    files: Files
    faults: int
    left_over: list[str]
    call_agent: Trend
    gateway: Trend
    blocks: Trend
    """Blocks of the call agent's objects, in place of octets. Not judged: it tells, where memory grows,
    whether it is objects that stay or room between them."""
    samples: list[Sample] = field(default_factory=list)

    @property
    def trends(self) -> tuple[tuple[str, Trend], ...]:
        """Both processes, with their names."""
        return (("call agent", self.call_agent), ("gateway", self.gateway))

    @property
    def shares(self) -> tuple[float, float]:
        """How much of a core call agent and gateway needed under load; 0 where nothing tells."""
        under_load = self.samples[1:-1]
        if len(under_load) < 2:
            return 0.0, 0.0
        first, last = under_load[0], under_load[-1]
        seconds = max(last.seconds - first.seconds, 1e-9)
        return (
            (last.call_agent_cpu_s - first.call_agent_cpu_s) / seconds,
            (last.gateway_cpu_s - first.gateway_cpu_s) / seconds,
        )

    @property
    def complaints(self) -> list[str]:
        """Everything that must not be, in words; empty: passed."""
        found = [f"left behind: {each}" for each in (*self.left_over, *self.files.bad)]
        for name, line in self.trends:
            if line.verdict is Verdict.GROWS:
                found.append(
                    f"memory of the {name} grows by {line.octets_per_call:.0f} octets a call "
                    f"(bound {BOUND:.0f})"
                )
            elif self._is_long and line.verdict is Verdict.TOO_SHORT:
                found.append(
                    f"memory of the {name}: {line.octets_per_call:.0f} ± {line.uncertainty:.0f} "
                    "octets a call is too uncertain to tell"
                )
        if self.files.journal_records:
            found.append(
                f"left behind: {self.files.journal_records} records of calls in the journal"
            )
        if self.faults:
            found.append(f"{self.faults} exceptions at the call boundary; see the server's log")
        if self.failed > _FAILED_SHARE * self.calls:
            found.append(f"{self.failed} of {self.calls} calls failed")
        if self.calls < self.asked_calls:
            found.append(f"only {self.calls} of {self.asked_calls} calls were made")
        if self.probed.wrong or self.probed.gaps > max(1, _GAPS_SHARE * self.probed.calls):
            found.append(
                f"sound: {self.probed.wrong} of {self.probed.calls} probes heard what they should "
                f"not, {self.probed.gaps} too little: {'; '.join(self.probed.words)}"
            )
        if self._is_long and not (self.probed.calls and self.files.recordings):
            found.append("nobody listened, or nothing was recorded: of sound nothing is known")
        return found

    @property
    def _is_long(self) -> bool:
        """So many calls were asked for that something can be told of everything."""
        return self.asked_calls >= 3 * LEAST_CALLS


def write_report(report: SoakReport, folder: Path) -> None:
    """CSV, JSON, text and the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "samples.csv", report.samples)
    whole = asdict(report)
    del whole["samples"]
    whole["complaints"] = report.complaints
    whole["shares"] = report.shares
    text = json.dumps(whole, indent=2, default=str)
    (folder / "soak.json").write_text(f"{text}\n", encoding="utf-8")
    (folder / "soak.txt").write_text(f"{in_words(report)}\n", encoding="utf-8")
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
    probed = report.probed
    lines = [
        f"{report.calls:,} calls in {report.minutes:g} minutes, {report.rate:g} a second; "
        f"{report.failed} failed, {report.faults} faults",
        f"sound: {probed.calls} calls listened to, {probed.gaps} with gaps, {probed.wrong} wrong; "
        f"{report.files.recordings:,} recordings, all whole"
        if not report.files.bad
        else f"sound: {probed.calls} calls listened to; recordings: see below",
    ]
    call_agent, gateway = report.shares
    lines.append(
        f"load: the call agent needed {100 * call_agent:.0f} % of a core, the gateway "
        f"{100 * gateway:.0f} %"
    )
    for name, line in report.trends:
        lines.append(
            f"memory of the {name}: {line.verdict.value}; {line.begin_mib:.1f} to "
            f"{line.end_mib:.1f} MiB over the last {line.calls:,.0f} calls, "
            f"{line.octets_per_call:+.0f} ± {line.uncertainty:.0f} octets a call (bound {BOUND:.0f})"
        )
    if report.blocks.calls:
        lines.append(
            f"objects of the call agent: {report.blocks.octets_per_call:+.2f} ± "
            f"{report.blocks.uncertainty:.2f} blocks of memory a call"
        )
    lines += [f"failed: {each}" for each in report.odd]
    complaints = report.complaints
    lines += complaints or ["nothing is left behind: legs, ports, files, tasks as before"]
    undecided = any(line.verdict is Verdict.TOO_SHORT for _, line in report.trends)
    verdict = "FAILED" if complaints else "PASSED"
    if undecided and not complaints:
        verdict = "PASSED but for memory, of which too few calls were made to tell"
    lines.append(f"soak: {verdict}")
    return "\n".join(lines)


def progress(sample: Sample, asked: int, probed: int) -> str:
    """One line while it runs."""
    minutes, seconds = divmod(int(sample.seconds), 60)
    return (
        f"{minutes:3}:{seconds:02}  {sample.calls:7,} of {asked:,} calls, {sample.failed} failed, "
        f"{sample.live_calls:.0f} live; call agent {sample.call_agent_rss / 2**20:.1f} MiB, "
        f"gateway {sample.gateway_rss / 2**20:.1f} MiB; {probed} calls listened to"
    )
