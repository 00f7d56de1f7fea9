"""What peers may take of our sockets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """Bounds of the shells."""

    udp_batch: int = 256
    """Datagrams read at one wake before others get their turn. What waits in the socket cannot be told
    apart, so it is emptied as a rule."""
    udp_buffer: int = 4 << 20
    """Octets asked for as socket buffer each way; the kernel may give less (net.core.rmem_max)."""
    udp_backlog: int = 4096
    """Datagrams that wait for a full socket; more are dropped, as a network would."""
    max_connections: int = 2000
    """Connections over TCP, TLS and WebSocket together, accepted and made."""
    max_connections_per_address: int = 1000
    """Accepted from one address that is exempt or has proved a password: an office of phones, half of
    all so that there may be two."""
    max_strangers: int = 500
    """Accepted from all others together; one more takes the place of the oldest of them."""
    max_connections_per_stranger: int = 20
    """Accepted from one of them."""
    connect_s: float = 4.0
    """For a connection of ours, its TLS handshake included."""
    handshake_s: float = 10.0
    """TLS and the WebSocket upgrade of one who connects must be done so soon."""
    strangers_handshakes_per_s: float = 100.0
    """TLS handshakes of strangers, of all together; a second's worth at once, the others wait. One costs
    a third of a millisecond."""
    websocket_ping_s: float = 30.0
    """A WebSocket that was silent for so long is pinged; silent for so long again, it is cut."""
    keepalive_s: float = 100.0
    """So often a silent connection of ours says something (RFC 5626 section 4.4.1)."""
    idle_s: float = 3600.0
    """A connection without a message or keep-alive for so long is closed."""
    message_s: float = 32.0
    """A message must be whole so long after its first octet."""
    stranger_idle_s: float = 60.0
    """As `idle_s`, for strangers: a phone has registered by then."""
    stranger_message_s: float = 10.0
    """As `message_s`, for strangers; their first message must be whole so long after they connect."""
    ending_s: float = 2.0
    """So long a peer that was told why its connection ends may take to read it."""
    stream_buffer: int = 128 << 10
    """Octets the kernel keeps each way for a connection that we accept; it could grow to megabytes."""
    stall_mark: int = 16 << 10
    """A peer that leaves more octets unread, beyond what the kernel keeps, does not read."""
    stall_s: float = 32.0
    """One that does not read for so long is cut (64*T1: by then every request of ours has failed)."""
    stranger_stall_s: float = 10.0
    """As `stall_s`, for strangers, who are not read meanwhile either."""
    max_write_buffer: int = 1 << 20
    """Octets a peer may leave unread before its connection is cut."""
    max_write_buffers: int = 64 << 20
    """Octets that peers who do not read may leave unread together; then the first of them are cut."""
    max_waiting: int = 256
    """Messages that wait for one connection to be made."""
