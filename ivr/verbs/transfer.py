"""`transfer`: connect the caller to a number. Ends the flow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from ivr.outcomes import ToNumber
from ivr.reader import NodeReader
from ivr.turn import Activity, Node, Turn

_NUMBER: Final = re.compile(r"\+?[0-9*#]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferNode(Node):
    """Hand the caller to a number; whether it may be called is decided above."""

    VERB: ClassVar[str] = "transfer"
    NEEDS_ANSWER: ClassVar[bool] = False

    number: str
    """As dialled, or `$name` of a variable."""
    otherwise: str
    """Where to go when the variable holds no number; empty where the number is fixed."""

    def edges(self) -> tuple[str, ...]:
        """Return the nodes that may follow."""
        return (self.otherwise,) if self.otherwise else ()

    def begin(self, turn: Turn) -> Activity | None:
        """End the flow, unless there is no number."""
        number = turn.value(self.number[1:]) if self.number.startswith("$") else self.number
        if _NUMBER.fullmatch(number):
            turn.finish(ToNumber(number=number, facts=turn.facts()))
        else:
            turn.note("no number")
            turn.go(self.otherwise)
        return None


def read(reader: NodeReader) -> TransferNode:
    """Read the node."""
    number = reader.value_or_variable("number")
    otherwise = reader.edge("otherwise")
    if number.startswith("$"):
        if otherwise is None:
            reader.problem("`otherwise` is missing: what if the variable holds no number?")
    elif number and not _NUMBER.fullmatch(number):
        reader.problem(f"`number`: `{number}` cannot be dialled", "number")
    elif otherwise is not None:
        reader.problem("`otherwise` is never used: the number is fixed", "otherwise")
    return TransferNode(
        name=reader.name, line=reader.line, number=number, otherwise=otherwise or ""
    )
