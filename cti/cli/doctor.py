"""`switchroom doctor`: what is wrong with an installation, or with the server that runs on it, in words."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from cti.cli.options import add_config
from cti.counted import counted

if TYPE_CHECKING:
    from cti.doctor import Severity


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="say what is wrong with this installation, and what to do",
        description=(
            "Looks at the installation, and at the server if one runs at the configured address: "
            "every limit and how near it is, calls that were shed, drops, bans, late ticks."
        ),
        epilog="Example: switchroom doctor --config my-site.toml",
    )
    add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Print one line a finding; exit 1 when something keeps the server from working."""
    from rich.console import Console

    from cti.cli.options import settings_from
    from cti.doctor import Severity, examine
    from cti.doctor_live import examine_running
    from cti.settings import SettingsError

    console = Console()
    try:
        settings = settings_from(args)
    except SettingsError as error:
        console.print("[red]✗[/] the configuration cannot be used", highlight=False)
        console.print(str(error), highlight=False, markup=False)
        return 1
    marks = {
        Severity.GOOD: "[green]✓[/]",
        Severity.WARNING: "[yellow]![/]",
        Severity.FAULT: "[red]✗[/]",
    }
    running = asyncio.run(examine_running(settings))
    findings = [*examine(settings, running=bool(running)), *running]
    for finding in findings:
        console.print(f"{marks[finding.severity]} {finding.what}", highlight=False)
        if finding.remedy:
            console.print(f"    {finding.remedy}", style="dim", highlight=False)
    severities = Counter(finding.severity for finding in findings)
    console.print(_conclusion(severities, is_running=bool(running)), style="bold", highlight=False)
    return 1 if severities[Severity.FAULT] else 0


def _conclusion(severities: Counter[Severity], *, is_running: bool) -> str:
    """The last line, which many read alone: all is well only where nothing was found."""
    from cti.doctor import Severity

    if faults := severities[Severity.FAULT]:
        return counted(faults, "fault")
    if warnings := severities[Severity.WARNING]:
        how = "The server runs" if is_running else "Ready to serve"
        return f"{how}, with {counted(warnings, 'warning')}."
    return "The server runs well." if is_running else "Ready to serve."
