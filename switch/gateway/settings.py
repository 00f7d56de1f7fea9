"""Settings of a media gateway process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """How one gateway runs."""

    socket_path: Path
    """Unix socket of the control protocol. Made by the gateway, for its own user only."""
    rtp_address: str
    """Numeric address that RTP sockets are bound to and that goes into SDP."""
    rtp_port_low: int
    rtp_port_high: int
    """Even ports from low to high are used, both included; a port that is taken is passed over."""
    prompt_folders: tuple[Path, ...] = ()
    """Where prompts lie as `<name>.ulaw`; earlier folders win."""
    linger_s: float = 60.0
    """Without a call agent for so long, the gateway closes its recordings and ends."""
    dtls_certificate: Path | None = None
    """PEM, certificate and key; None: no DTLS."""
    rtp_timeout_s: float = 30.0
    """A leg that should receive and does not for so long is reported."""
    wake_ms: float = 2.5
    """How often packets are taken and bridges relayed; every 5 ms under heavy load.

    Shorter: less delay, more CPU.
    """
    gateway: str = field(default_factory=lambda: f"gateway-{uuid4().hex[:12]}")
    """Unique per process."""
