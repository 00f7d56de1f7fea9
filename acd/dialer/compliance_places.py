"""Where a number is: every region whose rules may count, every time zone in which whoever answers may be."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from msgspec import Struct
from phonenumbers.timezone import time_zones_for_geographical_number, time_zones_for_number

from acd.dialer.us_area_codes import STATE_OF_AREA_CODE

_UNKNOWN: Final = "Etc/Unknown"
_AT_ONE_PLACE: Final = 3
"""More zones than these are those of a whole country: a mobile or a free number."""


class Place(Struct, frozen=True, kw_only=True):
    """Regions and zones of a number. Many numbers share one place."""

    regions: tuple[str, ...]
    """ISO 3166: `US-FL`, `GB`. The number's own, then the list's; the rules of each count.

    None where nobody knows, as for satellite phones.
    """
    zones: tuple[str, ...]
    """IANA names. A call must be allowed in each of them; none: it never is."""

    @property
    def region_words(self) -> str:
        """`US-FL US-TX`; empty where no region is known."""
        return " ".join(self.regions)

    def __str__(self) -> str:
        shown = self.zones[:3] + ((f"and {len(self.zones) - 3} more",) if self.zones[3:] else ())
        return " ".join((self.region_words or "unknown", *shown))


NOWHERE: Final = Place(regions=(), zones=())


def place_of(number: str, *, region: str = "", zone: str = "") -> Place:
    """The place of an E.164 number.

    `region` and `zone` of the list are asked as well as those of the number: a person may be at home or
    where the number comes from, and the law of either may count. Where several numbers of one prefix
    lie in different zones, all of them are given. Anything that is no number is nowhere.
    """
    found = _found(number)
    if not region and not zone:
        return found
    zones = found.zones
    if zone and len(zones) > _AT_ONE_PLACE:
        zones = (zone,)  # a number that may be anywhere says nothing beside a zone that is known
    elif zone and zone not in zones:
        zones = (zone, *zones)
    return Place(regions=_with(found.regions, region), zones=zones)


def _with(regions: tuple[str, ...], region: str) -> tuple[str, ...]:
    """One region more; of two that lie in each other the narrower alone."""
    if not region or any(is_in(each, region) for each in regions):
        return regions
    return (*(each for each in regions if not is_in(region, each)), region)


def is_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return "/" in name or name == "UTC"


def is_in(region: str, wider: str) -> bool:
    """Whether a region lies in another: `US-FL` in `US`, and all in the empty one."""
    return not wider or region == wider or region.startswith(wider + "-")


@lru_cache(maxsize=65_536)
def _found(number: str) -> Place:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return NOWHERE
    region = phonenumbers.region_code_for_number(parsed) or ""
    if not region:
        # Possible, but in no plan that the library knows: its country at least is certain.
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    if region in ("001", "ZZ"):
        region = ""  # of no country
    if region == "US" and (state := STATE_OF_AREA_CODE.get(number[2:5])):
        region = f"US-{state}"
    zones = time_zones_for_number(parsed)
    if _UNKNOWN in zones:  # in no plan, but its first digits may say where it is
        zones = time_zones_for_geographical_number(parsed)
    zones = tuple([zone for zone in zones if zone != _UNKNOWN])
    return Place(regions=(region,) if region else (), zones=zones)
