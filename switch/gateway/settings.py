"""Settings of a media gateway process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from switch.gateway.place import Place, TcpPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """How one gateway runs."""

    place: Place
    """Where the control protocol is spoken: a Unix socket, made by the gateway for its own user only, or TCP.

    A gateway over TCP is no child of the call agent: without one for `linger_s` it forgets its calls and
    waits for the next.
    """
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
    dtls_fingerprint: str | None = None
    """Of that certificate where it is not the call agent's; empty: there is none."""
    recordings: Path | None = None
    """The folder below which recordings lie where the call agent names them; None: exactly there."""
    advertise: str = ""
    """The address that SDP names instead of `rtp_address`."""
    rtp_timeout_s: float = 30.0
    """A leg that should receive and does not for so long is reported."""
    wake_ms: float = 2.5
    """How often packets are taken and bridges relayed; every 5 ms under heavy load.

    Shorter: less delay, more CPU.
    """
    gateway: str = field(default_factory=lambda: f"gateway-{uuid4().hex[:12]}")
    """Unique per process."""

    @property
    def stays(self) -> bool:
        """It goes on without a call agent."""
        return isinstance(self.place, TcpPlace)
