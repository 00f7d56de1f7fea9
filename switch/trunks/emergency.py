"""Emergency numbers: always routed, never limited, with the number of the caller's location."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencySettings:
    """Where emergency calls go, and what they show."""

    numbers: frozenset[str]
    """As they are dialled: 911, 112."""
    way: str
    """Trunk or group that takes them."""
    caller: str = ""
    """Number that tells the location of callers without one of their own; empty: as the trunk
    shows callers."""
    locations: tuple[tuple[str, str], ...] = ()
    """Phone and the number of the place where it stands."""

    def location_of(self, phone: str) -> str:
        """The number to show for a call from `phone`; empty where none is configured."""
        for each, number in self.locations:
            if each == phone:
                return number
        return self.caller


def emergency_numbers_of(region: str) -> frozenset[str]:
    """The emergency numbers of a country (ISO 3166); empty where none are known.

    Short codes of three digits are all tried, as the library tells of a number whether it is one,
    and not which there are.
    """
    if region not in phonenumbers.SUPPORTED_SHORT_REGIONS:
        return frozenset()
    return frozenset(
        number
        for number in map(str, range(100, 1000))
        if phonenumbers.is_emergency_number(number, region)
    )
