"""Where each recording's file lies, from its start until it is in the index."""

from __future__ import annotations

from recordings.settings import RecordingSettings
from switch.ids import RecordingId


class RecordingPaths:
    """Names files by day, interaction and recording, and remembers them while they are written."""

    def __init__(self, settings: RecordingSettings) -> None:
        self._settings = settings
        self._paths: dict[str, str] = {}

    def make(self, recording: RecordingId, interaction: str, wall: float) -> str:
        """Path of a recording that starts now, absolute and without suffix."""
        path = self._settings.path_for(recording, interaction, wall)
        self._paths[recording] = path
        return path

    def restore(self, recording: RecordingId, path: str) -> None:
        """A recording that an earlier process began is ours now."""
        self._paths[recording] = path

    def knows(self, recording: str) -> bool:
        """Whether this process began the recording and has not written its index row yet."""
        return recording in self._paths

    def of(self, recording: str) -> str:
        """Path of the finished file; asked once, when the index row is written."""
        path = self._paths.pop(recording, "")
        return f"{path}.wav" if path else ""
