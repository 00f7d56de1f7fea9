"""One call of the load generator's callers: what happened to it, and its requests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from cti.bench.sip_text import Address


@dataclass(slots=True)
class CallRecord:
    """What happened to one call; times are monotonic seconds, 0.0 when it did not come to that."""

    token: str
    """Travels as the caller's display name, so that the agent's INVITE can be told apart."""
    number: str
    invited: float = 0.0
    agent_invited: float = 0.0
    answered: float = 0.0
    ended: float = 0.0
    digit_ended: float = 0.0
    """When the end of its digit was sent."""
    status: int = 0
    """Final status of the INVITE; 408 when none came."""
    is_lost: bool = False
    """Nobody answered its BYE."""


@dataclass(slots=True)
class Pending:
    """A request that waits for its answer."""

    data: bytes
    tries: int = 0
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class CallerLeg:
    """A caller's side of one call."""

    record: CallRecord
    call_id: bytes
    from_: bytes
    to: bytes
    target: bytes
    cseq: int = 1
    """Of its last INVITE."""
    authorization: bytes = b""
    """The header, once the server has asked for it."""
    invite: Pending | None = None
    """The last one: a hold is another."""
    cancel: Pending | None = None
    bye: Pending | None = None

    def request(self, method: bytes, sent_by: Address, *, body: bytes = b"") -> bytes:
        """A request of this call from `sent_by`; a BYE comes after the last INVITE, all others go with it."""
        cseq = self.cseq + (method == b"BYE")
        # A CANCEL, as the ACK of a refusal, belongs to the INVITE's transaction (RFC 3261 section 9.1).
        branch_of = b"INVITE" if method == b"CANCEL" else method
        host, port = sent_by[0].encode(), sent_by[1]
        head = (
            b"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;rport;branch=z9hG4bK%s-%d-%s\r\n"
            b"Max-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n"
            b"Contact: <sip:load@%s:%d>\r\n%s"
            % (
                method,
                self.target,
                host,
                port,
                self.call_id,
                cseq,
                branch_of,
                self.from_,
                self.to,
                self.call_id,
                cseq,
                method,
                host,
                port,
                self.authorization,
            )
        )
        if body:
            head += b"Content-Type: application/sdp\r\n"
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
