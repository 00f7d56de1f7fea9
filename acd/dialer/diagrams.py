"""Draws attempts and campaigns from their tables: `python -m acd.dialer.diagrams` writes the pages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from acd.dialer import attempt_state, campaign_state
from acd.dialer.attempt_state import AttemptState
from acd.dialer.model import CampaignState

ATTEMPT_PAGE = Path("docs/state-diagrams/attempt.md")
CAMPAIGN_PAGE = Path("docs/state-diagrams/campaign.md")
"""In the repository."""

_ATTEMPT_HEAD = """\
# An attempt

Drawn from the table in `acd/dialer/attempt_state.py` by `python -m acd.dialer.diagrams`; do not edit.

One number of one record, dialled once. An attempt whose agent comes first (preview, manual, and records
that may be dialled with a reserved agent alone) begins in **reading**, every other one in **dialling**.
Who answered is in the hands of an agent (**talking**), of the campaign's flow (**announcing**), or hears
the message for abandoned calls (**regretting**) before two seconds are over. Whatever ends an attempt
keeps its outcome (`settle`). What is not in the table comes too late and changes nothing.

"""

_CAMPAIGN_HEAD = """\
# A campaign

Drawn from the table in `acd/dialer/campaign_state.py` by `python -m acd.dialer.diagrams`; do not edit.

A campaign that is not running begins nothing; what is in flight goes on in every state.

"""

_Moves = Mapping[tuple[StrEnum, StrEnum], tuple[StrEnum | None, str]]


def attempt_page() -> str:
    """Return the whole page of attempts."""
    moves: _Moves = {
        pair: (step.to, ", ".join(effect.value for effect in step.effects))
        for pair, step in attempt_state.TRANSITIONS.items()
    }
    begins = (AttemptState.READING, AttemptState.DIALLING)
    lines = _drawing(moves, begins)
    lines += ["", "| state | input | next | effects |", "|---|---|---|---|"]
    for (state, what), (to, effects) in moves.items():
        lines.append(f"| {state.value} | `{what.value}` | {_name(to)} | {effects} |")
    return _ATTEMPT_HEAD + "\n".join(lines) + "\n"


def campaign_page() -> str:
    """Return the whole page of campaigns."""
    moves: _Moves = {pair: (to, "") for pair, to in campaign_state.TRANSITIONS.items()}
    return _CAMPAIGN_HEAD + "\n".join(_drawing(moves, (CampaignState.DRAFT,))) + "\n"


def _drawing(moves: _Moves, begins: tuple[StrEnum, ...]) -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2"]
    names = {state.value for pair in moves for state in pair[:1]}
    lines += [f"    {_id(name)}: {name}" for name in sorted(names) if "-" in name]
    lines += [f"    [*] --> {_id(state.value)}" for state in begins]
    for (state, what), (to, _) in moves.items():
        target = "[*]" if to is None else _id(to.value)
        lines.append(f"    {_id(state.value)} --> {target}: {what.value}")
    return [*lines, "```"]


def _id(name: str) -> str:
    return name.replace("-", "_")


def _name(to: StrEnum | None) -> str:
    return "over" if to is None else to.value


def main() -> None:
    """Write the pages below the current folder."""
    ATTEMPT_PAGE.write_text(attempt_page(), encoding="utf-8")
    CAMPAIGN_PAGE.write_text(campaign_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
