"""How the API behaves; `cti.api.ports` has it too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """How the API behaves."""

    token_secret: bytes
    """Signs tokens (HMAC-SHA256), at least 32 bytes; keep it over restarts or all sign on anew."""
    token_ttl_s: float = 12 * 3600.0
    desk_grace_s: float = 15.0
    """A desk whose connection dropped may come back within this time and nothing happens."""
    ping_s: float = 15.0
    """WebSocket pings; a client that answers none within the same time is gone."""
    queue_limit: int = 1000
    """Messages that may wait for one client before it is cut off."""
    idempotency_s: float = 600.0
    sign_on_tries: int = 5
    """Wrong passwords per login and address before sign-on is refused for a while."""
    sign_on_pause_s: float = 30.0
    """First pause after too many wrong passwords; doubles up to `sign_on_pause_max_s`."""
    sign_on_pause_max_s: float = 900.0
    proxies: tuple[str, ...] = ()
    """Addresses and networks of reverse proxies: whom they pass a request on for is believed."""
    cors_origins: tuple[str, ...] = ()
    """Web origins that may call the API from a browser; none by default."""
