"""What desk and wallboard have in common as programs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from typing import ClassVar, Final

from textual.app import App

from cti.client import ApiClient
from cti.desk import looks
from cti.desk.text import Words
from cti.desk.widgets.sign_on import Check, SignOnScreen
from cti.schema import SignOnReply

_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
_SCREEN: Final = 1
_HUNG_UP: Final = 128 + signal.SIGHUP
"""Exit code, as shells give it."""
_FAREWELL_S: Final = 6.0
"""Longest that notes, phone and sign-off may take once we are told to end."""


class SwitchroomApp(App[None]):
    """Theme, sizes, a clean end on signals, and the connection that is closed at the end."""

    TITLE = "Switchroom"
    CSS_PATH: ClassVar = ["base.tcss"]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, server: str) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-tiny"), (16, "-short"), (36, "-tall")]
        self.api = ApiClient(server)
        self.register_theme(looks.THEME)
        self.theme = looks.THEME.name
        self._leaving: asyncio.Task[None] | None = None

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Names for colours that Textual has no name for."""
        return {"dim": looks.DIM, "faint": looks.FAINT, "violet": looks.VIOLET}

    def on_mount(self) -> None:
        """Leave on SIGTERM and SIGHUP as on the quit key, so that the terminal is given back."""
        # In a thread other than the main one signals are the main thread's business.
        with contextlib.suppress(RuntimeError, ValueError):
            for number in _SIGNALS:
                asyncio.get_running_loop().add_signal_handler(number, self._told_to_end)

    async def on_unmount(self) -> None:
        """Close all connections."""
        with contextlib.suppress(RuntimeError, ValueError):
            for number in _SIGNALS:
                asyncio.get_running_loop().remove_signal_handler(number)
        await self.api.close()

    async def sign_on(
        self, check: Check, *, login: str, password: str, language: str
    ) -> tuple[SignOnReply, Words]:
        """Ask who is there until it is somebody who can work here; with words of their language."""
        screen = SignOnScreen(Words(language), self.api, check, login=login, password=password)
        reply = await self.push_screen_wait(screen)
        return reply, Words(language or reply.language)

    async def say_farewell(self) -> None:
        """Whatever must be done before the program ends; nothing here."""

    def _told_to_end(self) -> None:
        if self._leaving is None:
            if self._is_terminal_gone():  # some more lines for it, and the loop stands still
                last = threading.Timer(_FAREWELL_S + 1.0, os._exit, (_HUNG_UP,))
                last.daemon = True
                last.start()
            self._leaving = asyncio.create_task(self._leave(), name="leave on a signal")

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self.say_farewell()
        except TimeoutError:
            pass  # the server can do without
        finally:
            if self._is_terminal_gone():
                os._exit(_HUNG_UP)
            self.exit()

    def _is_terminal_gone(self) -> bool:
        """Whether nobody takes any more what is written: Textual then waits for it for ever."""
        return not self.is_headless and not os.isatty(_SCREEN)
