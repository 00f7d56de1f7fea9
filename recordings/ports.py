"""What the recordings need from outside: somewhere to keep their index. The store satisfies it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from recordings.index import RecordingEntry
from switch.ids import RecordingId


class RecordingIndex(Protocol):
    """The index of all recordings."""

    async def add(self, entry: RecordingEntry) -> None:
        """Keep an entry; one with the same recording id is replaced."""

    async def get(self, recording: RecordingId) -> RecordingEntry | None:
        """Return one entry, or None."""

    async def by_interaction(self, interaction: str) -> Sequence[RecordingEntry]:
        """Return an interaction's entries, oldest first."""
