"""Settings of the calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from switch.gateway.protocol import PlayItem, Prompt
from switch.sdp.codecs import ALL_CODECS


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """Limits and times of the B2BUA."""

    host: str = "127.0.0.1"
    """The host in the From of calls that we make: our domain or address."""
    sip_address: tuple[str, int] = ("127.0.0.1", 5060)
    """Where our own requests leave from."""
    media_address: Callable[[str, str], str] | None = None
    """What our SDP tells a peer whose signalling is at a host, for a gateway's own address; None: that.

    Gateways on different hosts are told each other's in the same way."""
    ring_timeout_s: float = 60.0
    """How long a call between phones, or to a trunk, rings before the caller gets 480."""
    setup_timeout_s: float = 180.0
    """How long an incoming call may stay unanswered before it is given 480 (RFC 3261 13.3.1.1)."""
    retry_after_s: int = 5
    """Retry-After of every 503."""
    max_calls: int = 5000
    """Calls at a time; more are refused with 503."""
    max_loop_lag_s: float = 0.5
    """While the event loop is later than this, new calls are refused with 503."""
    codecs: tuple[str, ...] = ALL_CODECS
    """What is spoken with everybody, in the order of our offers; an offerer's own order decides."""
    music: tuple[PlayItem, ...] = (Prompt(name="music/default"),)
    """What those hear who wait; one player for all of them."""
    tunes: Mapping[str, tuple[PlayItem, ...]] = field(default_factory=dict)
    """Other music, by name; one player each."""
