"""`menu`: one digit chooses the next node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ivr.gather import Gather, GatherRules
from ivr.reader import NodeReader
from ivr.speaking import Say
from ivr.turn import Activity, Node, Turn
from ivr.verbs.collect import read_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuNode(Node):
    """Offer choices; ask again after silence or a wrong digit; give up after some rounds."""

    VERB: ClassVar[str] = "menu"

    prompts: tuple[Say, ...]
    timeout_prompts: tuple[Say, ...]
    """Said before asking again after silence."""
    invalid_prompts: tuple[Say, ...]
    """Said before asking again after a digit without a choice."""
    choices: Mapping[str, str]
    """Digit to node."""
    rules: GatherRules
    retries: int
    timeout: str
    """Where to go when the last round ended in silence."""
    invalid: str
    """Where to go when the last round ended with a wrong digit."""

    def edges(self) -> tuple[str, ...]:
        """Return the nodes that may follow."""
        return (*self.choices.values(), self.timeout, self.invalid)

    def edges_without_input(self) -> tuple[str, ...]:
        """Return what follows when the caller stays silent."""
        return (self.timeout,)

    def begin(self, turn: Turn) -> Activity | None:
        """Offer the choices."""
        gather = Gather(self.rules, Choosing(self).take)
        gather.begin(turn, self.prompts)
        return gather


class Choosing:
    """The rounds of one `menu`."""

    __slots__ = ("_left", "_node")

    def __init__(self, node: MenuNode) -> None:
        self._node = node
        self._left = node.retries

    def take(self, gather: Gather, turn: Turn, digit: str) -> None:
        """Go on with what was entered, or ask again."""
        node = self._node
        if (target := node.choices.get(digit)) is not None:
            turn.note(f"chose {target}")
            turn.remember(node.name, target, secret=node.rules.secret)
            turn.go(target)
            return
        turn.note("no such choice" if digit else "no input")
        turn.forget_digits()
        if self._left == 0:
            turn.go(node.invalid if digit else node.timeout)
            return
        self._left -= 1
        sorry = node.invalid_prompts if digit else node.timeout_prompts
        gather.begin(turn, (*sorry, *node.prompts))


def read(reader: NodeReader) -> MenuNode:
    """Read the node."""
    otherwise = reader.edge("otherwise")
    timeout = reader.edge("timeout") or otherwise
    invalid = reader.edge("invalid") or otherwise
    if timeout is None:
        reader.problem("no time-out edge: give `otherwise`, or `timeout`: where silence leads")
    if invalid is None:
        reader.problem("no edge for a wrong digit: give `otherwise`, or `invalid`")
    return MenuNode(
        name=reader.name,
        line=reader.line,
        prompts=reader.say("prompts", required=True),
        timeout_prompts=reader.say("timeout_prompts"),
        invalid_prompts=reader.say("invalid_prompts"),
        choices=reader.choices("choices"),
        rules=read_rules(reader, max_digits=1, terminator=""),
        retries=reader.integer("retries", 2, 0, 9),
        timeout=timeout or "",
        invalid=invalid or "",
    )
