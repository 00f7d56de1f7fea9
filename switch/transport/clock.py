"""The clock of production: monotonic time, and the timers of an asyncio loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_GRANULARITY_S = 0.002
"""uvloop counts in whole milliseconds: the present is cut to one, a delay rounded, and so it may be early
by one and a half. A timer must not be: whoever it wakes may look at the time and leave."""


class LoopClock:
    """Satisfies `switch.clock.Clock` with the timers of one event loop."""

    __slots__ = ("_loop",)

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()

    # Asked sixty times a call: the system's own functions, without one of ours around them.
    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back at `when` or up to three milliseconds later, never before."""
        delay = max(0.0, when - time.monotonic())
        return self._loop.call_later(delay + _GRANULARITY_S, callback)
