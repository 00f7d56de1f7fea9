"""The wallboard as a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import work

from cti.desk.base_app import SwitchroomApp
from cti.desk.supervisor.screen import WallboardScreen
from cti.schema import Role, SignOnReply


@dataclass(frozen=True, slots=True, kw_only=True)
class WallboardOptions:
    """What the command line says."""

    server: str = "http://127.0.0.1:8080"
    login: str = ""
    password: str = ""
    language: str = ""


class WallboardApp(SwitchroomApp):
    """Sign-on first, then the wallboard."""

    CSS_PATH: ClassVar = ["../base.tcss", "supervisor.tcss"]

    def __init__(self, options: WallboardOptions) -> None:
        super().__init__(options.server)
        self._options = options

    def on_mount(self) -> None:
        """Ask who is there."""
        self._begin()

    @work
    async def _begin(self) -> None:
        options = self._options
        _, words = await self.sign_on(
            _check, login=options.login, password=options.password, language=options.language
        )
        await self.push_screen(WallboardScreen(words, self.api))


def _check(reply: SignOnReply) -> str | None:
    return "sign_on.not_supervisor" if reply.role is Role.AGENT else None
