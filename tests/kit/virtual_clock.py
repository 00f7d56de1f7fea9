"""A clock that moves only when a test moves it."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class VirtualTimer:
    """One timer of a `VirtualClock`."""

    __slots__ = ("callback", "cancelled", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualClock:
    """Satisfies `switch.clock.Clock`; time stands still until `advance` or `run_until`.

    Timers fire in the order of their times, and in the order they were set where times are equal.
    A callback sees its own due time in `now()`.
    """

    def __init__(self, start: float = 1000.0, wall: float = 1_700_000_000.0) -> None:
        self._now = start
        self._wall_offset = wall - start
        self._serial = 0
        self._timers: list[tuple[float, int, VirtualTimer]] = []

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._now + self._wall_offset

    def call_at(self, when: float, callback: Callable[[], None]) -> VirtualTimer:
        timer = VirtualTimer(when, callback)
        self._serial += 1
        heapq.heappush(self._timers, (when, self._serial, timer))
        return timer

    def next_timer(self) -> float | None:
        """Time of the next timer that is not cancelled."""
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def run_next(self) -> bool:
        """Jump to the next timer and fire it; False when there is none."""
        when = self.next_timer()
        if when is None:
            return False
        timer = heapq.heappop(self._timers)[2]
        self._now = max(self._now, when)
        timer.cancelled = True
        timer.callback()
        return True

    def run_until(self, end: float) -> None:
        """Fire every timer due until `end` inclusive, then stand at `end`."""
        while (when := self.next_timer()) is not None and when <= end:
            self.run_next()
        self._now = max(self._now, end)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, firing what falls due."""
        self.run_until(self._now + seconds)

    @property
    def pending(self) -> int:
        """Timers set, neither fired nor cancelled."""
        return sum(not timer.cancelled for _, _, timer in self._timers)
