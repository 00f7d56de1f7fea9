"""What changed since the journal was last written."""

from __future__ import annotations

from dataclasses import dataclass, field

from switch.ids import LegId, RecordingId


@dataclass(slots=True)
class Changes:
    """Marked where the change happens, taken at the end of the turn."""

    legs: set[LegId] = field(default_factory=set)
    confirmed: set[LegId] = field(default_factory=set)
    """Legs whose 2xx got its ACK: the INVITE need not be kept any longer."""
    invites: set[LegId] = field(default_factory=set)
    """Legs whose INVITE was sent anew, as another transaction."""
    recordings: set[RecordingId] = field(default_factory=set)
