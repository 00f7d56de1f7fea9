"""Local windows: may people of a place be called now, and when does that change?

A window is judged by the clock on the wall of the place, whatever daylight saving does to it. Where a
place has several regions, it must be open by the windows of each; where it has several zones, all their
clocks must be inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from acd.dialer.compliance_places import Place, is_in
from acd.dialer.settings import Window

_DAY: Final = timedelta(days=1)
_AHEAD_DAYS: Final = 8
"""A week and a day: any window that ever opens, opens in that time."""
_DAY_MINUTES: Final = 24 * 60


class Opening(Struct, frozen=True, kw_only=True):
    """Whether a place may be called, from when it was asked until it changes."""

    is_open: bool
    at: float
    """Asked then; seconds since 1970."""
    changes_at: float | None
    """It closes, or opens again, then; None: never."""
    words: str
    """"08:00-21:00 local, 14:03 there (America/New_York)"."""
    is_never: bool = False
    """No hour suits: the place has no known zone, or its zones have no hour in common."""

    def holds_at(self, at: float) -> bool:
        """Whether this is still true at a time."""
        return self.at <= at and (self.changes_at is None or at < self.changes_at)


def minutes(text: str) -> int:
    """`08:00` in minutes from midnight; `24:00` is allowed. Raises ValueError for anything else."""
    hours, colon, rest = text.partition(":")
    if not (colon and len(hours) == 2 and len(rest) == 2 and (hours + rest).isascii()):
        raise ValueError(f"{text!r} is not a time of day such as 08:00")
    if not (hours + rest).isdigit() or int(rest) > 59:
        raise ValueError(f"{text!r} is not a time of day such as 08:00")
    total = int(hours) * 60 + int(rest)
    if total > _DAY_MINUTES:
        raise ValueError(f"{text!r} is later than 24:00")
    return total


class Hours(Struct, frozen=True, kw_only=True):
    """All that decides when a place is open: places with the same hours open and close together."""

    windows: tuple[tuple[Window, ...], ...]
    """Those that count for each of its regions; the clock must be inside one of each."""
    zones: tuple[str, ...]
    unserved: tuple[str, ...] = ()
    """Regions that no window is for: it is never open."""


def hours_of(windows: Sequence[Window], place: Place) -> Hours:
    """The hours of a place."""
    counting = {region: windows_for(windows, region) for region in place.regions or ("",)}
    return Hours(
        windows=tuple(dict.fromkeys(counting.values())),
        zones=tuple(sorted(place.zones)),
        unserved=tuple([region for region, found in counting.items() if not found]),
    )


def windows_for(windows: Sequence[Window], region: str) -> tuple[Window, ...]:
    """Those that count for a region: of the narrowest region that is named."""
    fitting = [window for window in windows if is_in(region, window.region)]
    narrowest = max((len(window.region) for window in fitting), default=0)
    return tuple([window for window in fitting if len(window.region) == narrowest])


def is_open(hours: Hours, at: float) -> bool:
    """Whether each clock is inside a window of each region."""
    if hours.unserved or not hours.zones:
        return False
    clocks = [_local(zone, at) for zone in hours.zones]
    return all(_inside(windows, clock) for windows in hours.windows for clock in clocks)


def opening(hours: Hours, at: float) -> Opening:
    """Whether a place with these hours may be called now, until when, and why, in words."""
    if not hours.zones:
        return Opening(
            is_open=False, at=at, changes_at=None, words="its time zone is not known", is_never=True
        )
    if hours.unserved:
        where = " or ".join(filter(None, hours.unserved)) or "such numbers"
        words = f"no window of the campaign is for {where}"
        return Opening(is_open=False, at=at, changes_at=None, words=words, is_never=True)
    now_open = is_open(hours, at)
    changes = next(
        (
            moment
            for moment in sorted(set(_turns(hours, at)))
            if is_open(hours, moment) is not now_open
        ),
        None,
    )
    return Opening(
        is_open=now_open,
        at=at,
        changes_at=changes,
        words=words_at(hours, at),
        is_never=not now_open and changes is None,
    )


def words_at(hours: Hours, at: float) -> str:
    """The words of an `Opening`, for a later time of the same state."""
    spans = " and ".join(", ".join(map(_span, windows)) for windows in hours.windows)
    times = sorted({_local(zone, at).strftime("%H:%M") for zone in hours.zones})
    there = times[0] if len(times) == 1 else f"{times[0]} to {times[-1]}"
    zones = hours.zones
    where = zones[0] if len(zones) == 1 else f"{len(zones)} zones, all must be inside"
    return f"{spans} local, {there} there ({where})"


def day_ends_at(zone: str, at: float) -> float:
    """When the local day of a zone ends."""
    local = _local(zone, at)
    return _moment(zone, local.date() + _DAY, 0, fold=0)


def day_began_at(zone: str, at: float) -> float:
    """When the local day of a zone began."""
    return _moment(zone, _local(zone, at).date(), 0, fold=0)


def local_text(zone: str, at: float) -> str:
    """`2026-11-22 14:03`, there."""
    return _local(zone, at).strftime("%Y-%m-%d %H:%M")


def _inside(windows: Sequence[Window], local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    return any(
        minutes(window.begin) <= minute < minutes(window.end) and local.weekday() in window.days
        for window in windows
    )


def _turns(hours: Hours, at: float) -> Iterator[float]:
    """Every moment of the next days at which a clock may enter or leave a window."""
    counting = {window for windows in hours.windows for window in windows}
    edges = {minutes(text) for window in counting for text in (window.begin, window.end)}
    for zone in hours.zones:
        today = _local(zone, at).date()
        for ahead in range(-1, _AHEAD_DAYS + 1):
            day = today + ahead * _DAY
            # Where the clock is put back an edge comes twice; where it is put forward, it may be
            # jumped over, at the moment of the change.
            moments = {_moment(zone, day, edge, fold=fold) for edge in edges for fold in (0, 1)}
            moments.update(_changes(zone, day))
            yield from (moment for moment in moments if moment > at)


@lru_cache(maxsize=16_384)
def _changes(zone: str, day: date) -> tuple[float, ...]:
    """When on a day (and the hours around it) the zone's clock is changed."""
    begin = datetime.combine(day, time(), UTC) - _DAY
    end = begin + 3 * _DAY
    if _offset(zone, begin) == _offset(zone, end):
        return ()
    while end - begin > timedelta(seconds=1):
        middle = begin + (end - begin) / 2
        if _offset(zone, middle) == _offset(zone, begin):
            begin = middle
        else:
            end = middle
    return (float(round(end.timestamp())),)


def _offset(zone: str, at: datetime) -> timedelta | None:
    return at.astimezone(ZoneInfo(zone)).utcoffset()


@lru_cache(maxsize=65_536)
def _moment(zone: str, day: date, minute: int, *, fold: int) -> float:
    naive = datetime.combine(day, time()) + timedelta(minutes=minute)
    return naive.replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def _local(zone: str, at: float) -> datetime:
    return datetime.fromtimestamp(at, ZoneInfo(zone))


_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _span(window: Window) -> str:
    days = sorted(set(window.days))
    named = "" if len(days) == 7 else " ".join(_NAMES[day] for day in days) + " "
    region = f" in {window.region}" if window.region else ""
    return f"{named}{window.begin}-{window.end}{region}"
