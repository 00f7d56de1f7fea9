"""The roles of those who attend somebody else's conversation."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What one who attends says to whom. All of them hear what the attended leg hears, and the leg.

    Who takes part as everybody does has no role: it is bridged.
    """

    MONITOR = "monitor"
    """Heard by nobody."""
    WHISPER = "whisper"
    """Heard by the attended leg alone."""
    BARGE = "barge"
    """Heard by the attended leg and by all it is bridged with."""


IS_HEARD_BY_LEG = frozenset({Role.WHISPER, Role.BARGE})
"""The roles in which the attended leg hears who attends it."""
