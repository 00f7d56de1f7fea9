"""An entry of the index of recordings: who, when, where, how long, and whether it is whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from switch.ids import RecordingId
from switch.media.ports import RecordingOutcome


class RecordingState(StrEnum):
    """What a recording is at the moment."""

    RUNNING = "running"
    WHOLE = "whole"
    """On disk as it was heard, checksum known."""
    PARTIAL = "partial"
    """It failed on the way; what was written is kept."""
    RECOVERED = "recovered"
    """The process died; finished afterwards, up to a second of its end may be missing."""
    LOST = "lost"
    """Nothing of it is on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingEntry:
    """One recording as it is looked up."""

    recording: RecordingId
    interaction: str
    customer_number: str = ""
    """E.164 where it is known; empty when withheld."""
    agent: str = ""
    """The last agent recorded; empty when none was."""
    queue: str = ""
    started_at: float
    """Seconds since the epoch."""
    duration_ms: int = 0
    octets: int = 0
    sha256: str = ""
    path: str = ""
    """Absolute, with suffix."""
    state: RecordingState = RecordingState.RUNNING
    error: str | None = None

    def closed(self, outcome: RecordingOutcome, *, recovered: bool = False) -> RecordingEntry:
        """Return the entry as it is after the recording's end."""
        if outcome.error is None:
            state = RecordingState.RECOVERED if recovered else RecordingState.WHOLE
        else:
            state = RecordingState.PARTIAL if outcome.duration_ms else RecordingState.LOST
        return replace(
            self,
            duration_ms=outcome.duration_ms,
            octets=outcome.octets,
            sha256=outcome.sha256,
            path=outcome.path,
            state=state,
            error=outcome.error,
        )
