"""What a leg keeps of its hunt for a trunk that takes the call."""

from __future__ import annotations

from msgspec import Struct

from switch.calls.attempt import Attempt
from switch.clock import TimerHandle
from switch.trunks.hunt import Departure, Hunt


class Hunted(Struct, eq=False):
    """Kept until the trunk that is tried has answered or the call has failed."""

    hunt: Hunt
    attempt: Attempt
    departure: Departure
    has_rung: bool = False
    is_working: bool = False
    """A provisional response beyond 100 has come."""
    timer: TimerHandle | None = None
    """Runs while nothing was heard and there is another trunk to try."""

    def stop(self) -> None:
        """Something was heard, or it does not matter any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
