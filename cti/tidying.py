"""Memory is given back while nobody waits for it.

The collector is calmed (`cti.serving`): what became garbage in cycles after it had lived for a while, as
connections of desks do, would stay for half a million calls. And the C library keeps what was freed between
things that live. So both are looked through once in a while: a minute after calls that are over, and every
five minutes while there are always some.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from typing import Any, Final

from switch.clock import Clock

_LOOK_EVERY_S: Final = 20.0
IDLE_S: Final = 60.0
"""While there are no calls: SIP transactions are gone 32 s after theirs."""
BUSY_S: Final = 300.0
"""While there are: it holds everybody for some hundredths of a second."""


class Tidying:
    """Calls `tidy` when it is due and `work`, which counts what makes garbage, has grown."""

    def __init__(
        self,
        clock: Clock,
        has_calls: Callable[[], bool],
        *,
        tidy: Callable[[], None] | None = None,
        work: Callable[[], int] | None = None,
    ) -> None:
        """Without `tidy` and `work` this process is tidied."""
        self._clock = clock
        self._has_calls = has_calls
        self._tidy = tidy or _Process().tidy
        self._work = work or _collections
        self._done_at = self._busy_at = clock.now()
        """When it was tidied, and when there were calls, last."""
        self._done_work = self._work()

    def watch(self) -> None:
        """Begin. Goes on for as long as the clock's timers fire."""
        self._clock.call_at(self._clock.now() + _LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        is_busy, now = self._has_calls(), self._clock.now()
        if is_busy:
            self._busy_at = now
        due = self._done_at + BUSY_S if is_busy else max(self._done_at, self._busy_at) + IDLE_S
        if self._work() != self._done_work and now >= due:
            self._tidy()
            self._done_at, self._done_work = self._clock.now(), self._work()
        self.watch()


class _Process:
    """This process; where its C library has no `malloc_trim` only cycles are collected."""

    def __init__(self) -> None:
        self._trim: Any = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def tidy(self) -> None:
        """Collect cycles, give free pages back."""
        gc.collect()
        if self._trim is not None:
            self._trim(0)


def _collections() -> int:
    """Collections of the youngest: one for each fifty thousand objects that were made and kept."""
    count: int = gc.get_stats()[0]["collections"]
    return count
