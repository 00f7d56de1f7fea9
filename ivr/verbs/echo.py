"""`echo`: the caller hears itself, to test line and handset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.reader import NodeReader
from ivr.turn import Activity, Node, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoNode(Node):
    """Let the caller hear itself until it presses `#`, hangs up, or the time is over."""

    VERB: ClassVar[str] = "echo"

    duration_s: float
    next: str

    def edges(self) -> tuple[str, ...]:
        """Return the nodes that may follow."""
        return (self.next,)

    def begin(self, turn: Turn) -> Activity | None:
        """Begin the echo."""
        turn.set_echo(True)
        turn.set_timer(self.duration_s)
        return Echoing(self.next)


class Echoing:
    """The echo while it runs."""

    __slots__ = ("_next",)

    def __init__(self, following: str) -> None:
        self._next = following

    def digit(self, turn: Turn, digit: str) -> None:
        """Show the digit in the history, which tests digits as well; `#` ends the echo."""
        turn.note(f"digit {digit}")
        if digit == "#":
            turn.go(self._next)

    def play_finished(self, turn: Turn) -> None:
        """Not asked for."""

    def timer_fired(self, turn: Turn) -> None:
        """Go on."""
        turn.go(self._next)


def read(reader: NodeReader) -> EchoNode:
    """Read the node."""
    return EchoNode(
        name=reader.name,
        line=reader.line,
        duration_s=reader.seconds("duration_s", 300.0, 1.0, 3600.0),
        next=reader.edge("next", required=True) or "",
    )
