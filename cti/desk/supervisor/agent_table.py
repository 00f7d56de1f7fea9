"""All agents: who is doing what, for how long, with whom."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.state import DeskState, shown_since
from cti.desk.text import clock, fit, spaced_number
from cti.desk.widgets.panel import StatePanel
from cti.schema import AgentView

_ORDER = (
    "ringing",
    "reserved",
    "talking",
    "held",
    "engaged",
    "wrap-up",
    "available",
    "not-ready",
    "logged-out",
)
_COLUMN_CELLS = 58
"""Cells one block of the table needs; as many blocks side by side as fit."""
_STATE_CELLS = 32
"""Cells the longest state with its reason needs."""


def in_order(state: DeskState) -> list[AgentView]:
    """Signed-on agents: on contacts first, then free, then away; longest first."""

    def place(agent: AgentView) -> tuple[int, float]:
        known = agent.state in _ORDER
        return (_ORDER.index(agent.state) if known else len(_ORDER), agent.since)

    return sorted((a for a in state.agents.values() if a.state != "logged-out"), key=place)


class AgentTable(StatePanel):
    """Blocks of rows, filled column by column."""

    def on_mount(self) -> None:
        """Put the title into the frame."""
        self.border_title = self.words("board.agents")

    def drawing(self, width: int, height: int) -> RenderableType:
        """The table; agents that do not fit are counted."""
        agents = in_order(self.state)
        if not agents:
            return Text(self.words("board.no_agents"), looks.FAINT)
        blocks = max(1, width // _COLUMN_CELLS)
        rows = max(1, height)
        shown = agents if len(agents) <= rows * blocks else agents[: rows * blocks - 1]
        cells = [self._row(agent, width // blocks) for agent in shown]
        if len(shown) < len(agents):
            more = self.words("board.more", count=len(agents) - len(shown))
            cells.append(Text(more, looks.FAINT))
        table = Table.grid(expand=True)
        used = min(blocks, -(-len(cells) // rows))
        per_block = max(rows if used > 1 else len(cells), 1)
        for _ in range(blocks):
            table.add_column(ratio=1, no_wrap=True)
        for row in range(min(per_block, len(cells))):
            table.add_row(*(cells[i] for i in range(row, len(cells), per_block)))
        return table

    def _row(self, agent: AgentView, width: int) -> Text:
        words, colour = self.words, looks.STATE_COLOURS.get(agent.state, looks.DIM)
        name_cells = min(22, max(10, width // 3))
        text = Text("● ", colour)
        text.append(_padded(agent.name or agent.agent_id, name_cells), looks.TEXT)
        state = words.state(agent.state)
        if agent.reason and agent.state == "not-ready":
            state += f" · {words.reason(agent.reason)}"
        peer = self._peer(agent)
        # Nobody beside it: a long reason may have the room.
        state_cells = min(22, max(10, width // 3)) if peer else width - name_cells - 13
        text.append(" " + _padded(state, max(10, min(state_cells, _STATE_CELLS))), colour)
        text.append(f"{clock(self.now() - self._since(agent)):>8}", looks.TEXT)
        room = width - text.cell_len - 3
        if peer and room > 4:
            text.append("  " + fit(peer, room), looks.DIM)
        return text

    def _since(self, agent: AgentView) -> float:
        interaction = self.state.interactions.get(agent.interaction_id or "")
        if interaction is None or agent.state not in ("talking", "engaged"):
            return agent.since
        return shown_since(interaction)

    def _peer(self, agent: AgentView) -> str:
        interaction = self.state.interactions.get(agent.interaction_id or "")
        if interaction is None:
            return ""
        return interaction.customer_name or spaced_number(interaction.caller_number)


def _padded(text: str, cells: int) -> str:
    fitted = fit(text, cells)
    return fitted + " " * (cells - Text(fitted).cell_len)
