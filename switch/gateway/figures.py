"""The part of the control protocol that counts: what a leg was like, and how the gateway does."""

from __future__ import annotations

from switch.gateway.message import Message


class LegStats(Message, frozen=True, kw_only=True, tag="leg_stats"):
    """What passed through a leg. Packets are RTP packets, digits included."""

    packets_received: int = 0
    packets_sent: int = 0
    packets_lost: int = 0
    """Sequence numbers that never came (RFC 3550 A.3), not negative."""
    packets_late: int = 0
    """Came after their turn and were dropped."""
    frames_concealed: int = 0
    """Of 20 ms, made up for in a mix or a recording because their sound had not come."""
    packets_stray: int = 0
    """From another address than the peer's, or no RTP at all; dropped."""
    jitter_ms: float = 0.0
    """Interarrival jitter at the end (RFC 3550 A.8)."""
    rtt_ms: float | None = None
    """There and back, by RTCP; None, as in those below: the peer told nothing."""
    remote_lost: int | None = None
    """Packets that we sent and the peer missed."""
    remote_jitter_ms: float | None = None
    mos: float | None = None
    """Mean opinion score that the E-model (ITU-T G.107) estimates for the worse direction, 1 to 4.5."""


class GatewayStats(Message, frozen=True, kw_only=True, tag="gateway_stats"):
    """Counters since the gateway's start, and the lateness of its ticks."""

    uptime_s: float
    legs: int
    players: int
    recordings: int
    ports_free: int
    packets_received: int
    packets_sent: int
    packets_dropped: int
    """Dropped by us: socket buffers full at the send, receive rings overrun."""
    packets_stray: int
    ticks: int
    ticks_late: int
    """Started later than half a frame after their time."""
    ticks_dropped: int
    """Left out because the engine was more than the catch-up limit behind."""
    lateness_p50_ms: float
    """Of the last ten seconds, as the next two."""
    lateness_p99_ms: float
    lateness_max_ms: float
    cpu_user_s: float
    cpu_system_s: float
    crypt_s: float = 0.0
    """Time in which packets were encrypted and decrypted (SRTP)."""
    ports: int = 0
    """RTP ports in all."""
    open_files: int = 0
    """0: the kernel does not tell (Linux before 6.2)."""
    open_files_most: int = 0
    """So many may be open."""
    handshakes_waiting: int = 0
    """Datagrams of DTLS that wait for a turn."""
    handshakes_most: int = 0
    """So many may wait."""
    recorded_waiting: int = 0
    """Octets of recorded sound that wait for the disk."""
    recorded_most: int = 0
    """So many may wait; then recordings are given up."""
    handshakes_dropped: int = 0
    """Datagrams of DTLS beyond what may wait, or beyond what one peer may send."""
    handshakes_refused: int = 0
    """Datagrams that were neither an authentic check nor of a peer that is known."""
    digits_dropped: int = 0
    """Not passed on, because too many of them waited at their leg."""
    events_lost: int = 0
    """What happened while no call agent was there, beyond what is kept for the next one."""
