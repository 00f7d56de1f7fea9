"""HTTP for peers that bring a whole request in time; those that do not are cut off.

So many may take their time at once; beyond that the newest takes the place of the oldest, so that nobody
uses up the open files that calls need.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from cti.api.counters import MOST_EXPECTED, ApiCounters

WHOLE_S: Final = 15.0
"""A request, head and body, must be whole so long after the connection or its first octet."""
_NONSENSE: Final = "Invalid HTTP request received."


class TimedHttp(H11Protocol):
    """Uvicorn's protocol with one timer more: its own watches only pauses between requests."""

    whole_s = WHOLE_S
    most_waiting = MOST_EXPECTED
    counters = ApiCounters()
    waiting: ClassVar[dict[TimedHttp, None]] = {}
    """Those of this server whose request is expected, the oldest first."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is there; its first request is expected."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Octets of a request, maybe the first ones, maybe the last."""
        cycle = self.cycle
        if self._timer is None and (cycle is None or cycle.response_complete):
            self._expect()
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and not cycle.more_body and not cycle.response_complete:
            self._done()  # it is whole; the answer is our business

    def handle_websocket_upgrade(self, event: Any) -> None:
        """From here on the WebSocket has its own pings."""
        self._done()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._done()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._timer = self.loop.call_later(self.whole_s, self._late)
        self.waiting[self] = None
        self.counters.expected += 1
        if len(self.waiting) > self.most_waiting:
            self.counters.displaced += 1
            next(iter(self.waiting))._cut()

    def _done(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            del self.waiting[self]
            self.counters.expected -= 1

    def _late(self) -> None:
        self.counters.slow_cut += 1
        self._cut()

    def _cut(self) -> None:
        self._done()
        self.transport.abort()


def counted_by(counters: ApiCounters) -> type[TimedHttp]:
    """The protocol of one server, which counts there."""
    return type("CountedHttp", (TimedHttp,), {"counters": counters, "waiting": {}})


def is_ours(record: logging.LogRecord) -> bool:
    """Filter: what strangers send without being HTTP does not fill our log."""
    return record.getMessage() != _NONSENSE
