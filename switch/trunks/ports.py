"""What the trunks need of the SIP user agent."""

from __future__ import annotations

from typing import Protocol

from switch.sip.client_digest import ClientCredentials
from switch.sip.events import TransactionId
from switch.sip.flow import Flow
from switch.sip.message import Request


class Requests(Protocol):
    """Sends requests outside of sessions; `switch.sip.user_agent.UserAgent` does."""

    def send_request(
        self,
        request: Request,
        flow: Flow,
        now: float,
        *,
        credentials: ClientCredentials | None = None,
    ) -> TransactionId:
        """Send it, answer one challenge, and report exactly one `RequestAnswered`."""
