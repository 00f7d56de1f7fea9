"""How late the event loop is: the measure of whether calls are decided in time."""

from __future__ import annotations

from typing import Final

_WINDOW_S: Final = 30.0
LATE_S: Final = 0.1
"""A measure above this counts as late: a caller begins to notice."""


class LoopLag:
    """Keeps the last measure, the worst of the last half to whole minute, and how many were late."""

    __slots__ = ("_before", "_now", "_until", "last_s", "late", "measures")

    def __init__(self) -> None:
        self.last_s = 0.0
        self.late = 0
        """Measures above `LATE_S` since the start."""
        self.measures = 0
        self._until = 0.0
        self._before = self._now = 0.0

    def note(self, lag_s: float, now: float) -> None:
        """Take one measure; `now` is monotonic seconds."""
        if now >= self._until:
            self._before, self._now = self._now, 0.0
            self._until = now + _WINDOW_S
        self.last_s = lag_s
        self.measures += 1
        self._now = max(self._now, lag_s)
        if lag_s > LATE_S:
            self.late += 1

    @property
    def worst_s(self) -> float:
        """The worst of the last half to whole minute."""
        return max(self._before, self._now)
