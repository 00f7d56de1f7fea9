"""`collect`: digits into a variable, such as an account number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.gather import Gather, GatherRules
from ivr.reader import DIGITS, NodeReader
from ivr.speaking import Say
from ivr.turn import Activity, Node, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectNode(Node):
    """Ask for digits; ask again when they are too few; give up after some rounds."""

    VERB: ClassVar[str] = "collect"

    prompts: tuple[Say, ...]
    timeout_prompts: tuple[Say, ...]
    """Said before asking again when nothing came."""
    invalid_prompts: tuple[Say, ...]
    """Said before asking again when too few came."""
    into: str
    min_digits: int
    rules: GatherRules
    retries: int
    next: str
    otherwise: str

    def edges(self) -> tuple[str, ...]:
        """Return the nodes that may follow."""
        return (self.next, self.otherwise)

    def edges_without_input(self) -> tuple[str, ...]:
        """Return what follows when the caller enters nothing."""
        return (self.otherwise,)

    def begin(self, turn: Turn) -> Activity | None:
        """Ask."""
        gather = Gather(self.rules, Collecting(self).take)
        gather.begin(turn, self.prompts)
        return gather


class Collecting:
    """The rounds of one `collect`."""

    __slots__ = ("_left", "_node")

    def __init__(self, node: CollectNode) -> None:
        self._node = node
        self._left = node.retries

    def take(self, gather: Gather, turn: Turn, digits: str) -> None:
        """Go on with what was entered, or ask again."""
        node = self._node
        if len(digits) >= node.min_digits:
            turn.note(f"entered {len(digits)} digits")
            turn.remember(node.into, digits, secret=node.rules.secret)
            turn.go(node.next)
            return
        turn.note("too few digits" if digits else "no input")
        turn.forget_digits()
        if self._left == 0:
            turn.go(node.otherwise)
            return
        self._left -= 1
        sorry = node.invalid_prompts if digits else node.timeout_prompts
        gather.begin(turn, (*sorry, *node.prompts))


def read_rules(reader: NodeReader, *, max_digits: int, terminator: str) -> GatherRules:
    """Read how digits are gathered: what `collect` and `menu` have in common."""
    return GatherRules(
        max_digits=max_digits,
        terminator=terminator,
        first_digit_timeout_s=reader.seconds("first_digit_timeout_s", 5.0, 0.5, 60.0),
        inter_digit_timeout_s=reader.seconds("inter_digit_timeout_s", 3.0, 0.5, 60.0),
        barge_in=reader.flag("barge_in", True),
        secret=reader.flag("secret", False),
    )


def read(reader: NodeReader) -> CollectNode:
    """Read the node."""
    max_digits = reader.integer("max_digits", None, 1, 64)
    min_digits = reader.integer("min_digits", 1, 0, 64)
    if min_digits > max_digits:
        reader.problem(f"`min_digits` {min_digits} is more than `max_digits` {max_digits}")
    terminator = reader.text("terminator", "#")
    if terminator and (len(terminator) != 1 or terminator not in DIGITS):
        reader.problem(
            f'`terminator`: expected one digit of {DIGITS}, or "" for none', "terminator"
        )
    return CollectNode(
        name=reader.name,
        line=reader.line,
        prompts=reader.say("prompts", required=True),
        timeout_prompts=reader.say("timeout_prompts"),
        invalid_prompts=reader.say("invalid_prompts"),
        into=reader.variable("into"),
        min_digits=min_digits,
        rules=read_rules(reader, max_digits=max_digits, terminator=terminator),
        retries=reader.integer("retries", 2, 0, 9),
        next=reader.edge("next", required=True) or "",
        otherwise=reader.edge(
            "otherwise",
            required=True,
            why="no time-out edge: `otherwise` must say what follows when nothing is entered",
        )
        or "",
    )
