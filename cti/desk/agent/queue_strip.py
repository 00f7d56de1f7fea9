"""Queues and own numbers in two lines, for screens without room for panels."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from cti.desk import looks
from cti.desk.text import clock, fit, percent
from cti.desk.widgets.panel import StatePanel
from cti.schema import QueueView


class QueueStrip(StatePanel):
    """First line: the queues, busiest first. Second line: today."""

    def drawing(self, width: int, height: int) -> RenderableType:
        """As many queues as fit; none is cut in two."""
        line = Text()
        queues = sorted(self.state.queues.values(), key=lambda queue: (-queue.waiting, queue.title))
        for queue in queues:
            piece = self._queue(queue)
            gap = 3 if line.cell_len else 0
            if line.cell_len + gap + piece.cell_len > width:
                break
            line.append(" " * gap)
            line.append_text(piece)
        if not queues:
            line.append(self.words("queues.none"), looks.FAINT)
        return Text("\n").join((line, self._today(width)))

    def _queue(self, queue: QueueView) -> Text:
        words = self.words
        waiting_colour = looks.AMBER if queue.waiting else looks.DIM
        text = Text(f"{fit(queue.title or queue.queue, 16)} ", f"bold {looks.TEXT}")
        text.append(words("queues.strip", waiting=queue.waiting), waiting_colour)
        if queue.longest_since is not None:
            waited = self.now() - queue.longest_since
            text.append(f" {clock(waited)}", looks.wait_colour(waited, queue.service_level_s))
        text.append(f" {words('queues.strip_free', free=queue.agents_available)}", looks.DIM)
        if queue.service_level is not None:
            text.append(f" {percent(queue.service_level)}", looks.level_colour(queue.service_level))
        return text

    def _today(self, width: int) -> Text:
        figures, words = self.state.figures, self.words
        text = Text(f"{words('today.title')} ", looks.FAINT)
        if figures is None:
            return text
        talk_s = figures.talk_s - figures.hold_s
        average = talk_s / figures.answered if figures.answered else 0.0
        parts = (
            ("answered", str(figures.answered)),
            ("missed", str(figures.missed)),
            ("average_short", clock(average)),
            ("not_ready", clock(sum(figures.not_ready_s.values()))),
            ("occupancy", percent(figures.occupancy)),
        )
        for key, value in parts:
            piece = Text.assemble(
                ("  " + words(f"today.{key}") + " ", looks.FAINT), (value, looks.DIM)
            )
            if text.cell_len + piece.cell_len > width:
                break
            text.append_text(piece)
        return text
