"""State diagrams in Mermaid, drawn from the tables: `python -m switch.sip.diagrams [folder]`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from switch.sip import (
    invite_client,
    invite_server,
    non_invite_client,
    non_invite_server,
    referral,
    referring,
    reliability,
    renegotiation,
    session_timer,
    usage,
)
from switch.sip.machine import TERMINATED, Machine

MACHINES: tuple[Machine, ...] = (
    invite_client.MACHINE,
    invite_server.MACHINE,
    non_invite_client.MACHINE,
    non_invite_server.MACHINE,
)


class Table(Struct, frozen=True):
    """A machine of sessions; their modules are told apart by name only."""

    name: str
    figure: str
    starts: tuple[str, ...]
    transitions: Mapping[tuple[Any, Any], tuple[Any, tuple[Any, ...]]]
    ignored: Mapping[tuple[Any, Any], str]


TABLES: tuple[Table, ...] = (
    Table(
        "session",
        "RFC 3261 sections 13 and 15",
        (usage.State.CALLING, usage.State.INVITED),
        usage.TRANSITIONS,
        usage.IGNORED,
    ),
    Table(
        "session offers",
        "RFC 3261 section 14, RFC 3311, RFC 6337",
        (renegotiation.State.STABLE,),
        renegotiation.TRANSITIONS,
        renegotiation.IGNORED,
    ),
    Table(
        "session timer",
        "RFC 4028",
        (session_timer.State.OFF,),
        session_timer.TRANSITIONS,
        session_timer.IGNORED,
    ),
    Table(
        "session reliability",
        "RFC 3262",
        (reliability.State.IDLE,),
        reliability.TRANSITIONS,
        reliability.IGNORED,
    ),
    Table(
        "REFER received",
        "RFC 3515",
        (referral.State.PENDING,),
        referral.TRANSITIONS,
        referral.IGNORED,
    ),
    Table(
        "REFER sent",
        "RFC 3515",
        (referring.State.TRYING,),
        referring.TRANSITIONS,
        referring.IGNORED,
    ),
)


def file_name(machine: Machine | Table) -> str:
    """Name of the page: `sip-invite-client.md`."""
    return "sip-" + machine.name.lower().replace(" ", "-") + ".md"


def draw(machine: Machine) -> str:
    """The page of one machine: diagram, then what it ignores and why."""
    lines = [
        f"# {machine.name} transaction",
        "",
        f"{machine.figure}. Drawn from the table by `python -m switch.sip.diagrams`; do not edit.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {machine.initial}{_label('start', machine.on_start)}",
    ]
    for (state, given), (after, actions) in machine.transitions.items():
        lines.append(f"    {state} --> {after}{_label(given, actions)}")
    lines += [f"    {TERMINATED} --> [*]", "```", "", "Ignored, and why:", ""]
    lines += ["| state | input | reason |", "|---|---|---|"]
    for (state, given), reason in machine.ignored.items():
        if state != TERMINATED:
            lines.append(f"| {state!s} | {given!s} | {reason} |")
    lines += ["", f"In {TERMINATED} every input comes too late: the transaction is gone.", ""]
    return "\n".join(lines)


def draw_table(table: Table) -> str:
    """The page of a machine of sessions; states are numbered, their names have blanks."""
    states = list(dict.fromkeys(state for state, _ in (*table.transitions, *table.ignored)))
    names = {state: f"s{number}" for number, state in enumerate(states)}
    lines = [
        f"# {table.name[:1].upper()}{table.name[1:]}",
        "",
        f"{table.figure}. Drawn from the table by `python -m switch.sip.diagrams`; do not edit.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *(f'    state "{state!s}" as {names[state]}' for state in states),
        *(f"    [*] --> {names[state]}" for state in table.starts),
    ]
    for (state, given), (after, actions) in table.transitions.items():
        lines.append(f"    {names[state]} --> {names[after]}{_label(given, actions)}")
    lines += ["```", "", "Ignored, and why:", "", "| state | input | reason |", "|---|---|---|"]
    for (state, given), reason in table.ignored.items():
        lines.append(f"| {state!s} | {given!s} | {reason} |")
    return "\n".join([*lines, ""])


def _label(given: str, actions: tuple[str, ...]) -> str:
    text = str(given) if not actions else f"{given} / {', '.join(map(str, actions))}"
    return " : " + text.replace(":", " -")


def main(arguments: list[str]) -> None:
    """Write every page into the folder named, `docs/state-diagrams` by default."""
    folder = Path(arguments[0] if arguments else "docs/state-diagrams")
    folder.mkdir(parents=True, exist_ok=True)
    for machine in MACHINES:
        (folder / file_name(machine)).write_text(draw(machine), encoding="utf-8")
    for table in TABLES:
        (folder / file_name(table)).write_text(draw_table(table), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
