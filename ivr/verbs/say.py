"""`say`: prompts, numbers and digits in the caller's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.reader import NodeReader
from ivr.speaking import Say
from ivr.turn import Activity, Node, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class SayNode(Node):
    """Say something, then go on."""

    VERB: ClassVar[str] = "say"

    items: tuple[Say, ...]
    barge_in: bool
    next: str

    def edges(self) -> tuple[str, ...]:
        """Return the nodes that may follow."""
        return (self.next,)

    def begin(self, turn: Turn) -> Activity | None:
        """Say it. A caller who has pressed ahead knows it already."""
        if self.barge_in and (ahead := turn.next_kept_digit()) is not None:
            turn.keep_digit(ahead)
            turn.go(self.next)
            return None
        turn.play(self.items, barge_in=self.barge_in)
        return Speaking(self.barge_in, self.next)


class Speaking:
    """Sound that is followed by a node. A digit that interrupts it is kept for that node."""

    __slots__ = ("_barge_in", "_next")

    def __init__(self, barge_in: bool, following: str) -> None:
        self._barge_in = barge_in
        self._next = following

    def digit(self, turn: Turn, digit: str) -> None:
        """Keep the digit, and go on when it may interrupt."""
        turn.keep_digit(digit)
        if self._barge_in:
            turn.note("interrupted")
            turn.go(self._next)

    def play_finished(self, turn: Turn) -> None:
        """Go on."""
        turn.go(self._next)

    def timer_fired(self, turn: Turn) -> None:
        """Not asked for."""


def read(reader: NodeReader) -> SayNode:
    """Read the node."""
    return SayNode(
        name=reader.name,
        line=reader.line,
        items=reader.say("prompts", required=True),
        barge_in=reader.flag("barge_in", True),
        next=reader.edge("next", required=True) or "",
    )
