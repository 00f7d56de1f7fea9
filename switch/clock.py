"""Time and timers as a port: the asyncio loop in production, virtual time in tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class TimerHandle(Protocol):
    """A timer that can be cancelled; cancelling twice or after it fired does nothing."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Time and timers. The asyncio loop offers it in production, virtual time in tests."""

    def now(self) -> float:
        """Monotonic seconds."""

    def wall(self) -> float:
        """Seconds since the epoch, for records and screens."""

    def call_at(self, when: float, callback: Callable[[], None]) -> TimerHandle:
        """Call back at `when` (monotonic seconds)."""
