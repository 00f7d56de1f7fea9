"""The turn of the day, by the calendar of this machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final

from switch.clock import Clock

_LOOK_EVERY_S: Final = 3600.0
"""Timers do not count while a machine sleeps, and its clock may be set: so it looks this often."""
_LEAST_S: Final = 1.0
"""Where clocks go back at midnight, midnight has been and is still to come."""


class Midnight:
    """Calls `turned` once whenever the local date has changed."""

    def __init__(self, clock: Clock, turned: Callable[[], None]) -> None:
        self._clock = clock
        self._turned = turned
        self._day = _day(clock.wall())

    def watch(self) -> None:
        """Begin. Goes on for as long as the clock's timers fire."""
        wait_s = min(max(seconds_to_midnight(self._clock.wall()), _LEAST_S), _LOOK_EVERY_S)
        self._clock.call_at(self._clock.now() + wait_s, self._look)

    def _look(self) -> None:
        today = _day(self._clock.wall())
        if today != self._day:
            self._day = today
            self._turned()
        self.watch()


def seconds_to_midnight(wall: float) -> float:
    """Return the seconds until the next local midnight; `wall` is seconds since the epoch.

    A day may have 23 or 25 hours: what counts is the offset that holds at that midnight.
    """
    return datetime.combine(_day(wall) + timedelta(days=1), time.min).timestamp() - wall


def _day(wall: float) -> date:
    return datetime.fromtimestamp(wall).astimezone().date()
