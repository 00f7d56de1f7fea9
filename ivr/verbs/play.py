"""`play`: one file of sound, whatever the language: `tones/beep`, `music/default`, a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.reader import NodeReader
from ivr.speaking import SayPrompt
from ivr.turn import Activity, Node, Turn
from ivr.verbs.say import Speaking


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayNode(Node):
    """Play a file to its end, then go on."""

    VERB: ClassVar[str] = "play"

    file: str
    """Below the prompt folders, without suffix."""
    barge_in: bool
    next: str

    def edges(self) -> tuple[str, ...]:
        """Return the nodes that may follow."""
        return (self.next,)

    def begin(self, turn: Turn) -> Activity | None:
        """Play it."""
        turn.play([SayPrompt(self.file)], barge_in=self.barge_in)
        return Speaking(self.barge_in, self.next)


def read(reader: NodeReader) -> PlayNode:
    """Read the node."""
    file = reader.text("file")
    if file and "/" not in file:
        reader.problem(f"`file`: name the folder as well, as in `tones/{file}`", "file")
    elif file and not reader.source.has_prompt(file):
        reader.problem(f"there is no sound file `{file}`", "file")
    return PlayNode(
        name=reader.name,
        line=reader.line,
        file=file,
        barge_in=reader.flag("barge_in", False),
        next=reader.edge("next", required=True) or "",
    )
