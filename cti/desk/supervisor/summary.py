"""The floor in six figures, large enough for a screen on the wall."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.renderables.digits import Digits

from cti.desk import looks
from cti.desk.state import DeskState
from cti.desk.text import clock, percent
from cti.desk.widgets.panel import StatePanel

Figure = tuple[str, str, str]
"""Catalogue key, value, colour."""


def figures(state: DeskState, now: float) -> tuple[Figure, ...]:
    """Waiting, longest wait, service level, free, talking, lost: over all queues."""
    queues = tuple(state.queues.values())
    waiting = sum(queue.waiting for queue in queues)
    free = sum(agent.state == "available" for agent in state.agents.values())
    talking = sum(agent.state in ("talking", "held") for agent in state.agents.values())
    lost = sum(queue.abandoned for queue in queues)
    longest = min((q for q in queues if q.longest_since is not None), default=None, key=_since)
    wait, wait_colour = "–", looks.FAINT
    if longest is not None:
        waited = now - _since(longest)
        wait, wait_colour = clock(waited), looks.wait_colour(waited, longest.service_level_s)
    level = service_level(state)
    return (
        ("board.waiting", str(waiting), looks.AMBER if waiting else looks.FAINT),
        ("board.longest", wait, wait_colour),
        ("board.level", percent(level).replace(" ", ""), looks.level_colour(level)),
        ("board.free", str(free), looks.GREEN if free else looks.RED if waiting else looks.DIM),
        ("board.talking", str(talking), looks.BLUE if talking else looks.FAINT),
        ("board.lost", str(lost), looks.RED if lost else looks.FAINT),
    )


def service_level(state: DeskState) -> float | None:
    """Answered within T / (answered + abandoned after T), over all queues."""
    within = counted = 0
    for queue in state.queues.values():
        within += queue.answered_within
        counted += queue.answered + queue.abandoned - queue.abandoned_within
    return within / counted if counted else None


def _since(queue: object) -> float:
    since = getattr(queue, "longest_since", None)
    return float(since) if since is not None else float("inf")


class Summary(StatePanel):
    """Six columns; tall figures where there are five lines."""

    def drawing(self, width: int, height: int) -> RenderableType:
        """Figure above its name."""
        table = Table.grid(expand=True)
        cells: list[RenderableType] = []
        for key, value, colour in figures(self.state, self.now()):
            table.add_column(justify="center", ratio=1, no_wrap=True)
            name = self.words(key)
            if height >= 4:
                # The tall figures have no percent sign.
                label = Text(f"{name} %" if value.endswith("%") else name, looks.DIM)
                label.justify = "center"
                cells.append(Group(_tall(value.rstrip("%"), colour, width // 6), label))
            else:
                label = Text(name, looks.DIM, justify="center", overflow="ellipsis")
                number = Text.assemble((value, f"bold {colour}"), justify="center")
                cells.append(Group(number, label))
        table.add_row(*cells)
        return table


def _tall(value: str, colour: str, width: int) -> RenderableType:
    """Figures three lines high; the renderable left-aligns, so it is padded to the middle."""
    cells = Digits.get_width(value)
    if value == "–" or cells > width:
        return Text(f"\n{value}\n", f"bold {colour}", justify="center")
    grid = Table.grid()
    grid.add_column(width=max(0, (width - cells) // 2))
    grid.add_column(width=cells)
    grid.add_row("", Digits(value, style=f"bold {colour}"))
    return grid
