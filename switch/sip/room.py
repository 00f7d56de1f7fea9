"""Whether one more transaction may live: the limits of an endpoint."""

from __future__ import annotations

from switch.sip.limits import EndpointLimits
from switch.sip.message import Request
from switch.sip.transactions import TransactionTable


class Room:
    """What is left of the limits."""

    def __init__(self, table: TransactionTable, limits: EndpointLimits) -> None:
        self._table = table
        self._limits = limits

    def is_there_for(self, request: Request) -> bool:
        """Requests within dialogs get a quarter more, so that calls can end under overload."""
        room = self._limits.max_transactions
        if request.to.tag is not None and request.method != "INVITE":
            room += room // 4
        return len(self._table.events) < self._limits.max_events and self.has_place(room)

    def has_place(self, room: int) -> bool:
        """True where one more transaction may live, if need be in the place of one that is over."""
        return len(self._table.by_id) < room or self._table.make_room()

    def is_there_for_stranger(self, host: str) -> bool:
        """Strangers have a part of the room, and each of them a part of that."""
        strangers, limits = self._table.strangers, self._limits
        return (
            strangers.alive < limits.max_strangers and strangers.of(host) < limits.max_per_stranger
        )
