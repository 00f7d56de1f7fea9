"""`hang_up`: end the call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from ivr.outcomes import HangUp
from ivr.reader import NodeReader
from ivr.turn import Activity, Node, Turn

_SLUG: Final = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUpNode(Node):
    """End the call with a reason for the history."""

    VERB: ClassVar[str] = "hang_up"
    NEEDS_ANSWER: ClassVar[bool] = False

    reason: str
    """A slug."""

    def edges(self) -> tuple[str, ...]:
        """Return nothing: the flow ends here."""
        return ()

    def begin(self, turn: Turn) -> Activity | None:
        """End the flow."""
        turn.finish(HangUp(reason=self.reason))
        return None


def read(reader: NodeReader) -> HangUpNode:
    """Read the node."""
    reason = reader.text("reason", "flow-ended")
    if not _SLUG.fullmatch(reason):
        reader.problem(f"`reason`: expected a word such as `closed`, not `{reason}`", "reason")
    return HangUpNode(name=reader.name, line=reader.line, reason=reason)
