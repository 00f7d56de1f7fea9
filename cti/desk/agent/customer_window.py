"""A window with one customer: who it is, what happened before, and its numbers to call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from rich.console import Group, RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from cti.desk import looks
from cti.desk.agent import customer_rows
from cti.desk.text import Words, fit, spaced_number
from cti.desk.widgets.window import Window
from cti.schema import ContactPoint, CustomerCard

_MOST_CONTACTS: Final = 10
"""As many as a card has."""
_OTHER_ROWS: Final = 16
"""What else needs room: frame, name, numbers, hint."""


class CustomerWindow(Window[str | None]):
    """Gives the number to call, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="found.close", tooltip="Back to the search")
    ]
    HELP = "Enter calls the number; without one there is only something to read."

    def __init__(
        self,
        words: Words,
        customer: CustomerCard,
        now: float,
        titles: Mapping[str, str],
        *,
        may_dial: bool,
    ) -> None:
        """`titles` are outcomes in words, by code; `may_dial`: the agent may call now."""
        super().__init__()
        self._words = words
        self._customer = customer
        self._now = now
        self._titles = titles
        phones = [each for each in customer.contact_points if each.kind == "phone"]
        self._phones = phones if may_dial else []

    def compose(self) -> ComposeResult:
        """The card, and below it the numbers."""
        words = self._words
        with Vertical(classes="dialog wide high") as dialog:
            dialog.border_title = words("find.customer")
            yield _Facts(self)
            if self._phones:
                yield OptionList(*(Option(self._line(each)) for each in self._phones))
            hint = "find.dial_hint" if self._phones else "find.read_hint"
            yield Static(words(hint), classes="hint")

    def facts(self, width: int) -> RenderableType:
        """The card in so many cells."""
        words, customer = self._words, self._customer
        rows: list[RenderableType] = [customer_rows.name_line(customer, words, width)]
        points = "  ·  ".join(_shown(each) for each in customer.contact_points)
        rows.append(Text(fit(points, width), looks.DIM))
        if customer.remarks:
            label = words("contact.remark")
            rows.append(customer_rows.labelled(label, customer.remarks, width, looks.AMBER))
        lines = customer_rows.past_contacts(customer, words, self._now, self._titles)
        head = words("contact.recent") if lines else words("contact.first")
        most = max(1, min(_MOST_CONTACTS, self.app.size.height - _OTHER_ROWS))
        return Group(*rows, *customer_rows.history(head, lines, width, most + 2))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click: call this number."""
        self.dismiss(self._phones[event.option_index].value)

    def action_close(self) -> None:
        """Call nobody."""
        self.dismiss(None)

    def _line(self, point: ContactPoint) -> Text:
        return Text.assemble(("☎ ", looks.BLUE), (_shown(point), looks.TEXT))


class _Facts(Static):
    """What the window knows, drawn for the width that it has."""

    def __init__(self, window: CustomerWindow) -> None:
        super().__init__(id="found-facts")
        self._window = window

    def on_resize(self, _event: Resize) -> None:
        """Draw for the new size."""
        self.update(self._window.facts(self.content_size.width))


def _shown(point: ContactPoint) -> str:
    return f"{spaced_number(point.value)} {point.label}".strip()
