"""A flow as it runs: named nodes, one verb each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.turn import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A flow that passed all checks. Made by `ivr.loader` only."""

    name: str
    language: str | None
    """The language it speaks; None: the caller's."""
    start: str
    nodes: Mapping[str, Node]
