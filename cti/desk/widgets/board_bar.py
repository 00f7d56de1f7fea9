"""The wallboard's first line."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.state import Link
from cti.desk.text import time_of_day
from cti.desk.widgets.panel import StatePanel


class BoardBar(StatePanel):
    """Name, connection, time of day."""

    def drawing(self, width: int, height: int) -> RenderableType:
        """One row."""
        row = Table.grid(expand=True)
        row.add_column(ratio=1, no_wrap=True)
        row.add_column(justify="right", no_wrap=True)
        up = self.state.link is Link.UP
        title = Text.assemble(
            (f" {self.state.site} ", f"bold {looks.BLUE}"), (self.words("board.title"), looks.DIM)
        )
        right = Text("● ", looks.GREEN if up else looks.RED)
        right.append(f"{time_of_day(self.now())} ", looks.DIM)
        row.add_row(title, right)
        return row
