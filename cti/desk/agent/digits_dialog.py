"""A window in which each key is sent to the far end at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.message import Message
from textual.widgets import Static

from cti.desk.text import Words
from cti.desk.widgets.window import Window

KEYS = frozenset("0123456789*#ABCD")


class DigitsDialog(Window[None]):
    """Stays open until Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,f9", "close", "Close", id="digits.close", tooltip="Close the keypad")
    ]
    HELP = "Press 0 to 9, * and #; each is sent at once."

    @dataclass
    class Pressed(Message):
        """A key was pressed."""

        digit: str

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self._sent = ""

    def compose(self) -> ComposeResult:
        """What was sent so far."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._words("digits.title")
            yield Static("", id="digits-sent")
            yield Static(self._words("digits.hint"), classes="hint")

    def on_key(self, event: Key) -> None:
        """Send a key that phones have."""
        digit = (event.character or "").upper()
        if digit in KEYS and digit:
            event.stop()
            self._sent += digit
            self.query_one("#digits-sent", Static).update(self._sent[-40:])
            self.post_message(self.Pressed(digit))

    def action_close(self) -> None:
        """Back to the call."""
        self.dismiss(None)
