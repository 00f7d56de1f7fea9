"""The end of a connection whose peer was told why: it is read for a while, and nothing of that is taken.

Closed at once, a socket with octets that nobody has read resets the connection, and the peer, which may be
sending still, could lose what it was told; RFC 9112 section 9.6 says the same of HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Ending(asyncio.Protocol):
    """Sends what is left and that nothing more comes; then the peer has a while to close."""

    def __init__(
        self,
        transport: asyncio.Transport,
        patience_s: float,
        lost: Callable[[Exception | None], None],
    ) -> None:
        """Take over the transport; `lost` is told when the connection is gone."""
        self._transport = transport
        self._lost = lost
        self._timer = asyncio.get_running_loop().call_later(patience_s, transport.abort)
        transport.set_protocol(self)
        transport.resume_reading()
        try:
            transport.write_eof()
        except OSError:  # the peer is gone already
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._lost(exc)

    def cut(self) -> None:
        """Wait no longer."""
        self._transport.abort()
