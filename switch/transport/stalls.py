"""Peers that do not read what we send them: what waits for all of them together is bounded.

What waits for one counts from the mark on at which the event loop says that it does not get rid of it
(`TransportLimits.stall_mark`); below it everything is as it should be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switch.transport.connection import StreamConnection


class Stalls:
    """The connections that stall, those that have done so longest first."""

    def __init__(self, most: int) -> None:
        """`most` octets may wait for all of them."""
        self._most = most
        self._connections: dict[StreamConnection, None] = {}
        self._octets = 0
        """At least as many as wait; what was read meanwhile is taken off only when there are too many."""

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def octets(self) -> int:
        """What waits for all of them."""
        return sum(each.unsent for each in self._connections)

    def begin(self, connection: StreamConnection) -> None:
        """It leaves more unread than the mark."""
        self._connections[connection] = None
        self.add(connection.unsent)

    def add(self, octets: int) -> None:
        """So many more wait for one of them."""
        self._octets += octets
        if self._octets > self._most:
            self._octets = self.octets
            if self._octets > self._most:
                self._cut_some()

    def end(self, connection: StreamConnection) -> None:
        """It reads again, or is gone."""
        self._connections.pop(connection, None)
        if not self._connections:
            self._octets = 0

    def _cut_some(self) -> None:
        """Those who stall longest make room for what waits for the others, strangers before all."""
        for each in sorted(self._connections, key=lambda each: not each.is_stranger):
            if self._octets <= self._most:
                break
            self._octets -= each.unsent
            del self._connections[each]
            each.does_not_read()
