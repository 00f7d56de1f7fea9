"""How a recording ended: a whole file, or what there is of it and why."""

from __future__ import annotations

from dataclasses import dataclass

from switch.ids import RecordingId


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one recording. Satisfies `switch.media.ports.RecordingOutcome`."""

    recording: RecordingId
    path: str
    """Absolute path of what is on disk: `.wav`, or `.part` when it could not be finished."""
    duration_ms: int
    octets: int
    """Length of the file, its header included."""
    sha256: str
    """Of the whole file, in hex; empty when it could not be finished."""
    error: str | None = None
    """None when the file is whole."""
