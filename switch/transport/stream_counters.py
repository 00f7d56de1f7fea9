"""What the connections of the node have counted, whatever they speak: TCP, TLS, WebSocket."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class StreamCounters:
    """Totals since the start."""

    accepted: int = 0
    made: int = 0
    refused_full: int = 0
    """Accepted and cut at once for want of room."""
    refused_banned: int = 0
    """Accepted and cut at once: the address is banned, or connects too often."""
    strangers_displaced: int = 0
    """Cut to make room for a newer stranger."""
    framing_errors: int = 0
    idle_closed: int = 0
    slow_closed: int = 0
    """A message was not whole in time, or a handshake not done."""
    write_overflows: int = 0
    """The peer did not read, and too much waited for it, or for all who do not."""
    stalled_closed: int = 0
    """The peer did not read for too long."""
    paused: int = 0
    """Times that a connection was not read for a while, its peer being above its rate."""
    waiting_dropped: int = 0
    """Messages to be sent over a connection that was being made, beyond what may wait for it."""
    handshakes_failed: int = 0
    """TLS handshakes that came to nothing: no common version, a certificate that one side refused."""
    upgrades_refused: int = 0
    """WebSocket upgrades refused: another subprotocol, an Origin that may not, no upgrade at all."""
    pings_unanswered: int = 0
    """WebSockets closed because the peer answered no ping."""
