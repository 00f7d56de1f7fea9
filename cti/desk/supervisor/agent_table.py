"""All agents: who is doing what, for how long, with whom."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
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
_LEAST_CELLS = 10
"""Of a name, and of a state."""
_MARK_AND_TIME_CELLS = 11
"""The mark before the name, the time, and the space between name and state."""


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
        columns = self._columns(shown, width // blocks)
        cells = [self._row(agent, width // blocks, columns) for agent in shown]
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

    def _columns(self, agents: Iterable[AgentView], width: int) -> tuple[int, int]:
        """Cells of name and state in all rows: as the longest want it, as far as there is room."""
        names, states = [_LEAST_CELLS], [_LEAST_CELLS]
        for agent in agents:
            names.append(cell_len(agent.name or agent.agent_id))
            states.append(cell_len(self._state(agent)))
        room = width - _MARK_AND_TIME_CELLS
        name = min(max(names), max(_LEAST_CELLS, width // 3))
        return name, max(_LEAST_CELLS, min(max(states), room - name))

    def _state(self, agent: AgentView) -> str:
        state = self.words.state(agent.state)
        if agent.reason and agent.state == "not-ready":
            state += f" · {self.words.reason(agent.reason)}"
        return state

    def _row(self, agent: AgentView, width: int, columns: tuple[int, int]) -> Text:
        colour = looks.STATE_COLOURS.get(agent.state, looks.DIM)
        text = Text("● ", colour)
        text.append(_padded(agent.name or agent.agent_id, columns[0]), looks.TEXT)
        text.append(" " + _padded(self._state(agent), columns[1]), colour)
        text.append(f"{clock(self.now() - self._since(agent)):>8}", looks.TEXT)
        peer = self._peer(agent)
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
