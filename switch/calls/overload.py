"""Shedding: new calls are refused early, so that those that run stay whole."""

from __future__ import annotations

from typing import Final

from switch.calls.settings import CallSettings

_KEPT: Final = 20
"""One in so many calls is kept for registered phones: a flood over a trunk cannot lock them out."""


class Overload:
    """Decides whether one more call can be taken."""

    def __init__(self, settings: CallSettings) -> None:
        self.settings = self._settings = settings
        self._loop_lag_s = 0.0
        self.shed = 0
        """Calls refused since the start."""

    @property
    def loop_lag_s(self) -> float:
        """How late the event loop was when it was last measured."""
        return self._loop_lag_s

    def report_loop_lag(self, seconds: float) -> None:
        """Note how late the event loop is; measured outside, at least every second."""
        self._loop_lag_s = seconds

    def refuses(self, live_calls: int) -> str | None:
        """Give the reason why a new call must be refused, and count it; None: take it."""
        if live_calls >= self._settings.max_calls:
            reason = "too-many-calls"
        elif self._loop_lag_s > self._settings.max_loop_lag_s:
            reason = "overloaded"
        else:
            return None
        self.shed += 1
        return reason

    def keeps_back(self, live_calls: int) -> bool:
        """Tell, and count, whether the room that is left is kept for calls of our own phones."""
        kept = self._settings.max_calls // _KEPT
        if live_calls < self._settings.max_calls - kept:
            return False
        self.shed += 1
        return True
