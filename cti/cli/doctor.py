"""`switchroom doctor`: what is wrong with an installation, or with the server that runs on it, in words."""

from __future__ import annotations

import argparse
import asyncio

from cti.cli.options import add_config
from cti.counted import counted


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
    faults = sum(finding.severity is Severity.FAULT for finding in findings)
    good = "The server runs well." if running else "Ready to serve."
    console.print(counted(faults, "fault") if faults else good, style="bold")
    return 1 if faults else 0
