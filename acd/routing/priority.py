"""The line of waiting contacts: one order over all queues.

score = minutes waited + priority. Of two contacts the one with the higher score now has it at
any time, so the order never changes while they wait and is kept as a number: the
moment a contact without priority would have had to enter to be as far. Lower is better.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from acd.model import ContactId

POINT_S = 60.0
"""One point of priority counts as much as a minute of waiting."""

WaitingPlace = tuple[float, float, int, ContactId]
"""The moment of its score, when it entered, a number that breaks ties, the contact."""


def place_of(contact: ContactId, entered_at: float, priority: int, order: int) -> WaitingPlace:
    """Return the place in line, the same in every queue."""
    return (entered_at - POINT_S * priority, entered_at, order, contact)


class WaitingLine:
    """Waiting contacts, best score first. A sorted list, as `longest_idle.IdleLine`."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        self.places: list[WaitingPlace] = []

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, place: WaitingPlace) -> bool:
        at = bisect_left(self.places, place)
        return at < len(self.places) and self.places[at] == place

    def add(self, place: WaitingPlace) -> None:
        insort(self.places, place)

    def remove(self, place: WaitingPlace) -> None:
        """Take a place out that is in the line."""
        del self.places[bisect_left(self.places, place)]

    def position(self, place: WaitingPlace) -> int:
        """From 1; of a place that is not in the line, the position it would have."""
        return bisect_left(self.places, place) + 1

    def first(self) -> WaitingPlace | None:
        return self.places[0] if self.places else None
