"""The record of one transaction, and the keys by which messages find theirs."""

from __future__ import annotations

from zlib import crc32

from msgspec import Struct

from switch.sip.events import TransactionId
from switch.sip.flow import Flow
from switch.sip.machine import Machine
from switch.sip.message import Request, Response
from switch.sip.timers import Timer

MAGIC_COOKIE = "z9hG4bK"
"""Begins every branch since RFC 3261 (section 8.1.1.7)."""


MergeKey = tuple[str | None, str, int, str]
"""From tag, Call-ID, and both parts of CSeq."""


class CancelWish:
    """How far the cancelling of an INVITE of ours has come; beside its state, not part of it."""

    NONE = 0
    POSTPONED = 1
    SENT = 2


class Transaction(Struct, eq=False):
    """State and memory of one transaction; the table of its machine says what happens to it."""

    machine: Machine
    id: TransactionId
    key: str
    request: Request | None
    """None once it rests, and once it is refused; over a connection a refused one keeps its head."""
    flow: Flow
    """Where a request of ours goes to; where responses of ours go."""
    state: str
    datagram: bytes = b""
    """What is retransmitted: the request of a client, the last response of a server."""
    response: Response | None = None
    """Server: the last response; None before it, and once it rests or is refused."""
    to_tag: str | None = None
    """Server, after that: the To tag that the INVITE's answers had."""
    interval: float = 0.0
    """Seconds of the retransmission timer that runs or ran last."""
    failure: str = ""
    """Client: why the transport failed."""
    cancel: int = CancelWish.NONE
    """INVITE client only."""
    cancel_headers: tuple[tuple[str, str], ...] = ()
    """What the CANCEL says besides."""
    invite: Transaction | None = None
    """Of a CANCEL of our own: what it cancels. Such a transaction reports nothing."""
    merge_key: MergeKey | None = None
    """Server: finds requests merged by a forking proxy (section 8.2.2.2)."""
    stranger: str = ""
    """Server: the host that it counts against, while it counts among those of strangers."""
    zero_timer: Timer | None = None
    """A timer of zero seconds, to fire when the present step is done."""
    epoch: int = 0
    armed: int = 0

    def __repr__(self) -> str:
        return f"<{self.machine.name} {self.id} {self.key} {self.state}>"

    def let_go(self) -> None:
        """Keep only what a copy is answered with: at a hundred calls a second twenty thousand rest.

        The messages are thrown away while the processor still has them at hand.
        """
        if self.response is not None:
            self.to_tag = self.response.to.tag
        self.request = self.response = None


def server_key(request: Request, method: str) -> str:
    """The key of the server transaction that `request` belongs to (section 17.2.3).

    `method` is the request's own; INVITE to find what an ACK or CANCEL is about. Requests of RFC 2543
    have no unique branch and are told apart by several headers; so are those whose branch is the bare
    cookie (RFC 4475 section 3.2.1).
    """
    via = request.top_via
    branch = via.branch
    if branch is not None and branch.startswith(MAGIC_COOKIE) and branch != MAGIC_COOKIE:
        return f"{branch} {via.sent_by} {method}"
    seq = request.cseq.seq
    return (
        f"{request.call_id} {request.from_.tag} {seq} {request.uri} {via.sent_by} {branch} {method}"
    )


def merge_key(request: Request) -> MergeKey:
    """What requests have in common that a forking proxy made of one (section 8.2.2.2)."""
    cseq = request.cseq
    return request.from_.tag, request.call_id, cseq.seq, cseq.method


def client_key(branch: str | None, method: str) -> str:
    """The key of the client transaction that a response belongs to (section 17.1.3)."""
    return f"{branch} {method}"


def stateless_tag(request: Request) -> str:
    """The To tag of answers without a transaction: the same for the request, its copies, its ACK."""
    headers = request.headers
    text = f"{headers.get('Call-ID')} {headers.get('From')} {request.top_via.branch}"
    return f"s{crc32(text.encode()):08x}"
