"""A window for the number to call."""

from __future__ import annotations

import re
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from cti.desk.text import Words
from cti.desk.widgets.window import Window


def clean_number(text: str) -> str | None:
    """The digits of what was typed, with a leading +; None when it is no number."""
    number = re.sub(r"[\s()./-]", "", text)
    return number if re.fullmatch(r"\+?[0-9*#]{1,20}", number) else None


class DialDialog(Window[str | None]):
    """Gives the number, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="dial.close", tooltip="Close without calling")
    ]
    HELP = "Type a number; blanks, dashes and brackets do not matter."

    def __init__(self, words: Words, title: str = "dial.title") -> None:
        super().__init__()
        self._words = words
        self._title = title

    def compose(self) -> ComposeResult:
        """One field."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._words(self._title)
            yield Input(placeholder=self._words("dial.placeholder"), max_length=32)
            yield Static(self._words("dial.hint"), classes="hint", id="dial-hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: call if it is a number."""
        number = clean_number(event.value)
        if number is not None:
            self.dismiss(number)
            return
        hint = self.query_one("#dial-hint", Static)
        hint.update(self._words("dial.wrong"))
        hint.add_class("wrong")

    def action_close(self) -> None:
        """Call nobody."""
        self.dismiss(None)
