"""When a person asked to be called back, as the agent types it, in the person's own zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FURTHEST_DAYS: Final = 366
_DATE: Final = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})")
_TIME: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?")
_AHEAD: Final = re.compile(r"\+(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was typed is no time to call: the catalogue key of why not, and the field."""

    key: str
    field: str


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def read_day(text: str, today: date) -> date | None:
    """`2026-11-24`, `11-24` (the next one), `+3` (days ahead), empty (today); None: none of these."""
    typed = text.strip()
    if not typed:
        return today
    if ahead := _AHEAD.fullmatch(typed):
        return today + timedelta(days=int(ahead[1]))
    found = _DATE.fullmatch(typed)
    if found is None:
        return None
    year, month, day = int(found[1] or today.year), int(found[2]), int(found[3])
    try:
        named = date(year, month, day)
        if not found[1] and named < today:
            named = date(year + 1, month, day)
    except ValueError:
        return None
    return named


def read_time(text: str) -> time | None:
    """`14:30`, `14.30` or `14`; None: no time of day."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return time(int(found[1]), int(found[2] or 0))
    except ValueError:
        return None


def read_moment(day: str, clock: str, zone: ZoneInfo, now: float) -> float | Wrong:
    """Seconds since 1970 of a day and a time in `zone`, or why that is no time to call.

    An hour that is there twice (the clocks go back) means the first of the two.
    """
    today = datetime.fromtimestamp(now, zone).date()
    on = read_day(day, today)
    if on is None:
        return Wrong("later.wrong_day", "day")
    if (on - today).days > _FURTHEST_DAYS:
        return Wrong("later.too_far", "day")
    at = read_time(clock)
    if at is None:
        return Wrong("later.wrong_time", "time")
    local = datetime.combine(on, at)
    moment = local.replace(tzinfo=zone).timestamp()
    if datetime.fromtimestamp(moment, zone).replace(tzinfo=None) != local:
        return Wrong("later.no_such_time", "time")
    return moment if moment > now else Wrong("later.past", "time")


def there(at: float, zone: ZoneInfo) -> str:
    """A moment as the clocks of a zone show it, `11-24 14:30`."""
    return datetime.fromtimestamp(at, zone).strftime("%m-%d %H:%M")


def zone_clock(at: float, zone: str) -> str:
    """The time of day in a zone, `14:30`."""
    return datetime.fromtimestamp(at, zone_of(zone)).strftime("%H:%M")
