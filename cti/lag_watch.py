"""How late the loop is and how long new requests wait, told to those who shed calls by it."""

from __future__ import annotations

from typing import Final

from cti.loop_lag import LoopLag
from cti.switching import Switching
from switch.clock import Clock

_EVERY_S: Final = 0.25


class LagWatch:
    """Measures four times a second from `watch` to `stop`."""

    def __init__(self, clock: Clock, switching: Switching) -> None:
        self.lag = LoopLag()
        """Of the event loop."""
        self.waits = LoopLag()
        """Of new requests that were served."""
        self._clock = clock
        self._switching = switching
        self._due = 0.0
        self._is_over = False

    def watch(self) -> None:
        """Begin."""
        self._due = self._clock.now() + _EVERY_S
        self._clock.call_at(self._due, self._measure)

    def stop(self) -> None:
        """Measure no more: what is told may be closed."""
        self._is_over = True

    def _measure(self) -> None:
        if self._is_over:
            return
        now = self._clock.now()
        lag = max(0.0, now - self._due)
        self.lag.note(lag, now)
        self.waits.note(self._switching.pump.inflow.take_worst_s(), now)
        self._switching.calls.overload.report_loop_lag(lag)
        self._switching.pump.loop_was_late(lag, now)
        self.watch()
