"""A campaign's settings that can be changed while it runs, with who changed them last."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from cti.desk import looks
from cti.desk.campaigns.changes import FIELDS, Field, Wrong, read, shown, value_of
from cti.desk.text import Words, day_and_time, fit
from cti.desk.widgets.picker import Choice, Picker
from cti.desk.widgets.window import Window
from cti.schema_campaign_requests import AuditView

_NAME_CELLS = 30


class ValueDialog(Window[float | int | str | None]):
    """Gives the value, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="value.close", tooltip="Change nothing")
    ]
    HELP = "Type the value; Enter takes it."

    def __init__(self, words: Words, field: Field, value: Any) -> None:
        super().__init__()
        self._words = words
        self._field = field
        self._value = value

    def compose(self) -> ComposeResult:
        """One field."""
        words, field = self._words, self._field
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = words(field.key)
            yield Input(value=shown(self._value), max_length=16)
            hint = words("change.between", low=f"{field.low:g}", high=f"{field.high:g}")
            yield Static(hint, classes="hint", id="value-hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: take it if it is a value."""
        value = read(self._field, event.value)
        if not isinstance(value, Wrong):
            self.dismiss(value)
            return
        hint = self.query_one("#value-hint", Static)
        hint.update(self._words(value.key, low=value.low, high=value.high))
        hint.add_class("wrong")

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)


class ChangeScreen(Window[dict[str, Any] | None]):
    """Gives what is to be different, by path; None or nothing: all stays as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="change.save", tooltip="Change it", priority=True),
        Binding("escape", "close", "Close", id="change.close", tooltip="Change nothing"),
    ]
    HELP = "Enter changes a line, Ctrl+S lets the changes take effect."

    def __init__(
        self, words: Words, title: str, settings: dict[str, Any], last: AuditView | None, now: float
    ) -> None:
        super().__init__()
        self._words = words
        self._title = title
        self._settings = settings
        self._last = last
        self._now = now
        self._changes: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        """A line for each setting."""
        words = self._words
        with Vertical(classes="dialog wide high") as dialog:
            dialog.border_title = words("change.title", campaign=self._title)
            yield OptionList(*(Option(self._line(each), id=each.path) for each in FIELDS))
            yield Static(self._last_change(), classes="hint")
            yield Static(words("change.hint"), id="change-hint")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a line."""
        path = event.option.id or ""
        field = next(each for each in FIELDS if each.path == path)
        if all(worker.is_finished for worker in self.workers if worker.node is self):
            self._ask(field)  # once, however often the key is pressed

    @work
    async def _ask(self, field: Field) -> None:
        words, value = self._words, self._value(field)
        new: float | int | str | None
        if field.choices:
            choices = [
                Choice(each, words(f"change.{field.path.replace('.', '_')}_{each}"))
                for each in field.choices
            ]
            new = await self.app.push_screen_wait(Picker(words, words(field.key), choices))
        else:
            new = await self.app.push_screen_wait(ValueDialog(words, field, value))
        if new is None:
            return
        if new == value_of(self._settings, field.path):
            self._changes.pop(field.path, None)
        else:
            self._changes[field.path] = new
        self.query_one(OptionList).replace_option_prompt(field.path, self._line(field))

    def action_save(self) -> None:
        """Let them take effect."""
        self.dismiss(self._changes or None)

    def action_close(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    def _value(self, field: Field) -> Any:
        return self._changes.get(field.path, value_of(self._settings, field.path))

    def _line(self, field: Field) -> Text:
        words = self._words
        name = fit(words(field.key), _NAME_CELLS)
        line = Text(name, looks.TEXT)
        line.append(" " * (_NAME_CELLS + 2 - line.cell_len))
        old = value_of(self._settings, field.path)
        if field.path in self._changes:
            line.append(f"{self._spoken(field, old)} → ", looks.DIM)
            line.append(self._spoken(field, self._changes[field.path]), f"bold {looks.AMBER}")
        else:
            line.append(self._spoken(field, old), f"bold {looks.TEXT}")
        return line

    def _spoken(self, field: Field, value: Any) -> str:
        if not field.choices or value is None:
            return shown(value)
        key = f"change.{field.path.replace('.', '_')}_{value}"
        return self._words.get(key, str(value))

    def _last_change(self) -> str:
        last, words = self._last, self._words
        if last is None:
            return words("change.never")
        time = day_and_time(last.at, self._now)
        return fit(words("change.last", by=last.by, time=time, what=last.words), 78)
