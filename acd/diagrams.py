"""Draws the agent's state diagram from its table: `python -m acd.diagrams` writes the page."""

from __future__ import annotations

from pathlib import Path

from acd.agent_state import AT_REST, FACTS, TRANSITIONS, AgentInput, Step, Target
from acd.model import AgentState

PAGE = Path("docs/state-diagrams/agent.md")
"""In the repository."""

_HEAD = """\
# The agent

Drawn from the table in `acd/agent_state.py` by `python -m acd.diagrams`; do not edit.

An agent at **rest** is logged-out, available, not-ready or engaged. Which of them is never
remembered, it follows from the facts: the first line that holds decides.

| fact | state |
|---|---|
| no desk, no phone that counts, not static | logged-out |
| its phone is on a call that did not come from a queue | engaged |
| it wants no contacts, or missed one | not-ready, with that reason |
| static, and its last offer failed a moment ago | not-ready, until the pause is over |
| its phone cannot be called | not-ready `phone-unreachable` |
| otherwise | available |

While an agent is busy such news is noted and takes effect when it comes to rest.

"""


def agent_page() -> str:
    """Return the whole page."""
    lines = ["```mermaid", "stateDiagram-v2", "    state rest {"]
    lines += [f"        {_id(state)}: {state.value}" for state in AT_REST]
    lines += ["    }", "    [*] --> rest"]
    lines += [f"    {_id(state)}: {state.value}" for state in AgentState if state not in AT_REST]
    lines += [_arrow(state, what, step) for (state, what), step in _moves()]
    lines += ["```", "", "| state | input | next | effects |", "|---|---|---|---|"]
    lines += [_row(state, what, step) for (state, what), step in _moves()]
    facts = ", ".join(f"`{fact.value}`" for fact in FACTS)
    lines += ["", f"News of facts: {facts}. At rest each leads to rest; busy, it is noted.", ""]
    return _HEAD + "\n".join(lines)


def _moves() -> list[tuple[tuple[AgentState, AgentInput], Step]]:
    """Return the steps that move an agent, without the facts that are the same for every state."""
    usual = {(state, fact) for state in AT_REST for fact in FACTS}
    return [
        (pair, step)
        for pair, step in TRANSITIONS.items()
        if pair not in usual and (step.to is not Target.STAY or step.effects)
    ]


def _id(state: AgentState) -> str:
    return state.value.replace("-", "_")


def _to(state: AgentState, step: Step) -> str:
    if step.to is Target.REST:
        return "rest"
    return _id(step.to) if isinstance(step.to, AgentState) else _id(state)


def _arrow(state: AgentState, what: AgentInput, step: Step) -> str:
    return f"    {_id(state)} --> {_to(state, step)}: {what.value}"


def _row(state: AgentState, what: AgentInput, step: Step) -> str:
    to = state if step.to is Target.STAY else step.to
    effects = ", ".join(effect.value for effect in step.effects)
    return f"| {state.value} | `{what.value}` | {to.value} | {effects} |"


def main() -> None:
    """Write the page below the current folder."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(agent_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
