"""State diagrams in Mermaid, drawn from the tables: `python -m switch.sip.diagrams [folder]`."""

from __future__ import annotations

import sys
from pathlib import Path

from switch.sip import invite_client, invite_server, non_invite_client, non_invite_server
from switch.sip.machine import TERMINATED, Machine

MACHINES: tuple[Machine, ...] = (
    invite_client.MACHINE,
    invite_server.MACHINE,
    non_invite_client.MACHINE,
    non_invite_server.MACHINE,
)


def file_name(machine: Machine) -> str:
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


def _label(given: str, actions: tuple[str, ...]) -> str:
    text = str(given) if not actions else f"{given} / {', '.join(map(str, actions))}"
    return " : " + text.replace(":", " -")


def main(arguments: list[str]) -> None:
    """Write every page into the folder named, `docs/state-diagrams` by default."""
    folder = Path(arguments[0] if arguments else "docs/state-diagrams")
    folder.mkdir(parents=True, exist_ok=True)
    for machine in MACHINES:
        (folder / file_name(machine)).write_text(draw(machine), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
