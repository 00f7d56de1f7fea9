"""How long a connection may take for what: pure, the time is passed in.

Strangers have less time than others (`TransportLimits`), and what is late because of us is not late.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from switch.sip.flow import Transport
from switch.transport.limits import TransportLimits


class Late(Enum):
    """What is late, the gravest first."""

    READING = "what was sent is not read after {} s"
    MESSAGE = "no whole message after {} s"
    HANDSHAKE = "no whole handshake after {} s"
    IDLE = "idle for {} s"
    ASKING = "not asked for {} s whether it is there"
    """That is for us to do."""


class Watched(Protocol):
    """The connection, as it stands."""

    accepted: bool
    kind: Transport
    is_open: bool
    is_stranger: bool

    @property
    def is_paused(self) -> bool:
        """We take nothing from the peer now."""


class Patience:
    """When one connection did what, and what it may be late with."""

    __slots__ = ("_limits", "_of", "active_at", "partial_since", "pinged_at", "stalled_at")

    def __init__(self, limits: TransportLimits, of: Watched) -> None:
        self._limits = limits
        self._of = of
        self.active_at = 0.0
        """When something came last."""
        self.pinged_at = 0.0
        """When it was asked last whether the peer is there."""
        self.partial_since: float | None = None
        """When the message began that is not whole; a stranger's first begins with the connection."""
        self.stalled_at: float | None = None
        """Since when the peer leaves unread what we send."""

    def due(self) -> float | None:
        """When something will be late next; None: nothing can be."""
        return min((since + patience for _, since, patience in self._waits()), default=None)

    def late(self, now: float) -> tuple[Late, float] | None:
        """What is late now, and after how long; None: nothing."""
        for what, since, patience in self._waits():
            if now >= since + patience:
                return what, patience
        return None

    def _waits(self) -> list[tuple[Late, float, float]]:
        """What is waited for, since when, and how long, the gravest first."""
        of, limits = self._of, self._limits
        waits: list[tuple[Late, float, float]] = []
        if self.stalled_at is not None:
            patience = limits.stranger_stall_s if of.is_stranger else limits.stall_s
            waits.append((Late.READING, self.stalled_at, patience))
        if of.is_paused:
            return waits
        if self.partial_since is not None:
            patience = limits.stranger_message_s if of.is_stranger else limits.message_s
            if not of.is_open:
                patience = min(patience, limits.handshake_s)
            what = Late.MESSAGE if of.is_open else Late.HANDSHAKE
            waits.append((what, self.partial_since, patience))
        idle_s = limits.stranger_idle_s if of.is_stranger else limits.idle_s
        waits.append((Late.IDLE, self.active_at, idle_s))
        if ask_s := self._ask_s():
            waits.append((Late.ASKING, max(self.active_at, self.pinged_at), ask_s))
        return waits

    def _ask_s(self) -> float:
        """How often the peer is asked; 0: never. Phones over TCP keep their connections themselves."""
        of, limits = self._of, self._limits
        if not of.is_open:
            return 0.0
        if of.kind.is_websocket:
            return limits.websocket_ping_s
        return 0.0 if of.accepted else limits.keepalive_s
