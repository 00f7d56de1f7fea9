"""The absolute schedule of the ticks, and how well it is kept.

    tick k is due at  start + k * 20 ms,  however long the ones before took

Each tick is counted once: on time; late (more than half a frame); caught up (late and followed at
once by the next); or dropped, when the engine is further behind than may be caught up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

FRAME_S: Final = 0.02
LATE_S: Final = FRAME_S / 2
MAX_BEHIND: Final = 5
"""Ticks that are caught up; what lies further back is left out."""
_WINDOW: Final = 500
"""Ticks in ten seconds."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """Milliseconds, over the last ten seconds of ticks."""

    p50_ms: float
    p99_ms: float
    max_ms: float


class TickSchedule:
    """When the next tick is due. Time is given, never read."""

    def __init__(self) -> None:
        self.next_at = 0.0
        self.running = False
        self.on_time = 0
        self.late = 0
        self.caught_up = 0
        self.dropped = 0
        self._lateness = np.zeros(_WINDOW)
        self._counted = 0

    @property
    def ticks(self) -> int:
        """Ticks that took place."""
        return self.on_time + self.late + self.caught_up

    def start(self, now: float) -> None:
        """The first tick is due at once."""
        self.next_at = now
        self.running = True

    def stop(self) -> None:
        """Nothing to do: no tick is due, and none is late when it begins again."""
        self.running = False

    def is_due(self, now: float) -> bool:
        """Whether a tick should take place at `now`."""
        return self.running and now >= self.next_at

    def take(self, now: float) -> int:
        """Count the tick that begins at `now`; return how many before it are left out."""
        behind = now - self.next_at
        left_out = 0
        if behind > MAX_BEHIND * FRAME_S:
            left_out = int(behind / FRAME_S) - 1
            self.dropped += left_out
            self.next_at += left_out * FRAME_S
        self._lateness[self._counted % _WINDOW] = behind
        self._counted += 1
        self.next_at += FRAME_S
        if behind <= LATE_S:
            self.on_time += 1
        elif now >= self.next_at:
            self.caught_up += 1
        else:
            self.late += 1
        return left_out

    def lateness(self) -> Lateness:
        """How late the last ticks were."""
        window = self._lateness[: min(self._counted, _WINDOW)]
        if not len(window):
            return Lateness(0.0, 0.0, 0.0)
        p50, p99 = np.percentile(window, (50, 99)) * 1000
        return Lateness(float(p50), float(p99), float(window.max() * 1000))
