"""Trunks that fail: dialled less and less often until a call gets through again. Pure."""

from __future__ import annotations

from typing import Final

ENOUGH: Final = 3
"""So many failures in a row are the trunk's."""
FIRST_PAUSE_S: Final = 2.0
LONGEST_PAUSE_S: Final = 60.0


class _Failing:
    __slots__ = ("failures", "pause_s", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.pause_s = 0.0
        self.until = 0.0


class TrunkWatch:
    """What is known of each way out: a list is not burnt against a trunk that is away."""

    def __init__(self) -> None:
        self._failing: dict[str, _Failing] = {}

    def failed(self, way: str, now: float) -> None:
        """A dial did not get through."""
        found = self._failing.setdefault(way, _Failing())
        found.failures += 1
        if found.failures < ENOUGH or now < found.until:
            return  # those that were in flight when the pause began say nothing new
        found.pause_s = min(max(2.0 * found.pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        found.until = now + found.pause_s

    def worked(self, way: str) -> None:
        """A dial got through: somebody was rung, or the number was refused by whom it belongs to."""
        self._failing.pop(way, None)

    def until(self, way: str, now: float) -> float | None:
        """When the next dial may be tried; None: now."""
        found = self._failing.get(way)
        return None if found is None or now >= found.until else found.until

    def is_trying(self, way: str) -> bool:
        """Whether the next dial is to find out if it works again: one at a time."""
        found = self._failing.get(way)
        return found is not None and found.failures >= ENOUGH
