"""What the engine counts over all legs."""

from __future__ import annotations


class Traffic:
    """RTP packets since the engine was made. Each part adds what it took or sent."""

    __slots__ = ("dropped", "received", "sent", "stray")

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0
        self.dropped = 0
        """Not taken by the system at the send."""
        self.stray = 0
        """From strangers, or nothing that could be RTP."""

    def count_sent(self, sent: int, dropped: int) -> None:
        """So many packets went out, and the system did not take so many others."""
        self.sent += sent
        self.dropped += dropped
