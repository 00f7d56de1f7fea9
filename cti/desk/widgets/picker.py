"""A window to choose one of a few things, by figure, by arrow or with the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from cti.desk import looks
from cti.desk.text import Words
from cti.desk.widgets.window import Window


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose."""

    id: str
    title: str
    detail: str = ""


class Picker(Window[str | None]):
    """Gives the id of the choice, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="picker.close", tooltip="Close without choosing")
    ]
    HELP = "Choose with the arrows and Enter, or press the figure in front of a line."

    def __init__(
        self, words: Words, title: str, choices: Sequence[Choice], *, nothing: str = ""
    ) -> None:
        """`nothing` says why there are no choices; without it, that none are configured."""
        super().__init__()
        self._words = words
        self._title = title
        self._choices = tuple(choices)
        self._nothing = nothing or words("pick.nothing")

    def compose(self) -> ComposeResult:
        """Title, list, hint."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._title
            if self._choices:
                yield OptionList(
                    *(
                        Option(self._line(i, each), id=each.id)
                        for i, each in enumerate(self._choices)
                    )
                )
                yield Static(self._words("pick.hint"), classes="hint")
            else:
                yield Static(self._nothing)

    def _line(self, index: int, choice: Choice) -> Text:
        figure = str(index + 1) if index < 9 else " "
        line = Text.assemble((f"{figure}  ", looks.BLUE), (choice.title, looks.TEXT))
        if choice.detail:
            line.append(f"\n   {choice.detail}", looks.DIM)
        return line

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click."""
        self.dismiss(event.option.id)

    def on_key(self, event: Key) -> None:
        """A figure chooses at once."""
        if event.character is not None and event.character in "123456789":
            index = int(event.character) - 1
            if index < len(self._choices):
                event.stop()
                self.dismiss(self._choices[index].id)

    def action_close(self) -> None:
        """Choose nothing."""
        self.dismiss(None)
