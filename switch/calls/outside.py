"""What has nothing to do with calls and comes by the same user agent."""

from __future__ import annotations

from typing import Protocol

from switch.sip.events import OutOfDialogRequest, RequestAnswered


class Outside(Protocol):
    """Takes requests outside of sessions, and the answers to its own; attached with `Calls.attach`."""

    def request(self, event: OutOfDialogRequest, now: float) -> bool:
        """Answer a request, now or later; False when it is for somebody else."""

    def answered(self, event: RequestAnswered, now: float) -> bool:
        """Take the answer to a request of `UserAgent.send_request`; False when it is another's."""
