"""Settings of the user agent."""

from __future__ import annotations

from dataclasses import dataclass, field

from switch.sip.admission import DEFAULT_ALLOW, DEFAULT_SUPPORTED
from switch.sip.timers import SipTimers


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAgentSettings:
    """What the user agent tells of itself, and its limits."""

    user_agent: str = "Switchroom"
    """User-Agent and Server header; empty: none."""
    allow: tuple[str, ...] = DEFAULT_ALLOW
    """The same as the endpoint's."""
    prefers_reliable: bool = True
    """Early media goes out reliably to peers that know how (RFC 3262), else where they require it."""
    session_interval_s: int = 1800
    """A session is refreshed at half of it, and ends when nobody refreshes it (RFC 4028); 0: never."""
    session_min_s: int = 90
    """A shorter interval of a peer is refused (422); at least 90."""
    timers: SipTimers = field(default_factory=SipTimers)
    """The same as the endpoint's."""
    invite_limit_s: float = 300.0
    """An INVITE, in or out, without a final response for so long is given up."""
    ringing_refresh_s: float = 60.0
    """Ringing is said again, lest proxies give up (RFC 3261 section 13.3.1.1)."""
    max_duration_s: float | None = None
    """A session is ended after so long; None: never."""
    max_sessions: int = 10_000
    """Beyond it INVITEs get 503, in both directions."""
    retry_after_s: int = 5
    """Of that 503."""
    max_glare_retries: int = 3
    """Tries of a re-INVITE that meets the peer's, before it is reported failed."""

    @property
    def supported(self) -> tuple[str, ...]:
        """The extensions that we know; the endpoint must be told the same."""
        off = () if self.session_interval_s else ("timer",)
        return tuple(word for word in DEFAULT_SUPPORTED if word not in off)
