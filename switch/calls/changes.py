"""What changed since the journal was last written."""

from __future__ import annotations

from dataclasses import dataclass, field

from switch.ids import LegId, RecordingId


@dataclass(slots=True)
class Changes:
    """Marked where the change happens, taken at the end of the turn."""

    legs: set[LegId] = field(default_factory=set)
    recordings: set[RecordingId] = field(default_factory=set)
