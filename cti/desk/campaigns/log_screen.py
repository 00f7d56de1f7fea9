"""Who did what to a campaign, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from cti.desk import looks
from cti.desk.text import Words, day_and_time, fit
from cti.schema_campaign_requests import AuditView


class LogScreen(ModalScreen[None]):
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
                what = self._words.get(f"log.{each.what}", each.what.replace("-", " "))
                table.add_row(
                    day_and_time(each.at, self._now), fit(each.by, 16), what, fit(each.words, 400)
                )
            yield Static(table if self._log else Text(self._words("log.none"), looks.FAINT))
            yield Static(self._words("outbound.script_hint"), classes="hint")

    def action_close(self) -> None:
        """Back to the campaigns."""
        self.dismiss(None)
