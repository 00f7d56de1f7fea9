"""Translation rules: what a trunk wants changed in the numbers it gets or brings.

A rule either replaces a prefix or rewrites the whole number by a regular expression. The first
rule that fits is applied, the others are not looked at. Expressions stand on the path of a call,
so only those are taken that cannot run away: no group is repeated, nothing looks around or back, and
at most three parts are of open length.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

LONGEST_NUMBER: Final = 64
"""Octets of a number that rules may make; longer ones are left as they were."""
_REFERENCE: Final = re.compile(r"\\([1-9])")
_LONGEST_PATTERN: Final = 200
_MOST_OPEN: Final = 3
_RESULT: Final = re.compile(r"[A-Za-z0-9+*#._=;@!$&',?/~()-]*")
"""What may stand in the user part of a URI without being escaped, and what we escape there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Give either `prefix` or `pattern`."""

    prefix: str | None = None
    """Numbers that begin so; an empty one fits all."""
    pattern: str | None = None
    """A regular expression that must fit the whole number."""
    put: str = ""
    """Instead of the prefix; for a pattern instead of the number, with \\1 to \\9 for its groups."""
    _compiled: re.Pattern[str] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what makes no sense or could take long.

        Raises:
            ValueError: says what, and what to write instead.
        """
        if (self.prefix is None) == (self.pattern is None):
            raise ValueError("a rule has either a prefix or a pattern")
        if self.pattern is not None:
            object.__setattr__(self, "_compiled", _compile(self.pattern))
        groups = 0 if self._compiled is None else self._compiled.groups
        wanted = [int(group) for group in _REFERENCE.findall(self.put)]
        if any(group > groups for group in wanted):
            raise ValueError(f"put {self.put!r}: the pattern has {groups} groups in parentheses")
        if not _RESULT.fullmatch(_REFERENCE.sub("", self.put)):
            raise ValueError(f"put {self.put!r} has characters that no number has")

    def apply(self, number: str) -> str | None:
        """The number this rule makes of `number`; None when it does not fit."""
        if self.prefix is not None:
            if not number.startswith(self.prefix):
                return None
            return self.put + number[len(self.prefix) :]
        assert self._compiled is not None
        found = self._compiled.fullmatch(number)
        if found is None:
            return None
        # Not Match.expand: `\10` is a group and a zero here, there the tenth group or an octal code.
        return _REFERENCE.sub(lambda group: found[int(group[1])] or "", self.put)


def translate(number: str, rules: Iterable[Rule]) -> str:
    """Apply the first rule that fits; a result that no number can be is not taken."""
    for rule in rules:
        made = rule.apply(number)
        if made is not None:
            is_good = 0 < len(made) <= LONGEST_NUMBER and _RESULT.fullmatch(made)
            return made if is_good else number
    return number


def _compile(pattern: str) -> re.Pattern[str]:
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"the pattern is longer than {_LONGEST_PATTERN} characters")
    _must_be_tame(pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # what may come to mean something else
            return re.compile(pattern, re.ASCII)
    except (re.error, FutureWarning, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


_OPEN_COUNT: Final = re.compile(r"\{(\d*),?(\d*)\}")


def _must_be_tame(pattern: str) -> None:
    """Refuse expressions whose time could grow beyond all bounds with the number."""
    position, opened, in_class, after_group = 0, 0, False, False
    while position < len(pattern):
        letter = pattern[position]
        position += 1
        if in_class:
            if letter == "\\":
                position += 1
            elif letter == "]":
                in_class = False
            continue
        was_group, after_group = after_group, False
        if letter == "\\":
            if pattern[position : position + 1].isdigit():
                raise ValueError(f"{pattern!r}: \\1 and the like may stand in `put` only")
            position += 1
        elif letter == "[":
            in_class = True
            # A closing bracket that stands first is one of the set.
            position += pattern.startswith("^", position)
            position += pattern.startswith("]", position)
        elif letter == "(":
            if pattern.startswith("?", position) and not pattern.startswith("?:", position):
                raise ValueError(f"{pattern!r}: of groups only (...) and (?:...) may be used")
            position += 2 * pattern.startswith("?:", position)
        elif letter == ")":
            after_group = True
        elif letter in "*+{":
            count = _OPEN_COUNT.match(pattern, position - 1) if letter == "{" else None
            if was_group:
                raise ValueError(f"{pattern!r}: a group may not be repeated; repeat what is in it")
            if letter == "{" and count is not None and int(count[2] or count[1] or 0) > 64:
                raise ValueError(f"{pattern!r}: no part of a number is repeated so often")
            is_fixed = count is not None and "," not in count[0]
            opened += not is_fixed
    if opened > _MOST_OPEN:
        raise ValueError(f"{pattern!r}: at most {_MOST_OPEN} parts may be of open length")
