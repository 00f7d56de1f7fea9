"""Runs the measurements one after the other and prints them beside what is to be reached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from cti.bench import sipp
from cti.bench.calls import CallFigures, PopFigures, measure_calls, measure_pops
from cti.bench.machine import machine
from cti.bench.media import MediaFigures, measure

_LOW_RATE: Final = 20.0
_LOW_RATE_CALLS: Final = 400
_POP_CALLS: Final = 400
_SECONDS_OF_CALLS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report."""

    what: str
    measured: str
    reach: str
    reached: bool


class Bench:
    """One run of the whole."""

    def __init__(self, *, calls: int, seconds: float, rate: float) -> None:
        self._calls = calls
        self._seconds = seconds
        self._rate = rate
        self._console = Console()
        self._rows: list[Row] = []
        self._raw: dict[str, Any] = {"machine": machine()}

    async def run(self, wanted: Sequence[str], output: Path | None) -> int:
        """Measure, print, and write JSON; 1 when something that is to be reached was not."""
        facts = ", ".join(f"{key} {value}" for key, value in self._raw["machine"].items())
        self._console.print(facts, style="dim", highlight=False)
        if "media" in wanted:
            await self._media()
        if "calls" in wanted:
            await self._set_up()
        if "pops" in wanted:
            await self._pops()
        self._print()
        if output is not None:
            self._write(output)
        return 0 if all(row.reached for row in self._rows) else 1

    def _write(self, output: Path) -> None:
        output.write_text(json.dumps(self._raw, indent=2, default=str) + "\n", encoding="utf-8")

    async def _media(self) -> None:
        for recorded, limit in ((False, 60.0), (True, 100.0)):
            kind = "recorded" if recorded else "bridged"
            with self._console.status(f"{self._calls} calls, {kind} ..."):
                figures = await measure(self._calls, self._seconds, recorded=recorded)
            self._raw[f"media {kind}"] = asdict(figures)
            self._add_media(kind, figures, limit * self._calls / 1000)

    def _add_media(self, kind: str, figures: MediaFigures, limit: float) -> None:
        what = f"{figures.calls} calls, {kind}"
        self._row(
            f"{what}: CPU of the gateway",
            f"{figures.cpu_percent:.1f} % of a core, {figures.kernel_share:.0%} in the kernel",
            f"at most {limit:.0f} %",
            figures.cpu_percent <= limit,
        )
        self._row(
            f"{what}: lateness of ticks",
            f"p50 {figures.lateness_p50_ms:.2f}, p99 {figures.lateness_p99_ms:.2f}, "
            f"max {figures.lateness_max_ms:.1f} ms",
            "p99 under 5 ms",
            figures.lateness_p99_ms < 5.0,
        )
        self._row(
            f"{what}: packets lost by us",
            f"{figures.packets_dropped} of {figures.packets_sent}",
            "none",
            figures.packets_dropped == 0,
        )
        self._row(
            f"{what}: delay of a packet through us",
            f"p50 {figures.delay_p50_ms:.2f}, p99 {figures.delay_p99_ms:.2f} ms",
            "",
            True,
        )
        if figures.recorded:
            self._row(
                f"{what}: whole files",
                f"{figures.recordings_whole} of {figures.calls}",
                "all",
                figures.recordings_whole == figures.calls,
            )

    async def _set_up(self) -> None:
        with self._console.status(f"{_LOW_RATE:.0f} calls a second ..."):
            slow = await measure_calls(_LOW_RATE, _LOW_RATE_CALLS)
        with self._console.status(f"{self._rate:.0f} calls a second ..."):
            fast = await measure_calls(self._rate, int(self._rate * _SECONDS_OF_CALLS))
        if sipp.is_installed():
            await self._sipp()
        self._raw["calls slow"], self._raw["calls fast"] = asdict(slow), asdict(fast)
        self._add_latency(slow)
        self._row(
            f"{fast.rate:.0f} calls a second: failures",
            f"{fast.failures} of {fast.calls}",
            "none",
            fast.failures == 0,
        )
        self._row(
            f"{fast.rate:.0f} calls a second: CPU a call",
            f"{fast.cpu_ms:.2f} ms ({fast.call_agent_cpu_ms:.2f} of it the call agent), "
            f"{fast.kernel_share:.0%} in the kernel",
            "at most 4 ms",
            fast.cpu_ms <= 4.0,
        )
        self._row(
            f"{fast.rate:.0f} calls a second: INVITE to agent's INVITE",
            f"p50 {fast.invite_p50_ms:.2f}, p95 {fast.invite_p95_ms:.2f}, "
            f"max {fast.invite_max_ms:.1f} ms",
            "",
            True,
        )

    async def _sipp(self) -> None:
        with self._console.status(f"SIPp, {self._rate:.0f} calls a second ..."):
            figures = await sipp.measure_sipp(self._rate, int(self._rate * _SECONDS_OF_CALLS))
        self._raw["sipp"] = asdict(figures)
        self._row(
            f"SIPp, {figures.rate:.0f} calls a second: failures and CPU a call",
            f"{figures.failures} of {figures.calls}, {figures.cpu_ms:.2f} ms",
            "none, at most 4 ms",
            figures.failures == 0 and figures.cpu_ms <= 4.0,
        )

    def _add_latency(self, slow: CallFigures) -> None:
        self._row(
            f"{slow.rate:.0f} calls a second: INVITE to agent's INVITE",
            f"p50 {slow.invite_p50_ms:.2f}, p95 {slow.invite_p95_ms:.2f}, "
            f"max {slow.invite_max_ms:.1f} ms",
            "p95 under 20 ms",
            slow.invite_p95_ms < 20.0,
        )

    async def _pops(self) -> None:
        with self._console.status("screen pops ..."):
            figures = await measure_pops(_POP_CALLS)
        self._raw["pops"] = asdict(figures)
        self._add_pops(figures)

    def _add_pops(self, figures: PopFigures) -> None:
        share = figures.pop_first / figures.calls if figures.calls else 0.0
        self._row(
            "pop at the desk before the agent's INVITE",
            f"{share:.1%} of {figures.calls} calls, by {figures.lead_p50_ms:.2f} ms (p50)",
            "at least 99 %",
            share >= 0.99,
        )
        self._row(
            "INVITE to agent's INVITE with the pop in between",
            f"p95 {figures.invite_p95_ms:.2f} ms",
            "p95 under 20 ms",
            figures.invite_p95_ms < 20.0,
        )

    def _row(self, what: str, measured: str, reach: str, reached: bool) -> None:
        self._rows.append(Row(what=what, measured=measured, reach=reach, reached=reached))

    def _print(self) -> None:
        table = Table(show_edge=False, pad_edge=False)
        for column in ("what", "measured", "to reach", ""):
            table.add_column(column)
        for row in self._rows:
            mark = "" if not row.reach else "[green]✓[/]" if row.reached else "[red]✗[/]"
            table.add_row(row.what, row.measured, row.reach, mark)
        self._console.print(table)
