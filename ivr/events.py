"""What the flows report upwards."""

from __future__ import annotations

from dataclasses import dataclass

from switch.ids import LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStepped:
    """A caller's flow entered a node, or something happened in one."""

    leg: LegId
    at: float
    """Monotonic seconds."""
    flow: str
    node: str
    verb: str
    detail: str
    """Empty when the node was entered; else `digit 1`, `no input`, `chose sales`, ..."""
