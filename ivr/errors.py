"""Errors of the flows.

IvrError
├── FlowError      a flow file cannot be used; lists every problem with file and line
└── FlowLoopError  a running flow went round without anything happening: a fault of this program
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class IvrError(Exception):
    """Base of the errors of the flows."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a flow file."""

    file: str
    line: int
    """From 1."""
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class FlowError(IvrError):
    """A flow cannot be used. `problems` has all that is wrong, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class FlowLoopError(IvrError):
    """A flow passed through too many nodes at once. The lint should have refused it."""
