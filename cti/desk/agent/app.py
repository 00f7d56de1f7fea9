"""The agent's desk as a program."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from cti.desk.agent.digits_dialog import DigitsDialog
from cti.desk.agent.options import DeskOptions
from cti.desk.agent.screen import QUIT, DeskScreen
from cti.desk.base_app import SwitchroomApp
from cti.desk.catalogue import CATALOGUE
from cti.desk.keys import DESK_KEYS
from cti.schema import SignOnReply


class DeskApp(SwitchroomApp):
    """Sign-on first, then the desk."""

    CSS_PATH: ClassVar = ["../base.tcss", "agent.tcss"]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            key.keys,
            f"press_through('{key.id}')",
            show=False,
            priority=True,
            id=f"through.{key.id}",
            tooltip=CATALOGUE[f"help.{key.verbs[0]}"][0],
        )
        for key in DESK_KEYS
        if key.through_windows
    ]

    def __init__(self, options: DeskOptions) -> None:
        super().__init__(options.server)
        self._options = options
        self.desk: DeskScreen | None = None

    def on_mount(self) -> None:
        """Ask who is there."""
        self._begin()

    @work
    async def _begin(self) -> None:
        options = self._options
        reply, words = await self.sign_on(
            _check, login=options.login, password=options.password, language=options.language
        )
        self.desk = DeskScreen(words, self.api, options, reply)
        await self.push_screen(self.desk)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of the call reach the desk through a window; without one they are the desk's own."""
        if action == "press_through":
            desk = self.desk
            return desk is not None and self.screen is not desk and desk.is_attached
        return super().check_action(action, parameters)

    def action_press_through(self, key_id: str) -> None:
        """A key of the call was pressed while a window is open."""
        if self.desk is not None:
            self.desk.action_press(key_id)

    def on_digits_dialog_pressed(self, message: DigitsDialog.Pressed) -> None:
        """The keypad lies over the desk, so its keys come here."""
        if self.desk is not None:
            self.desk.send_digit(message.digit)

    async def say_farewell(self) -> None:
        """Save the note, end the phone, sign off."""
        if self.desk is not None:
            await self.desk.leave()

    async def on_unmount(self) -> None:
        """The phone never outlives the desk, however it ends."""
        if self.desk is not None:
            await self.desk.stop_phone()

    async def action_quit(self) -> None:
        """Ask first once signed on, also while a window is open; once, however often the key is pressed."""
        if self.desk is None:
            self.exit()
        elif not any(each.group == QUIT and not each.is_finished for each in self.workers):
            self.desk.ask_quit()


def _check(reply: SignOnReply) -> str | None:
    return None if reply.agent_id is not None else "sign_on.not_agent"
