"""Says in the log that new requests are being refused for want of time, and when that is over."""

from __future__ import annotations

import logging
from typing import Any, Final

from switch.clock import Clock
from switch.transport.inflow import Inflow

log = logging.getLogger(__name__)

_QUIET_S: Final = 5.0
"""So long nothing must be refused until it is over."""


class SheddingLog:
    """Two lines for an overload, however many calls it costs."""

    __slots__ = ("_began", "_clock", "_dropped", "_last", "_refused")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: float | None = None
        self._last = 0.0
        self._refused = self._dropped = 0

    def refused(self, inflow: Inflow[Any], count: int, now: float) -> None:
        """Note that so many requests were refused just now, and counted already."""
        self._last = now
        if self._began is None:
            self._began = now
            self._refused, self._dropped = inflow.refused - count, inflow.dropped
            log.warning(
                "overload: more comes than can be served; new calls that would have to wait are "
                "refused with 503. `switchroom doctor` shows what is short."
            )
            self._clock.call_at(now + _QUIET_S, lambda: self._look(inflow))

    def _look(self, inflow: Inflow[Any]) -> None:
        if self._began is None:
            return
        now = self._clock.now()
        if now < self._last + _QUIET_S:
            self._clock.call_at(self._last + _QUIET_S, lambda: self._look(inflow))
            return
        log.warning(
            "overload over after %.0f s: %d requests were refused with 503, %d messages dropped",
            self._last - self._began,
            inflow.refused - self._refused,
            inflow.dropped - self._dropped,
        )
        self._began = None
