"""The timers of all transactions, by the moment at which they fire.

Most wait together for one of few moments (`timers.together`): such a moment stands in the heap once,
however many wait for it.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Final, Protocol

from switch.sip.timers import Timer

_LONG: Final = 64
"""From so many on a moment's timers are taken from a deque, which is large while it holds few."""


class TimerOwner(Protocol):
    """What has timers. `epoch` grows when they are stopped, `armed` counts those that run."""

    epoch: int
    armed: int


_Entry = tuple[TimerOwner, Timer, int]


class TimerQueue:
    """Starts, stops and finds due timers; stopped ones are swept out in passing."""

    __slots__ = ("_at", "_dead", "_moments", "_size")

    _SWEEP_FROM = 1024
    """Below that many stopped timers a sweep is not worth its while."""

    def __init__(self) -> None:
        self._at: dict[float, list[_Entry] | deque[_Entry]] = {}
        self._moments: list[float] = []
        """The keys of `_at`, as a heap."""
        self._size = 0
        """Timers in `_at`, the stopped ones included."""
        self._dead = 0

    def __len__(self) -> int:
        """Timers that run."""
        return self._size - self._dead

    def start(self, owner: TimerOwner, timer: Timer, when: float) -> None:
        """Fire `timer` at `when` (monotonic seconds)."""
        owner.armed += 1
        self._size += 1
        waiting = self._at.get(when)
        if waiting is None:
            self._at[when] = [(owner, timer, owner.epoch)]
            heapq.heappush(self._moments, when)
        else:
            waiting.append((owner, timer, owner.epoch))

    def stop_all(self, owner: TimerOwner) -> None:
        """Stop every timer of `owner`."""
        self._dead += owner.armed
        owner.armed = 0
        owner.epoch += 1
        if self._dead > self._SWEEP_FROM and self._dead * 2 > self._size:
            self._sweep()

    def next_due(self) -> float | None:
        """When the next timer fires; None where none runs."""
        while self._moments:
            when = self._moments[0]
            waiting = self._at[when]
            while waiting:
                owner, _, epoch = waiting[0]
                if owner.epoch == epoch:
                    return when
                waiting = self._without_first(when, waiting)
                self._size -= 1
                self._dead -= 1
            heapq.heappop(self._moments)
            del self._at[when]
        return None

    def pop_due(self, now: float) -> tuple[TimerOwner, Timer] | None:
        """Take out one timer that is due at `now`, the earliest first."""
        when = self.next_due()
        if when is None or when > now:
            return None
        waiting = self._at[when]
        owner, timer, _ = waiting[0]
        self._without_first(when, waiting)
        self._size -= 1
        owner.armed -= 1
        return owner, timer

    def _without_first(
        self, when: float, waiting: list[_Entry] | deque[_Entry]
    ) -> list[_Entry] | deque[_Entry]:
        """Take out the first of a moment; give those that are left.

        All transactions of a flood end in one moment, and a list would move up those behind each time.
        """
        if isinstance(waiting, list):
            if len(waiting) < _LONG:
                del waiting[0]
                return waiting
            waiting = self._at[when] = deque(waiting)
        waiting.popleft()
        return waiting

    def _sweep(self) -> None:
        self._at = {
            when: running
            for when, waiting in self._at.items()
            if (running := [each for each in waiting if each[0].epoch == each[2]])
        }
        self._moments = list(self._at)
        heapq.heapify(self._moments)
        self._size -= self._dead
        self._dead = 0
