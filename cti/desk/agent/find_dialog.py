"""A window to look a customer up by name, company or number, without a contact."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Final

from rich.cells import set_cell_size
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from cti.client import ApiClient, ApiError, ServerUnreachableError
from cti.desk import looks
from cti.desk.agent.customer_rows import outcome_titles
from cti.desk.agent.customer_window import CustomerWindow
from cti.desk.agent.dial_dialog import clean_number
from cti.desk.agent.window_screen import Show
from cti.desk.state import DeskState, allowed_actions
from cti.desk.text import Words, fit, spaced_number
from cti.desk.widgets.window import Window
from cti.schema import CustomerCard

Search = Callable[[str, str], Awaitable[Sequence[CustomerCard]]]
"""Gives the customers of a number, or else those with a name like this."""

_TYPING_S: Final = 0.25
"""Who types on within this is not asked for in between."""
_NAME_CELLS: Final = 24


class FindDialog(Window[CustomerCard | None]):
    """Gives a customer, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="find.close", tooltip="Close without looking"),
        Binding("down", "list", "List", id="find.list", tooltip="Go to the list", show=False),
    ]
    HELP = "Type the beginning of a name or company, or a whole number."

    def __init__(self, words: Words, search: Search, typed: str = "") -> None:
        """`typed` stands in the field already."""
        super().__init__()
        self._words = words
        self._search = search
        self._typed = typed
        self._found: tuple[CustomerCard, ...] = ()

    @property
    def typed(self) -> str:
        """What is looked for; also once the window is closed."""
        return self._typed.strip()

    def compose(self) -> ComposeResult:
        """A field, and below it who was found."""
        words = self._words
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = words("find.title")
            yield Input(value=self._typed, placeholder=words("find.placeholder"), max_length=120)
            yield OptionList()
            yield Static(words("find.hint"), classes="hint", id="find-hint")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for it as soon as nobody types on."""
        self._typed = event.value
        self._look(_TYPING_S)

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Enter: look for it now, and go to who was found."""
        self._look(0.0, goes_on=True)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click in the list."""
        self.dismiss(self._found[event.option_index])

    def action_list(self) -> None:
        """From the field into the list."""
        self.query_one(OptionList).focus()

    def action_close(self) -> None:
        """Look at nobody."""
        self.dismiss(None)

    @work(exclusive=True, group="search")
    async def _look(self, pause_s: float, *, goes_on: bool = False) -> None:
        await asyncio.sleep(pause_s)
        text = self.typed
        number = clean_number(text) or ""
        try:
            found = await self._search(number, "" if number else text) if text else ()
        except ApiError as error:
            self._say(error.problem.message, wrong=True)
            return
        except ServerUnreachableError:
            self._say(self._words("find.unreachable"), wrong=True)
            return
        self._show(tuple(found))
        if goes_on and len(self._found) == 1:
            self.dismiss(self._found[0])
        elif goes_on and self._found:
            self.action_list()

    def _show(self, found: tuple[CustomerCard, ...]) -> None:
        self._found = found
        shown = self.query_one(OptionList)
        shown.clear_options()
        shown.add_options([Option(self._line(each)) for each in found])
        shown.highlighted = 0 if found else None
        nobody = bool(self.typed) and not found
        self._say(self._words("find.nobody" if nobody else "find.hint"), wrong=nobody)

    def _line(self, each: CustomerCard) -> Text:
        phones = [point.value for point in each.contact_points if point.kind == "phone"]
        number = spaced_number(phones[0]) if phones else ""
        return Text.assemble(
            (set_cell_size(fit(each.name, _NAME_CELLS), _NAME_CELLS + 1), looks.TEXT),
            (set_cell_size(fit(each.company, _NAME_CELLS), _NAME_CELLS + 1), looks.DIM),
            (number, looks.BLUE),
        )

    def _say(self, text: str, *, wrong: bool) -> None:
        hint = self.query_one("#find-hint", Static)
        hint.update(text)
        hint.set_class(wrong, "wrong")


async def ask_found(
    show: Show, words: Words, api: ApiClient, state: Callable[[], DeskState]
) -> str | None:
    """Look at customers, one after the other; gives the number of one who is to be called."""

    def search(number: str, name: str) -> Awaitable[Sequence[CustomerCard]]:
        return api.customers(number=number, name=name)

    typed = ""
    while "find" in (allowed := allowed_actions(state())):
        dialog = FindDialog(words, search, typed)
        customer = await show(dialog)
        if customer is None:
            return None
        typed = dialog.typed
        titles = outcome_titles(state().dispositions, words)
        window = CustomerWindow(
            words, customer, api.server_time(), titles, may_dial="dial" in allowed
        )
        number = await show(window)
        if number is not None:
            return number
    return None
