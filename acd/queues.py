"""One queue: its settings and everyone who waits in it, whatever they need."""

from __future__ import annotations

from bisect import bisect_left, insort

from acd.model import ContactId, QueueSettings
from acd.routing.priority import WaitingLine, WaitingPlace


class Queue:
    """The line that a caller is told its position in."""

    __slots__ = ("_entries", "line", "settings")

    def __init__(self, settings: QueueSettings) -> None:
        self.settings = settings
        self.line = WaitingLine()
        self._entries: list[tuple[float, int]] = []
        """The same contacts by how long they wait, which with priorities is not their order."""

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, place: WaitingPlace, waits_since: float) -> None:
        self.line.add(place)
        insort(self._entries, (waits_since, place[2]))

    def remove(self, place: WaitingPlace, waits_since: float) -> None:
        """Take a place out that is in the line."""
        self.line.remove(place)
        del self._entries[bisect_left(self._entries, (waits_since, place[2]))]

    def oldest(self) -> float | None:
        """Since when the contact waits that has waited longest; None when nobody waits."""
        return self._entries[0][0] if self._entries else None

    def waiting(self) -> tuple[ContactId, ...]:
        """Who waits, first in line first."""
        return tuple(place[3] for place in self.line.places)
