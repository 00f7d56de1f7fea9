"""How much a peer may ask of us: sizes of messages, numbers of transactions."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLimits:
    """Sizes in octets; what is larger is refused before it is looked into."""

    max_head: int = 16_384
    """Start line and headers, up to and with the empty line."""
    max_body: int = 65_536
    max_headers: int = 128
    """Lines, or values where several stand in one, but for Content-Length; real requests through many proxies
    stay below 60."""
    max_header_value: int = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLimits:
    """What one endpoint holds at most."""

    message: MessageLimits = field(default_factory=MessageLimits)
    max_transactions: int = 20_000
    """Client and server together. Beyond it those that are over give way, the oldest first; where
    none is, new INVITEs get 503, other requests too."""
    max_strangers: int = 5_000
    """Of those, requests of peers that have proved no password: the rest is kept for the others."""
    max_per_stranger: int = 200
    """Of those, from one address."""
    retry_after_s: int = 5
    """Retry-After of that 503."""
    max_events: int = 50_000
    """Events that wait to be drained; a consumer that stops draining must not eat the memory."""
