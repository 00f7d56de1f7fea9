"""The heap of a running server goes onto huge pages as it grows (`switch.huge_pages`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from switch.clock import Clock, TimerHandle
from switch.huge_pages import collapse

_EVERY_S: Final = 20.0


class HugePages:
    """Looks at the heap at the start and every twenty seconds, beside the calls."""

    def __init__(
        self,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        *,
        collapse: Callable[[], int] = collapse,
    ) -> None:
        """`spawn` runs a coroutine beside the calls."""
        self._clock = clock
        self._spawn = spawn
        self._collapse = collapse
        self._timer: TimerHandle | None = None

    def watch(self) -> Callable[[], None]:
        """Begin; returns what ends it."""
        self._look()
        return self._stop

    def _look(self) -> None:
        self._spawn(self._move())
        self._timer = self._clock.call_at(self._clock.now() + _EVERY_S, self._look)

    async def _move(self) -> None:
        await asyncio.to_thread(self._collapse)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
