"""How a flow ends. What becomes of it is decided above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ToQueue:
    """The caller is to wait for an agent."""

    queue: str
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    """Skill to the least level asked for, 1 to 5."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the caller entered and chose, for the agent's card."""
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToNumber:
    """The caller is to be connected to a number."""

    number: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """The flow is done with the caller."""

    reason: str = "flow-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerGone:
    """The caller hung up within the flow."""

    node: str
    """The last node, for the drop-off report."""


Outcome = ToQueue | ToNumber | HangUp | CallerGone
