"""Which parking places are free, and who stands in the others."""

from __future__ import annotations

from collections import Counter
from typing import Final

from acd.contact import Contact
from acd.contacts import Contacts
from acd.errors import CannotReachError, NotNowError
from acd.model import ContactId
from switch.clock import Clock

_REST_S: Final = 5.0
"""A place that was just left is the last to be taken: its number is still in people's heads."""


class ParkingPlaces:
    """All places, in the order of the configuration."""

    def __init__(self, slots: tuple[str, ...], contacts: Contacts, clock: Clock) -> None:
        self._slots = slots
        self._contacts = contacts
        self._clock = clock
        self._taken: dict[str, ContactId] = {}
        self._left_at: dict[str, float] = {}
        self.counted: Counter[str] = Counter()
        """What happened to parked calls, by `acd.contact_events.ParkNews`."""

    def __len__(self) -> int:
        """How many are taken."""
        return len(self._taken)

    @property
    def most(self) -> int:
        """How many there are."""
        return len(self._slots)

    def __contains__(self, number: str) -> bool:
        return number in self._slots

    def is_taken(self, slot: str) -> bool:
        """Whether somebody stands there."""
        return slot in self._taken

    def free(self, slot: str = "") -> str:
        """A place that is free: this one, or the next. Raises CannotReachError, NotNowError."""
        if slot:
            if slot not in self._slots:
                raise CannotReachError(f"There is no parking place {slot[:32]!r}", slot=slot[:32])
            if slot in self._taken:
                raise NotNowError(f"Somebody is parked in {slot} already", slot=slot)
            return slot
        if not self._slots:
            raise NotNowError("No parking places are set up: name some in [park] slots")
        found = [each for each in self._slots if each not in self._taken]
        if not found:
            raise NotNowError("All parking places are taken")
        now = self._clock.now()
        rested = (each for each in found if now - self._left_at.get(each, -_REST_S) >= _REST_S)
        return next(rested, found[0])

    def occupant(self, slot: str) -> Contact:
        """Who stands in a place. Raises CannotReachError."""
        name = self._taken.get(slot)
        contact = None if name is None else self._contacts.get(name)
        if contact is None or contact.park is None:
            raise CannotReachError(f"Nobody is parked in {slot[:32]!r}", slot=slot[:32])
        return contact

    def taken(self, slot: str, contact: ContactId) -> None:
        """Somebody stands there now."""
        self._taken[slot] = contact

    def left(self, slot: str, contact: ContactId) -> None:
        """It is free again."""
        if self._taken.get(slot) == contact:
            del self._taken[slot]
            self._left_at[slot] = self._clock.now()
