"""A screen that sends commands, and says when one fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import work
from textual.screen import Screen

from cti.client import ApiClient, ApiError, ServerUnreachableError
from cti.desk.text import Words


class CommandScreen(Screen[None]):
    """The base of desk, wallboard and campaign screens."""

    def __init__(self, words: Words, api: ApiClient) -> None:
        super().__init__()
        self._words = words
        self._api = api

    @property
    def _is_asking(self) -> bool:
        """A window is open, or about to be: the same key pressed twice must not open two."""
        return any(
            work.group == "dialog" and work.node is self and not work.is_finished
            for work in self.workers
        )

    @work(group="commands")
    async def _command(self, command: Callable[[], Awaitable[object]]) -> None:
        await self._try(command())

    async def _try(self, command: Awaitable[object]) -> bool:
        """Carry a command out; tell the person when that fails."""
        try:
            await command
        except ApiError as exc:
            self._say(exc.problem.message, "error")
        except ServerUnreachableError:
            self._say(self._words("notice.unreachable"), "error")
        else:
            return True
        return False

    def _say(self, text: str | None, severity: str = "information") -> None:
        """Show a line in passing; nothing where there is nothing to say."""
        match severity:
            case _ if not text:
                pass
            case "error":
                self.notify(text or "", severity="error", timeout=8, markup=False)
            case "warning":
                self.notify(text or "", severity="warning", timeout=6, markup=False)
            case _:
                self.notify(text or "", timeout=3, markup=False)
