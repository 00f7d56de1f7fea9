"""All keys and what they do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from cti.desk import looks
from cti.desk.keys import KeyDef
from cti.desk.text import Words
from cti.desk.widgets.window import Window


class HelpScreen(Window[None]):
    """Closes with Esc or F1."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "close", "Close", id="help.close", tooltip="Close help")
    ]
    HELP = "All keys and what they do."

    def __init__(self, words: Words, keys: Iterable[KeyDef], more: str = "help.more") -> None:
        """`more` is the catalogue key of what else there is to know."""
        super().__init__()
        self._more = more
        self._words = words
        self._keys = tuple(keys)

    def compose(self) -> ComposeResult:
        """Key, short word, what it does."""
        words = self._words
        table = Table.grid(padding=(0, 2))
        table.add_column(style=f"bold {looks.BLUE}", no_wrap=True)
        table.add_column(style=looks.TEXT, no_wrap=True)
        table.add_column(style=looks.DIM)
        for key in self._keys:
            for verb in key.verbs:
                table.add_row(
                    key.shown.replace("^", "Ctrl+"), words(f"key.{verb}"), words(f"help.{verb}")
                )
        with VerticalScroll(classes="dialog wider high") as dialog:
            dialog.border_title = words("help.title")
            dialog.border_subtitle = words("help.scroll")
            yield Static(table)
            yield Static(words(self._more), classes="hint")

    def action_close(self) -> None:
        """Back to work."""
        self.dismiss(None)
