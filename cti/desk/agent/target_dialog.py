"""A window for whom to consult or transfer to: an agent, a queue, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from cti.desk import looks
from cti.desk.agent.dial_dialog import clean_number
from cti.desk.text import Words, fit
from cti.desk.widgets.window import Window
from cti.schema import DirectoryEntry

_SHOWN = 12


def matching(entries: Sequence[DirectoryEntry], text: str) -> list[DirectoryEntry]:
    """Those whose id or name has the text, free ones first."""
    wanted = text.strip().casefold()
    found = [e for e in entries if wanted in e.id.casefold() or wanted in e.name.casefold()]
    return sorted(found, key=lambda e: (e.kind != "queue" and e.state != "available", e.id))


class TargetDialog(Window[DirectoryEntry | None]):
    """Gives an agent, a queue, or an entry of kind `number`; None: nobody."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="target.close", tooltip="Close without choosing"),
        Binding("down", "list", "List", id="target.list", tooltip="Go to the list", show=False),
    ]
    HELP = "Type a number, or part of a name; the list shows who is free."

    def __init__(self, words: Words, entries: Sequence[DirectoryEntry]) -> None:
        super().__init__()
        self._words = words
        self._entries = tuple(entries)
        self._found: list[DirectoryEntry] = []

    def compose(self) -> ComposeResult:
        """A field, and below it who fits."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._words("target.title")
            yield Input(placeholder=self._words("target.placeholder"), max_length=32)
            yield OptionList()
            yield Static(self._words("target.hint"), classes="hint", id="target-hint")

    def on_mount(self) -> None:
        """Show everybody."""
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show who fits."""
        self._fill(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: a number that is nobody's here is called; else the first of the list."""
        number = clean_number(event.value)
        if self._found and (number is None or self._found[0].id == number):
            self.dismiss(self._found[0])
        elif number is not None:
            self.dismiss(DirectoryEntry(kind="number", id=number))
        else:
            hint = self.query_one("#target-hint", Static)
            hint.update(self._words("dial.wrong"))
            hint.add_class("wrong")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click in the list."""
        self.dismiss(self._found[event.option_index])

    def action_list(self) -> None:
        """From the field into the list."""
        self.query_one(OptionList).focus()

    def action_close(self) -> None:
        """Choose nobody."""
        self.dismiss(None)

    def _fill(self, text: str) -> None:
        self._found = matching(self._entries, text)[:_SHOWN]
        shown = self.query_one(OptionList)
        shown.clear_options()
        shown.add_options([Option(self._line(each)) for each in self._found])

    def _line(self, each: DirectoryEntry) -> Text:
        words = self._words
        is_free = each.kind == "queue" or each.state == "available"
        colour = looks.TEAL if is_free else looks.DIM
        if each.kind == "queue":
            state = words("target.queue", waiting=each.waiting, free=each.available)
        else:
            state = words.state(each.state)
        return Text.assemble(
            (f"{each.id:<8}", looks.BLUE),
            (f"{fit(each.name, 16):<17}", looks.TEXT),
            (state, colour),
        )
