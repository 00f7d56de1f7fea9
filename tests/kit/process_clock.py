"""Timers that end with the process that set them, on a clock that goes on."""

from __future__ import annotations

from collections.abc import Callable

from tests.kit.virtual_clock import VirtualClock, VirtualTimer


class ProcessClock:
    """The clock of one process: its timers end with it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._timers: list[VirtualTimer] = []

    def now(self) -> float:
        return self._clock.now()

    def wall(self) -> float:
        return self._clock.wall()

    def call_at(self, when: float, callback: Callable[[], None]) -> VirtualTimer:
        timer = self._clock.call_at(when, callback)
        self._timers = [each for each in self._timers if not each.cancelled]
        self._timers.append(timer)
        return timer

    def die(self) -> None:
        for timer in self._timers:
            timer.cancel()
