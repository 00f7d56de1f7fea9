"""The base of all widgets that draw a part of `DeskState`."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import RenderableType
from textual.events import Resize
from textual.widgets import Static

from cti.desk.state import DeskState
from cti.desk.text import Words


class StatePanel(Static):
    """Draws what `drawing` makes of the state; again each second, since times run on."""

    def __init__(self, words: Words, now: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.words = words
        self.now = now
        """The server's time."""
        self.state = DeskState()

    def show(self, state: DeskState) -> None:
        """Draw this state."""
        self.state = state
        self.tick()

    def tick(self) -> None:
        """Draw again: a second has passed."""
        if self.is_mounted and self.size.width > 0:
            self.update(self.drawing(self.content_size.width, self.content_size.height))

    def drawing(self, width: int, height: int) -> RenderableType:
        """What to draw in so many cells."""
        raise NotImplementedError

    def on_resize(self, _event: Resize) -> None:
        """Draw for the new size."""
        self.tick()
