"""What a campaign wants said: beside the card where there is room, else in a window."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Markdown, Static

from cti.desk.text import Words
from cti.desk.widgets.window import Window


class ScriptPanel(VerticalScroll):
    """The script of the contact on the card; hidden while there is none."""

    can_focus = False

    def __init__(self, words: Words, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = words("outbound.script_title")
        self.tooltip = words("help.script")
        self._script = ""
        self.display = False

    def compose(self) -> ComposeResult:
        """The text alone. Links are not opened: a list may have put them there."""
        yield Markdown(open_links=False)

    def follow(self, script: str) -> None:
        """The script of the contact is this one now."""
        if script == self._script:
            return
        self._script = script
        self.display = bool(script)
        self.query_one(Markdown).update(script)
        self.scroll_home(animate=False)


class ScriptScreen(Window[None]):
    """The script on the whole screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g,q", "close", "Close", id="script.close", tooltip="Close the script")
    ]
    HELP = "The script of the campaign; the arrows move it."

    def __init__(self, words: Words, script: str) -> None:
        super().__init__()
        self._words = words
        self._script = script

    def compose(self) -> ComposeResult:
        """Text and hint."""
        with VerticalScroll(classes="dialog wide") as dialog:
            dialog.border_title = self._words("outbound.script_title")
            yield Markdown(self._script, open_links=False)
            yield Static(self._words("outbound.script_hint"), classes="hint")

    def action_close(self) -> None:
        """Back to the card."""
        self.dismiss(None)
