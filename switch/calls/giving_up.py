"""When legs that nobody answers are given up.

start     at `gives_up_at`, which says how long it may go without an answer
rings     the first 18x: where the time to ring counts from there, it begins now
stop      it is answered, or over
"""

from __future__ import annotations

from collections.abc import Callable

from switch.calls.leg import Leg
from switch.calls.turn import Turn


class GivingUp:
    """The timers of all legs that are not answered yet."""

    def __init__(self, turn: Turn, give_up: Callable[[Leg], None]) -> None:
        self._turn = turn
        self._give_up = give_up

    def start(self, leg: Leg) -> None:
        """Wait for its answer."""
        leg.timer = self._turn.call_at(leg.gives_up_at, leg.id, lambda: self._due(leg))

    def rings(self, leg: Leg, now: float) -> bool:
        """It rings from now on; True where that changes when it is given up."""
        if not leg.rings_for_s or leg.timer is None:
            return False
        leg.gives_up_at = now + leg.rings_for_s
        leg.timer.cancel()
        self.start(leg)
        return True

    @staticmethod
    def stop(leg: Leg) -> None:
        """End everything that runs until a leg is answered."""
        if leg.hunted is not None:
            leg.hunted.stop()
        if leg.fork is not None and leg.fork.timer is not None:
            leg.fork.timer.cancel()
            leg.fork.timer = None
        if leg.timer is not None:
            leg.timer.cancel()
            leg.timer = None

    def _due(self, leg: Leg) -> None:
        leg.timer = None
        self._give_up(leg)
