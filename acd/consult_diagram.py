"""Draws consultation and parking from their tables: `python -m acd.consult_diagram` writes the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Protocol

from acd import consult_state, park_state
from acd.consult_state import ConsultState
from acd.park_state import ParkState

PAGE = Path("docs/state-diagrams/consultation.md")
PARK_PAGE = Path("docs/state-diagrams/parking.md")
"""In the repository."""

_HEAD = """\
# Consultation and transfer

Drawn from the table in `acd/consult_state.py` by `python -m acd.consult_diagram`; do not edit.

A consultation begins in **calling**, a transfer without asking in **handing**. When it is over, the
customer is with the agent (no effect, or `drop`), with the target (`hand-over`), with both (`admit`), or
was given back (`give-back`): to the head of the queue, or to the agent who had it. What is not in the
table is refused.

"""

_PARK_HEAD = """\
# A parked call

Drawn from the table in `acd/park_state.py` by `python -m acd.consult_diagram`; do not edit.

Until it is over the customer hears music, or, while it is **leaving**, why the call ends; and anybody may
fetch it. Over means: who fetched it or who parked it has it (`hand-over`), its queue or the configured
entry (`pass-on`), or it was told that nobody is there (`let-go`). What is not in the table is refused.

"""


class _Step(Protocol):
    """One row of either table."""

    @property
    def to(self) -> StrEnum | None: ...

    @property
    def effects(self) -> tuple[Enum, ...]: ...


def consult_page() -> str:
    """Return the whole page of consultations."""
    begins = (ConsultState.CALLING, ConsultState.HANDING)
    return _page(_HEAD, consult_state.TRANSITIONS, begins)


def park_page() -> str:
    """Return the whole page of parked calls."""
    return _page(_PARK_HEAD, park_state.TRANSITIONS, (ParkState.WAITING,))


def _page(head: str, table: Mapping[Any, _Step], begins: Iterable[StrEnum]) -> str:
    """`table` maps a state and an input to a step."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {state.value}" for state in begins]
    for (state, what), step in table.items():
        to = "[*]" if step.to is None else step.to.value
        lines.append(f"    {state.value} --> {to}: {what.value}")
    lines += ["```", "", "| state | input | next | effects |", "|---|---|---|---|"]
    for (state, what), step in table.items():
        to = "over" if step.to is None else step.to.value
        effects = ", ".join(effect.value for effect in step.effects)
        lines.append(f"| {state.value} | `{what.value}` | {to} | {effects} |")
    return head + "\n".join(lines) + "\n"


def main() -> None:
    """Write the pages below the current folder."""
    PAGE.write_text(consult_page(), encoding="utf-8")
    PARK_PAGE.write_text(park_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
