"""What all sinks of recordings of the tests have in common."""

from __future__ import annotations

from switch.media.tails import Tails


class NothingWaits:
    """A sink whose disk is as quick as its callers."""

    backlog_octets = 0
    max_backlog_octets = 1

    def __init__(self) -> None:
        self.kept = Tails()

    def tails(self) -> Tails:
        return self.kept
