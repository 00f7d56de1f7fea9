"""Queues with their live figures; as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cti.desk import looks
from cti.desk.text import clock, fit, percent
from cti.desk.widgets.panel import StatePanel
from cti.schema import QueueView

_Column = tuple[str, int, Callable[[QueueView, float], Text]]


def _plain(value: object, colour: str = looks.TEXT) -> Text:
    return Text(str(value), colour)


def _waiting(queue: QueueView, _now: float) -> Text:
    return Text(str(queue.waiting), f"bold {looks.AMBER}" if queue.waiting else looks.FAINT)


def _longest(queue: QueueView, now: float) -> Text:
    if queue.longest_since is None:
        return Text("–", looks.FAINT)
    waited = now - queue.longest_since
    return Text(clock(waited), f"bold {looks.wait_colour(waited, queue.service_level_s)}")


def _free(queue: QueueView, _now: float) -> Text:
    none_for_waiting = queue.agents_available == 0 and queue.waiting > 0
    colour = looks.RED if none_for_waiting else looks.GREEN if queue.agents_available else looks.DIM
    return Text(f"{queue.agents_available}/{queue.agents_signed_on}", colour)


def _level(queue: QueueView, _now: float) -> Text:
    colour = looks.level_colour(queue.service_level)
    return Text(percent(queue.service_level), f"bold {colour}")


def _bar(queue: QueueView, _now: float) -> Text:
    if queue.service_level is None:
        return Text("·" * 10, looks.FAINT)
    full = round(queue.service_level * 10)
    colour = looks.level_colour(queue.service_level)
    return Text.assemble(("━" * full, colour), ("━" * (10 - full), looks.PANEL))


def _lost(queue: QueueView, _now: float) -> Text:
    return Text(str(queue.abandoned), looks.RED if queue.abandoned else looks.FAINT)


# Key of the heading, width of the screen from which on the column is shown, cell.
_COLUMNS: tuple[_Column, ...] = (
    ("queues.waiting", 0, _waiting),
    ("queues.longest", 0, _longest),
    ("queues.free", 0, _free),
    ("queues.talking", 60, lambda queue, _now: _plain(queue.talking)),
    ("queues.answered", 70, lambda queue, _now: _plain(queue.answered)),
    ("queues.abandoned", 60, _lost),
    ("queues.level_short", 0, _level),
    ("", 90, _bar),
    ("queues.average_wait", 100, lambda queue, _now: _plain(clock(queue.average_wait_s))),
    ("queues.average_talk", 100, lambda queue, _now: _plain(clock(queue.average_talk_s))),
)


class QueueTable(StatePanel):
    """One row a queue, the busiest first."""

    def on_mount(self) -> None:
        """Put the title into the frame."""
        self.border_title = self.words("queues.title")

    def drawing(self, width: int, height: int) -> RenderableType:
        """The table; rows that do not fit are counted."""
        columns = [column for column in _COLUMNS if width >= column[1]]
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True, ratio=1, min_width=6, overflow="ellipsis")
        for _ in columns:
            table.add_column(no_wrap=True, justify="right")
        table.add_row(
            Text(self.words("queues.queue"), looks.FAINT),
            *(Text(self.words(key) if key else "", looks.FAINT) for key, _, _ in columns),
        )
        queues = sorted(self.state.queues.values(), key=lambda queue: (-queue.waiting, queue.title))
        room = max(1, height - 1)
        shown = queues if len(queues) <= room else queues[: max(0, room - 1)]
        for queue in shown:
            title = Text(fit(queue.title or queue.queue, max(8, width // 3)), looks.TEXT)
            table.add_row(title, *(cell(queue, self.now()) for _, _, cell in columns))
        if len(shown) < len(queues):
            more = self.words("board.more", count=len(queues) - len(shown))
            table.add_row(Text(more, looks.FAINT))
        return table
