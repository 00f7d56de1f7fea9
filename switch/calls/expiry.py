"""The expiry of bindings: one timer, always at the next one."""

from __future__ import annotations

from switch.calls.turn import Turn
from switch.clock import Clock, TimerHandle
from switch.registrar.location import Location


class ExpiryWatch:
    """Tells the location service when it is time to let bindings go."""

    def __init__(self, location: Location, turn: Turn, clock: Clock) -> None:
        self._location = location
        self._turn = turn
        self._clock = clock
        self._timer: TimerHandle | None = None
        self._due: float | None = None

    def watch(self) -> None:
        """Set the timer anew where the next expiry has moved."""
        when = self._location.get_timer()
        if when == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = when
        self._timer = None if when is None else self._turn.call_at(when, None, self._expired)

    def _expired(self) -> None:
        self._timer = self._due = None
        self._location.handle_timer(self._clock.now())
        self.watch()
