"""The keys that make sense now, at the bottom of the screen."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from cti.desk import looks
from cti.desk.keys import KeyHint
from cti.desk.widgets.panel import StatePanel


class KeyBar(StatePanel):
    """One or two lines of `key what it does`."""

    hints: tuple[KeyHint, ...] = ()

    def show_hints(self, hints: tuple[KeyHint, ...]) -> None:
        """Show these keys from now on."""
        if hints != self.hints:
            self.hints = hints
            self.tick()

    def drawing(self, width: int, height: int) -> RenderableType:
        """Hints in rows; none is cut in two."""
        rows = [Text()]
        for hint in self.hints:
            word = self.words(f"key.{hint.verb}")
            piece = Text.assemble(
                (f" {hint.shown} ", f"bold {looks.BLUE}"), (f"{word} ", looks.DIM)
            )
            if hint.is_urgent:
                piece = Text(f" {hint.shown} {word} ", f"bold {looks.BACKGROUND} on {looks.AMBER}")
            if rows[-1].cell_len + piece.cell_len > width:
                rows.append(Text())
            rows[-1].append_text(piece)
        return Text("\n").join(rows[:2])
