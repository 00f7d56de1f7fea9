"""Who did what to a campaign, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from cti.desk import looks
from cti.desk.text import Words, day_and_time, fit
from cti.desk.widgets.window import Window
from cti.schema_campaign_requests import AuditView

_LONGEST: Final = 4000
"""Cells of a change: windows of many regions are long."""
_STATES: Final = ("draft", "running", "paused", "finished")


def in_words(entry: AuditView, words: Words) -> tuple[str, str]:
    """What somebody did, and what of it is to be added."""
    if entry.what == "change" and entry.words == "created":
        return words("log.created"), ""
    before, arrow, after = entry.words.partition(" -> ")
    if entry.what == "change" and arrow and before in _STATES and after in _STATES:
        moved = (words.get(f"campaign.state_{each}", each) for each in (before, after))
        return words("log.moved"), " → ".join(moved)
    what = words.get(f"log.{entry.what}", entry.what.replace("-", " "))
    return what, fit(entry.words, _LONGEST)


class LogScreen(Window[None]):
    """Newest first; closes with Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f6,q", "close", "Close", id="log.close", tooltip="Back to the campaigns")
    ]
    HELP = "Who did what to the campaign, newest first."

    def __init__(self, words: Words, title: str, log: Sequence[AuditView], now: float) -> None:
        super().__init__()
        self._words = words
        self._title = title
        self._log = tuple(log)
        self._now = now

    def compose(self) -> ComposeResult:
        """When, who, what."""
        with VerticalScroll(classes="dialog wide high") as dialog:
            dialog.border_title = self._words("log.title", campaign=self._title)
            table = Table.grid(padding=(0, 2, 0, 0), expand=True)
            table.add_column(no_wrap=True, style=looks.DIM)
            table.add_column(no_wrap=True, style=looks.BLUE)
            table.add_column(no_wrap=True, style=looks.TEXT)
            table.add_column(ratio=1, style=looks.DIM, overflow="fold")
            for each in self._log:
                what, more = in_words(each, self._words)
                table.add_row(day_and_time(each.at, self._now), fit(each.by, 16), what, more)
            yield Static(table if self._log else Text(self._words("log.none"), looks.FAINT))
            yield Static(self._words("outbound.script_hint"), classes="hint")

    def action_close(self) -> None:
        """Back to the campaigns."""
        self.dismiss(None)
