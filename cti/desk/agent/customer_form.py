"""Who the caller is: one of those with the number, or a form for one the store does not know yet."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label, Static

from cti.client import ApiClient
from cti.desk.agent.party_dialogs import Try
from cti.desk.agent.window_screen import Show
from cti.desk.text import Words, spaced_number
from cti.desk.widgets.picker import Choice, Picker
from cti.desk.widgets.window import Window
from cti.schema import CustomerRequest, ScreenPop

_NEW_CUSTOMER: Final = "+new"
_FIELDS = (
    ("name", "customer.name", 120),
    ("company", "customer.company", 120),
    ("language", "customer.language_field", 8),
    ("remarks", "customer.remarks", 400),
)


class CustomerForm(Window[CustomerRequest | None]):
    """Gives the customer to create, or None. Its number is the caller's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="customer.save", tooltip="Create it", priority=True),
        Binding("escape", "close", "Close", id="customer.close", tooltip="Close without saving"),
    ]
    HELP = "Tab goes to the next field, Ctrl+S saves."

    def __init__(self, words: Words, number: str, name: str = "") -> None:
        super().__init__()
        self._words = words
        self._number = number
        self._name = name

    def compose(self) -> ComposeResult:
        """A field for each fact."""
        words = self._words
        with Vertical(classes="dialog") as dialog:
            number = spaced_number(self._number) or words("contact.withheld")
            dialog.border_title = f"{words('customer.title')} · {number}"
            for name, key, length in _FIELDS:
                yield Label(words(key))
                value = self._name if name == "name" else ""
                yield Input(value=value, id=f"customer-{name}", max_length=length)
            yield Static(words("customer.hint"), classes="hint", id="customer-hint")

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Enter goes on; in the last field it saves."""
        if self.focused is self.query_one("#customer-remarks", Input):
            self.action_save()
        else:
            self.focus_next()

    def action_save(self) -> None:
        """Create the customer."""
        values = {name: self.query_one(f"#customer-{name}", Input).value for name, _, _ in _FIELDS}
        if values["name"].strip():
            self.dismiss(CustomerRequest(**{key: text.strip() for key, text in values.items()}))
            return
        hint = self.query_one("#customer-hint", Static)
        hint.update(self._words("customer.name_missing"))
        hint.add_class("wrong")

    def action_close(self) -> None:
        """Create nobody."""
        self.dismiss(None)


async def ask_customer(
    show: Show, words: Words, api: ApiClient, pop: ScreenPop, attempt: Try
) -> None:
    """Which of the candidates it is, or who is new; and the command that comes of it."""
    request: CustomerRequest | None = None
    chosen: str | None = _NEW_CUSTOMER
    if pop.candidates:
        choices = [
            Choice(each.customer_id, each.name, f"{each.company}  {each.remarks}".strip())
            for each in pop.candidates
        ]
        choices.append(Choice(_NEW_CUSTOMER, words("pick.new_customer")))
        chosen = await show(Picker(words, words("pick.customer"), choices))
    if chosen == _NEW_CUSTOMER:
        number = pop.new_customer_number or pop.caller_number
        request = await show(CustomerForm(words, number, pop.caller_name))
    elif chosen is not None:
        request = CustomerRequest(customer_id=chosen)
    if request is not None:
        await attempt(api.link_customer(pop.interaction_id, request))
