"""Memory is given back while nobody waits for it.

The collector is calmed (`cti.serving`): what became garbage in cycles after it had lived for a while, as
connections of desks do, would stay for half a million calls. And the C library keeps what was freed between
things that live. So both are looked through once in a while: a minute after calls that are over.

While there are calls that holds everybody up, and the longer the more of them live. So everything is looked
through, every five minutes, while few live: 200, and as many more with every hour that it was put off, but
never more than 600. With more, only what is young is: a centre that never has fewer waits for the collector.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

from switch.clock import Clock

_LOOK_EVERY_S: Final = 20.0
IDLE_S: Final = 60.0
"""While there are no calls: SIP transactions are gone 32 s after theirs."""
BUSY_S: Final = 300.0
"""While there are some."""
FEW_CALLS: Final = 200
"""With so many everything takes some 60 ms: a tenth of what SIP waits before it asks again."""
_MORE_EVERY_S: Final = 3600.0
MOST_CALLS: Final = 600
"""However long it was put off. With so many it takes some 180 ms: less than half of what SIP waits."""


class Depth(Enum):
    """How much is looked through."""

    YOUNG = auto()
    """What was made lately: the pause does not depend on how many calls live."""
    ALL = auto()
    """Everything, and what the C library keeps."""


class Tidying:
    """Calls `tidy` when it is due and `work`, which counts what makes garbage, has grown."""

    def __init__(
        self,
        clock: Clock,
        calls: Callable[[], int],
        *,
        tidy: Callable[[Depth], None] | None = None,
        work: Callable[[], int] | None = None,
    ) -> None:
        """`calls` tells how many live. Without `tidy` and `work` this process is tidied."""
        self._clock = clock
        self._calls = calls
        self._tidy = tidy or _Process().tidy
        self._work = work or _collections
        self._done_at = self._all_at = self._busy_at = clock.now()
        """When it was tidied, when wholly, and when there were calls, last."""
        self._all_work = self._work()

    def watch(self) -> None:
        """Begin. Goes on for as long as the clock's timers fire."""
        self._clock.call_at(self._clock.now() + _LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        calls, now = self._calls(), self._clock.now()
        if calls:
            self._busy_at = now
        due = self._done_at + BUSY_S if calls else max(self._done_at, self._busy_at) + IDLE_S
        if self._work() != self._all_work and now >= due:
            is_all = calls <= most_calls(now - self._all_at)
            self._tidy(Depth.ALL if is_all else Depth.YOUNG)
            self._done_at = self._clock.now()
            if is_all:
                self._all_at, self._all_work = self._done_at, self._work()
        self.watch()


def most_calls(put_off_s: float) -> int:
    """With how many calls everything is looked through, if that was last done so long ago."""
    return min(FEW_CALLS * (1 + int(put_off_s / _MORE_EVERY_S)), MOST_CALLS)


class _Process:
    """This process; where its C library has no `malloc_trim` only cycles are collected."""

    def __init__(self) -> None:
        self._trim: Any = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def tidy(self, depth: Depth) -> None:
        """Collect cycles; give free pages back if there is time for it."""
        if depth is Depth.YOUNG:
            gc.collect(1)
            return
        gc.collect()
        if self._trim is not None:
            self._trim(0)


def _collections() -> int:
    """Collections of the youngest: one for each fifty thousand objects that were made and kept."""
    count: int = gc.get_stats()[0]["collections"]
    return count
