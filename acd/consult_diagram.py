"""Draws the consultation from its table: `python -m acd.consult_diagram` writes the page."""

from __future__ import annotations

from pathlib import Path

from acd.consult_state import TRANSITIONS, ConsultState

PAGE = Path("docs/state-diagrams/consultation.md")
"""In the repository."""

_HEAD = """\
# Consultation and transfer

Drawn from the table in `acd/consult_state.py` by `python -m acd.consult_diagram`; do not edit.

A consultation begins in **calling**, a transfer without asking in **handing**. When it is over, the
customer is with the agent (no effect, or `drop`), with the target (`hand-over`), with both (`admit`), or
was given back (`give-back`): to the head of the queue, or to the agent who had it. What is not in the
table is refused.

"""


def consult_page() -> str:
    """Return the whole page."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [
        f"    [*] --> {state.value}" for state in (ConsultState.CALLING, ConsultState.HANDING)
    ]
    for (state, what), step in TRANSITIONS.items():
        to = "[*]" if step.to is None else step.to.value
        lines.append(f"    {state.value} --> {to}: {what.value}")
    lines += ["```", "", "| state | input | next | effects |", "|---|---|---|---|"]
    for (state, what), step in TRANSITIONS.items():
        to = "over" if step.to is None else step.to.value
        effects = ", ".join(effect.value for effect in step.effects)
        lines.append(f"| {state.value} | `{what.value}` | {to} | {effects} |")
    return _HEAD + "\n".join(lines) + "\n"


def main() -> None:
    """Write the page below the current folder."""
    PAGE.write_text(consult_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
