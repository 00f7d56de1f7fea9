"""Where a SIP message came from and where one goes to."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Transport(StrEnum):
    """Transport names as they stand in Via; in URIs they are written small (RFC 3261, RFC 7118)."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"
    WS = "WS"
    WSS = "WSS"

    @property
    def is_reliable(self) -> bool:
        """True where the transport retransmits by itself (RFC 3261 section 17)."""
        return self is not Transport.UDP

    @property
    def is_secure(self) -> bool:
        """True where nobody on the way can read along."""
        return self is Transport.TLS or self is Transport.WSS

    @property
    def is_websocket(self) -> bool:
        """True where messages come in frames (RFC 7118); only the peer can make such a connection."""
        return self is Transport.WS or self is Transport.WSS

    @property
    def default_port(self) -> int:
        """Where a peer listens that names no port (RFC 3261 section 19.1.2, RFC 7118 section 8)."""
        return _DEFAULT_PORTS.get(self, 5060)


_DEFAULT_PORTS = {Transport.TLS: 5061, Transport.WS: 80, Transport.WSS: 443}


class Flow(Struct, frozen=True):
    """One path to a peer: a UDP pair of addresses or a connection over TCP, TLS or WebSocket."""

    transport: Transport
    remote: tuple[str, int]
    """Host and port."""
    local: tuple[str, int]
    connection: int = 0
    """Number of the connection, from 1, whatever its transport; 0 for UDP, and while not yet connected."""

    @property
    def is_connected(self) -> bool:
        """True over a connection: the peer is really there. Anybody can write any sender on a datagram."""
        return self.transport is not Transport.UDP
