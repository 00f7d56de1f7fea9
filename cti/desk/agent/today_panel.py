"""The agent's own numbers since midnight."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table

from cti.desk import looks
from cti.desk.text import clock, percent
from cti.desk.widgets.panel import StatePanel
from cti.schema import AgentFiguresView


class TodayPanel(StatePanel):
    """Two columns of figures."""

    def on_mount(self) -> None:
        """Put the title into the frame."""
        self.border_title = self.words("today.title")

    def drawing(self, width: int, height: int) -> RenderableType:
        """Label and value, twice a row."""
        figures = self.state.figures or AgentFiguresView(agent_id="")
        talk_s = figures.talk_s - figures.hold_s
        average = talk_s / figures.answered if figures.answered else 0.0
        cells = [
            ("answered", str(figures.answered)),
            ("missed", str(figures.missed)),
            ("average", clock(average)),
            ("occupancy", percent(figures.occupancy)),
            ("talk", clock(talk_s)),
            ("hold", clock(figures.hold_s)),
            ("wrap_up", clock(figures.wrap_up_s)),
            ("not_ready", clock(sum(figures.not_ready_s.values()))),
        ]
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        for _ in range(2):
            table.add_column(style=looks.DIM, no_wrap=True, ratio=3)
            table.add_column(style=f"bold {looks.TEXT}", no_wrap=True, justify="right", ratio=2)
        for left, right in zip(cells[::2], cells[1::2], strict=True):
            table.add_row(
                self.words(f"today.{left[0]}"),
                left[1],
                self.words(f"today.{right[0]}"),
                right[1],
            )
        return table
