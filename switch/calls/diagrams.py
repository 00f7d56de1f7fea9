"""Draws the leg's state diagram from its table: `python -m switch.calls.diagrams` writes the page."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from switch.calls.leg import IGNORED, TRANSITIONS, State

PAGE = Path("docs/state-diagrams/leg.md")
"""In the repository."""

_HEAD = """\
# The leg

Drawn from the table in `switch/calls/leg.py` by `python -m switch.calls.diagrams`; do not edit.

A leg is one dialog that the B2BUA owns, plus its media. It begins as *invited* (somebody calls us)
or as *calling* (we call). Hold, mute and bridges are no states of it: they are facts, from which
`switch/calls/bridge.py` computes who hears whom.

"""


def leg_page() -> str:
    """Return the whole page."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {_word(begin)}" for begin in (State.INVITED, State.CALLING)]
    lines += [
        f"    {_word(state)} --> {_word(after)}: {_word(event)}"
        for (state, event), (after, _) in TRANSITIONS.items()
    ]
    lines += [f"    {_word(State.ENDED)} --> [*]", "```", ""]
    lines += ["| state | input | next | actions |", "|---|---|---|---|"]
    lines += [
        f"| {_word(state)} | {_word(event)} | {_word(after)} | {', '.join(map(_word, actions))} |"
        for (state, event), (after, actions) in TRANSITIONS.items()
    ]
    lines += ["", "Ignored, and why:", "", "| state | input | reason |", "|---|---|---|"]
    lines += [
        f"| {_word(state)} | {_word(event)} | {reason} |"
        for (state, event), reason in IGNORED.items()
        if state is not State.ENDED
    ]
    lines += ["", "An ended leg ignores everything: the commander knew less than we do.", ""]
    return _HEAD + "\n".join(lines)


def _word(member: Enum) -> str:
    return member.name.lower().replace("_", "-")


def main() -> None:
    """Write the page below the current folder."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(leg_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
