"""Runs the measurements one after the other and prints them beside what is to be reached."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from cti.bench import call_rows, dial_rows, sound_rows
from cti.bench.machine import machine
from cti.bench.rows import REFERENCES, Options, Outcome, Reference, Row, Say
from cti.bench.sipp import SippFailedError
from cti.local_server import ServerFailedError
from switch.errors import MediaUnavailableError

Group = Callable[[Options, Say], Awaitable[Outcome]]

GROUPS: Final[Mapping[str, Group]] = {
    "media": sound_rows.media,
    "mixed": sound_rows.mixed,
    "rooms": sound_rows.rooms,
    "delay": sound_rows.delay,
    "codecs": sound_rows.codecs,
    "srtp": sound_rows.srtp,
    "gateways": sound_rows.gateways,
    "calls": call_rows.calls,
    "capacity": call_rows.capacity,
    "menu": call_rows.menu,
    "memory": call_rows.memory,
    "pops": call_rows.pops,
    "dials": dial_rows.dials,
}
"""What can be measured, in the order in which it is."""

_FAILURES: Final = (
    TimeoutError,
    OSError,
    MediaUnavailableError,
    ServerFailedError,
    SippFailedError,
)
_GIVEN: Final = (
    "Beside ours: Asterisk 23.4.1, FreeSWITCH 1.11.2, rtpengine 10.5 at the same work. These are given "
    "references, measured elsewhere on a machine of the same kind, not by this run."
)


_FILE_WIDTH: Final = 220
"""Columns of a table that goes into a file."""


class Bench:
    """One run of the whole."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._console = Console()
        if not self._console.is_terminal:
            self._console.width = _FILE_WIDTH
        self._rows: list[Row] = []
        self._raw: dict[str, Any] = {"machine": machine()}

    async def run(self, wanted: Sequence[str], output: Path | None) -> int:
        """Measure, print, and write JSON; 1 when something that is to be reached was not."""
        facts = ", ".join(f"{key} {value}" for key, value in self._raw["machine"].items())
        self._console.print(facts, style="dim", highlight=False)
        for name, group in GROUPS.items():
            if name not in wanted:
                continue
            with self._console.status(name) as status:
                try:
                    outcome = await group(self._options, status.update)
                except _FAILURES as error:
                    # The machine was too busy, or something is in the way: the others can still tell.
                    outcome = Outcome()
                    outcome.add(name, f"not measured: {error}", "a measurement", False)
            for row in outcome.rows:  # whoever breaks it off has seen what there is
                self._console.print(f"{row.what}: {row.measured}", highlight=False)
            self._rows += outcome.rows
            self._raw |= outcome.raw
            self._write(output)
        self._print()
        return 0 if all(row.reached for row in self._rows) else 1

    def _write(self, output: Path | None) -> None:
        """After each group, so that a run that is broken off leaves what it has."""
        if output is None:
            return
        whole = self._raw | {
            "rows": [_plain(row) for row in self._rows],
            "references": {name: _plain(reference) for name, reference in REFERENCES.items()},
        }
        output.write_text(json.dumps(whole, indent=2, default=str) + "\n", encoding="utf-8")

    def _print(self) -> None:
        others = any(row.reference != Reference() for row in self._rows)
        table = Table(show_edge=False, pad_edge=False, show_lines=False)
        for column in ("what", "measured", "to reach", ""):
            table.add_column(column)
        for name in ("Asterisk", "FreeSWITCH", "rtpengine") if others else ():
            table.add_column(name, style="dim")
        for row in self._rows:
            mark = "" if not row.reach else "[green]✓[/]" if row.reached else "[red]✗[/]"
            reference = row.reference
            given = (reference.asterisk, reference.freeswitch, reference.rtpengine)
            table.add_row(row.what, row.measured, row.reach, mark, *(given if others else ()))
        self._console.print(table)
        if others:
            self._console.print(_GIVEN, style="dim", highlight=False)


def _plain(record: Row | Reference) -> dict[str, Any]:
    return {
        field.name: _plain(value) if isinstance(value, Reference) else value
        for field in fields(record)
        for value in (getattr(record, field.name),)
    }
