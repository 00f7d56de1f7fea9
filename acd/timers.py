"""Deadlines by key: set, move, cancel, and what is due. Holds no clock."""

from __future__ import annotations

from enum import Enum
from heapq import heapify, heappop, heappush


class Due(Enum):
    """What a deadline is for. With an agent, a contact or a queue it is the key of a timer."""

    __hash__ = object.__hash__  # Enum's own is written in Python

    AGENT = "agent"
    """Watchdog of an offer, end of the wrap-up, end of a pause: an agent has one at a time."""
    ANNOUNCE = "announce"
    DISMISS = "dismiss"
    REST = "rest"
    """End of the pause of a contact whose offers failed at once, several in a row."""
    NEWS = "news"
    """The figures of a queue changed again so soon that they were kept back."""


TimerKey = tuple[Due, str]

_SLACK = 64


class Timers:
    """A heap in which moved and cancelled deadlines stay behind until they surface.

    Once more than half of it is such leavings it is built anew, so that it stays
    within twice the number of live deadlines.
    """

    __slots__ = ("_heap", "_live", "_order")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, TimerKey]] = []
        self._live: dict[TimerKey, tuple[float, int, TimerKey]] = {}
        self._order = 0

    def __len__(self) -> int:
        return len(self._live)

    def when(self, key: TimerKey) -> float | None:
        entry = self._live.get(key)
        return None if entry is None else entry[0]

    def set(self, key: TimerKey, when: float) -> None:
        """Set the deadline of `key`; one that was set before no longer counts."""
        self._order += 1
        entry = (when, self._order, key)
        self._live[key] = entry
        heappush(self._heap, entry)
        if len(self._heap) > 2 * len(self._live) + _SLACK:
            self._heap = list(self._live.values())
            heapify(self._heap)

    def cancel(self, key: TimerKey) -> None:
        self._live.pop(key, None)

    def next(self) -> float | None:
        """When the next deadline is; None without one."""
        heap = self._heap
        while heap:
            entry = heap[0]
            if self._live.get(entry[2]) is entry:
                return entry[0]
            heappop(heap)
        return None

    def pop_due(self, now: float) -> TimerKey | None:
        """Take the earliest deadline that is not after `now`."""
        when = self.next()
        if when is None or when > now:
            return None
        key = heappop(self._heap)[2]
        del self._live[key]
        return key
