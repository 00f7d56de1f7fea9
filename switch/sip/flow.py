"""Where a SIP message came from and where one goes to."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Transport(StrEnum):
    """Transport names as they stand in Via and URIs."""

    UDP = "UDP"
    TCP = "TCP"

    @property
    def is_reliable(self) -> bool:
        """True where the transport retransmits by itself (RFC 3261 section 17)."""
        return self is not Transport.UDP


class Flow(Struct, frozen=True):
    """One path to a peer: a UDP pair of addresses or a TCP connection."""

    transport: Transport
    remote: tuple[str, int]
    """Host and port."""
    local: tuple[str, int]
    connection: int = 0
    """Number of the TCP connection, from 1; 0 for UDP, and for TCP not yet connected."""

    @property
    def is_connected(self) -> bool:
        """True over a connection: the peer is really there. Anybody can write any sender on a datagram."""
        return self.transport is not Transport.UDP
