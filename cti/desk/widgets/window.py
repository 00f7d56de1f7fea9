"""A window over a screen: the base of all that asks or tells something there."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType


class Window(ModalScreen[ScreenResultType]):
    """Closes once."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close, if this is on top still: a key pressed twice would close the screen beneath as well.

        So would a key that was on its way while the window was closed because its call ended.
        """
        return super().dismiss(result) if self.is_active else AwaitComplete()
