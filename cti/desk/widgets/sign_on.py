"""The first screen: who is there?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Button, Input, Label, Static

from cti.client import ApiClient, ApiError, ServerUnreachableError
from cti.desk.text import Words
from cti.schema import SignOnReply

Check = Callable[[SignOnReply], str | None]
"""The catalogue key of why this user cannot work here; None when all is well."""


class SignOnScreen(Screen[SignOnReply]):
    """Asks for login and password until the server takes them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q,escape", "app.quit", "Quit", id="sign_on.quit", tooltip="Leave"),
        # Taken before the next key is looked at: a password that is typed ahead, by hand or by a
        # password manager, must not land in the field whose text everybody can read.
        Binding("tab", "app.focus_next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
        Binding("enter", "next", show=False, priority=True),
    ]
    HELP = "Enter login and password; Enter signs on."

    def __init__(
        self, words: Words, api: ApiClient, check: Check, *, login: str = "", password: str = ""
    ) -> None:
        super().__init__()
        self._words = words
        self._api = api
        self._check = check
        self._login = login
        self._password = password

    def compose(self) -> ComposeResult:
        """Two fields and a button in the middle."""
        words = self._words
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"Switchroom · {words('sign_on.title')}"
            yield Label(words("sign_on.login"))
            yield Input(value=self._login, id="login", max_length=64)
            yield Label(words("sign_on.password"))
            yield Input(value=self._password, password=True, id="password", max_length=256)
            yield Button(words("sign_on.button"), variant="primary", id="sign-on")
            server = words("sign_on.server", server=self._api.base_url)
            yield Static(server, classes="hint", id="sign-on-hint")

    def on_mount(self) -> None:
        """Sign on at once when both are known; else ask for what is missing."""
        if self._login and self._password:
            self._sign_on()
        elif self._login:
            self.query_one("#password", Input).focus()

    def action_next(self) -> None:
        """Enter goes to the password, then signs on."""
        password = self.query_one("#password", Input)
        if self.focused is self.query_one("#login", Input) and not password.value:
            self.set_focus(password)  # at once, as `focus` is not
        else:
            self._sign_on()

    def on_button_pressed(self, _event: Button.Pressed) -> None:
        """The button was pressed."""
        self._sign_on()

    @work(exclusive=True)
    async def _sign_on(self) -> None:
        words = self._words
        self._say(words("sign_on.busy"), wrong=False)
        login = (await self._typed("#login")).strip()
        password = await self._typed("#password")
        try:
            reply = await self._api.sign_on(login, password)
        except ApiError as exc:
            text = words("sign_on.wrong") if exc.status == 401 else exc.problem.message
            self._say(text, wrong=True)
            self.query_one("#password", Input).value = ""
            self.query_one("#password", Input).focus()
        except ServerUnreachableError:
            self._say(words("sign_on.unreachable", server=self._api.base_url), wrong=True)
        else:
            complaint = self._check(reply)
            if complaint is None:
                self.dismiss(reply)
            else:
                self._say(words(complaint), wrong=True)

    async def _typed(self, field: str) -> str:
        """What stands in a field once all keys are in it that were pressed before."""
        done = asyncio.Event()
        entry = self.query_one(field, Input)
        entry.call_later(done.set)
        await done.wait()
        return entry.value

    def _say(self, text: str, *, wrong: bool) -> None:
        hint = self.query_one("#sign-on-hint", Static)
        hint.update(text)
        hint.set_class(wrong, "wrong")
