"""The timers of all transactions in one heap."""

from __future__ import annotations

import heapq
from typing import Protocol

from switch.sip.timers import Timer


class TimerOwner(Protocol):
    """What has timers. `epoch` grows when they are stopped, `armed` counts those that run."""

    epoch: int
    armed: int


class TimerQueue:
    """Starts, stops and finds due timers in O(log n); stopped ones are swept out in passing."""

    __slots__ = ("_dead", "_heap", "_serial")

    _SWEEP_FROM = 1024
    """Below that many stopped timers a sweep is not worth its while."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, TimerOwner, Timer, int]] = []
        self._serial = 0
        self._dead = 0

    def __len__(self) -> int:
        """Timers that run."""
        return len(self._heap) - self._dead

    def start(self, owner: TimerOwner, timer: Timer, when: float) -> None:
        """Fire `timer` at `when` (monotonic seconds)."""
        self._serial += 1
        owner.armed += 1
        heapq.heappush(self._heap, (when, self._serial, owner, timer, owner.epoch))

    def stop_all(self, owner: TimerOwner) -> None:
        """Stop every timer of `owner`."""
        self._dead += owner.armed
        owner.armed = 0
        owner.epoch += 1
        if self._dead > self._SWEEP_FROM and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].epoch == entry[4]]
            heapq.heapify(self._heap)
            self._dead = 0

    def next_due(self) -> float | None:
        """When the next timer fires; None where none runs."""
        heap = self._heap
        while heap and heap[0][2].epoch != heap[0][4]:
            heapq.heappop(heap)
            self._dead -= 1
        return heap[0][0] if heap else None

    def pop_due(self, now: float) -> tuple[TimerOwner, Timer] | None:
        """Take out one timer that is due at `now`, the earliest first."""
        when = self.next_due()
        if when is None or when > now:
            return None
        _, _, owner, timer, _ = heapq.heappop(self._heap)
        owner.armed -= 1
        return owner, timer
