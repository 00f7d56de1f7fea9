"""Deadlines by key, for what has at most one of each: at most one live entry a key."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_SPARE_ENTRIES = 64


class Deadlines(Generic[K]):
    """A heap of deadlines that can be moved and cancelled.

    Void entries stay in the heap until they surface, or until they outnumber the live ones.
    """

    __slots__ = ("_due", "_heap", "_serial")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, K]] = []
        self._due: dict[K, int] = {}
        """The serial number of the live entry."""
        self._serial = 0

    def __len__(self) -> int:
        return len(self._due)

    def set(self, key: K, when: float) -> None:
        """Let `key` be due at `when` and at no other time."""
        self._serial += 1
        self._due[key] = self._serial
        heapq.heappush(self._heap, (when, self._serial, key))
        self._sweep()

    def cancel(self, key: K) -> None:
        """Forget the deadline of `key`, if there is one."""
        if self._due.pop(key, None) is not None:
            self._sweep()

    def next_due(self) -> float | None:
        """The earliest deadline."""
        heap = self._heap
        while heap and self._due.get(heap[0][2]) != heap[0][1]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop_due(self, now: float) -> K | None:
        """Take out one key that is due at `now`, the earliest first."""
        when = self.next_due()
        if when is None or when > now:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._due[key]
        return key

    def _sweep(self) -> None:
        """Drop void entries once they outnumber the live ones: each keeps its key in memory."""
        if len(self._heap) > 2 * len(self._due) + _SPARE_ENTRIES:
            self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[1]]
            heapq.heapify(self._heap)
