"""Reading one node of a flow file: every value typed, every problem with its line, none fatal."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import yaml

from ivr.errors import Problem
from ivr.speaking import (
    Say,
    SayDigits,
    SayNumber,
    SayPause,
    SayPrompt,
    has_number_rule,
    needed_prompts,
)

DIGITS: Final = "0123456789*#ABCD"

KNOWN_VARIABLES: Final = frozenset({"caller", "called"})
"""What every flow knows of its caller without asking."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_MAX_PAUSE_MS: Final = 10_000


@dataclass(slots=True)
class Source:
    """One flow file while it is read: what is known from outside, and what was found wrong."""

    file: str
    languages: tuple[str, ...]
    """In which its prompts must exist."""
    has_prompt: Callable[[str], bool]
    has_queue: Callable[[str], bool]
    problems: list[Problem] = field(default_factory=list)
    targets: list[tuple[str, int]] = field(default_factory=list)
    """Nodes that are named as next, with the line."""
    uses: list[tuple[str, int]] = field(default_factory=list)
    """Variables that are used, with the line."""
    sets: set[str] = field(default_factory=set)
    """Variables that some node sets."""

    def problem(self, where: yaml.Node | int, message: str) -> None:
        """Note what is wrong at a place."""
        line = where if isinstance(where, int) else where.start_mark.line + 1
        self.problems.append(Problem(self.file, line, message))

    def mapping(self, node: yaml.Node, what: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Return key -> (key, value); keys that are there twice are noted."""
        if not isinstance(node, yaml.MappingNode):
            self.problem(node, f"{what}: expected `key: value` lines")
            return {}
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problem(key, f"{what}: a key must be a plain word")
            elif key.value in found:
                self.problem(key, f"{what}: `{key.value}` is there twice")
            else:
                found[key.value] = (key, value)
        return found


class NodeReader:
    """The values of one node. A method that finds a problem notes it and returns something usable."""

    def __init__(self, source: Source, name: str, key: yaml.Node, node: yaml.Node) -> None:
        self.source = source
        self.name = name
        self.line = key.start_mark.line + 1
        self._fields = source.mapping(node, f"node `{name}`")
        self._read: set[str] = set()

    def has(self, key: str) -> bool:
        """Return whether a key is given."""
        return key in self._fields

    def problem(self, message: str, key: str | None = None) -> None:
        """Note what is wrong, at the line of a key or of the node."""
        where = self._fields[key][0].start_mark.line + 1 if key in self._fields else self.line
        self.source.problem(where, f"node `{self.name}`: {message}")

    def done(self, verb: str) -> None:
        """Note the keys that nobody asked for."""
        allowed = ", ".join(sorted(self._read - {"verb"}))
        for key in self._fields.keys() - self._read:
            self.problem(f"unknown key `{key}`; `{verb}` knows: {allowed}", key)

    # --- values ---

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; None as default: it must be given."""
        node = self._take(key)
        if node is None:
            if default is None:
                self.problem(f"`{key}` is missing")
            return default or ""
        if not isinstance(node, yaml.ScalarNode):
            self.problem(f"`{key}`: expected one value", key)
            return default or ""
        return str(node.value)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        if not self.has(key):
            self._read.add(key)
            return default
        value = self.text(key).lower()
        if value not in ("true", "false"):
            self.problem(f"`{key}`: expected true or false, not `{value}`", key)
        return value == "true"

    def integer(self, key: str, default: int | None, low: int, high: int) -> int:
        """Return a whole number within bounds; None as default: it must be given."""
        return int(self._number(key, default, low, high, whole=True))

    def seconds(self, key: str, default: float, low: float = 0.1, high: float = 3600.0) -> float:
        """Return a time in seconds within bounds."""
        return self._number(key, default, low, high, whole=False)

    def edge(self, key: str, *, required: bool = False, why: str = "") -> str | None:
        """Return the node that a key names."""
        if not self.has(key):
            self._read.add(key)
            if required:
                self.problem(why or f"`{key}` is missing: which node comes next?")
            return None
        target = self.text(key)
        self.source.targets.append((target, self._fields[key][1].start_mark.line + 1))
        return target

    def choices(self, key: str) -> dict[str, str]:
        """Return digit -> node."""
        node = self._take(key)
        if node is None:
            self.problem(f"`{key}` is missing: which digit leads where?")
            return {}
        found: dict[str, str] = {}
        for digit, (at, target) in self.source.mapping(node, f"`{key}`").items():
            if len(digit) != 1 or digit not in DIGITS:
                self.source.problem(at, f"node `{self.name}`: `{digit}` is no digit of {DIGITS}")
            elif not isinstance(target, yaml.ScalarNode):
                self.source.problem(target, f"node `{self.name}`: digit {digit} must name one node")
            else:
                found[digit] = target.value
                self.source.targets.append((target.value, target.start_mark.line + 1))
        if not found:
            self.problem(f"`{key}` is empty", key)
        return found

    def variable(self, key: str) -> str:
        """Return the name of a variable that this node sets."""
        name = self.text(key)
        if name and not _NAME.fullmatch(name):
            self.problem(f"`{key}`: `{name}` is no name; letters, digits, dash, underscore", key)
        if name in KNOWN_VARIABLES:
            self.problem(f"`{key}`: `{name}` is known already and cannot be set", key)
        self.source.sets.add(name)
        return name

    def queue(self, key: str) -> str:
        """Return a queue that exists."""
        name = self.text(key)
        if name and not self.source.has_queue(name):
            self.problem(f"there is no queue `{name}`", key)
        return name

    def value_or_variable(self, key: str) -> str:
        """Return a text, or `$name` of a variable that some node sets."""
        value = self.text(key)
        self._use(value, self.line if key not in self._fields else self._fields[key][1])
        return value

    def children(self, key: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Return the lines below a key; nothing when it is not given."""
        node = self._take(key)
        return {} if node is None else self.source.mapping(node, f"`{key}`")

    def items(self, key: str) -> Sequence[yaml.ScalarNode]:
        """Return the values of a list, or one value as a list of one; nothing when not given."""
        node = self._take(key)
        return () if node is None else self.scalars(node, key)

    def scalars(self, node: yaml.Node, what: str) -> Sequence[yaml.ScalarNode]:
        """Return the values of a node: one or a list."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for each in nodes:
            if not isinstance(each, yaml.ScalarNode):
                self.source.problem(each, f"node `{self.name}`: `{what}`: expected plain values")
        return [each for each in nodes if isinstance(each, yaml.ScalarNode)]

    # --- what is said ---

    def say(self, key: str, *, required: bool = False) -> tuple[Say, ...]:
        """Return what is to be said: prompts, `number:`, `digits:`, `pause_ms:`; all must exist."""
        node = self._take(key)
        if node is None:
            if required:
                self.problem(f"`{key}` is missing: what is to be said?")
            return ()
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        said = [item for each in nodes if (item := self._say_item(each)) is not None]
        if required and not nodes:
            self.problem(f"`{key}` is empty", key)
        return tuple(said)

    def _say_item(self, node: yaml.Node) -> Say | None:
        item: Say | None = None
        if isinstance(node, yaml.ScalarNode):
            item = SayPrompt(node.value)
        elif isinstance(node, yaml.MappingNode) and len(node.value) == 1:
            (key, value), *_ = node.value
            if isinstance(value, yaml.ScalarNode):
                item = self._spoken(key.value, value)
        if item is None:
            self.source.problem(
                node,
                f"node `{self.name}`: expected a prompt, or one of "
                "`number:`, `digits:`, `pause_ms:` with a value",
            )
            return None
        for language in self.source.languages:
            if isinstance(item, SayNumber) and not has_number_rule(language):
                self.source.problem(
                    node, f"node `{self.name}`: no rule for numbers in `{language}`"
                )
            for name in needed_prompts(item, language):
                if not self.source.has_prompt(name):
                    self.source.problem(node, f"node `{self.name}`: there is no prompt `{name}`")
        return item

    def _spoken(self, kind: str, value: yaml.ScalarNode) -> Say | None:
        text = str(value.value)
        match kind:
            case "number" | "digits":
                self._use(text, value)
                if not text.startswith("$") and not text.removeprefix("-").isdecimal():
                    self.source.problem(value, f"node `{self.name}`: `{text}` is no number")
                return SayNumber(text) if kind == "number" else SayDigits(text)
            case "pause_ms" if text.isdecimal() and 0 < int(text) <= _MAX_PAUSE_MS:
                return SayPause(int(text))
        return None

    # --- below ---

    def _take(self, key: str) -> yaml.Node | None:
        self._read.add(key)
        return self._fields[key][1] if key in self._fields else None

    def _use(self, value: str, where: yaml.Node | int) -> None:
        if value.startswith("$"):
            line = where if isinstance(where, int) else where.start_mark.line + 1
            self.source.uses.append((value[1:], line))

    def _number(
        self, key: str, default: float | None, low: float, high: float, *, whole: bool
    ) -> float:
        if not self.has(key):
            self._read.add(key)
            if default is None:
                self.problem(f"`{key}` is missing")
            return low if default is None else default
        text = self.text(key)
        try:
            number = int(text) if whole else float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:  # also true of NaN
            kind = "a whole number" if whole else "a number"
            self.problem(f"`{key}`: expected {kind} from {low} to {high}, not `{text}`", key)
            return low
        return number
