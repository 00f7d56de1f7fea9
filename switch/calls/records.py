"""Legs and recordings as values that outlive the process (see `switch.journal`).

Moments are seconds since the epoch, as `switch.journal.times` makes them.
"""

from __future__ import annotations

import msgspec

from switch.calls.attempt import Hop
from switch.sdp.negotiation_record import NegotiationRecord
from switch.sip.session_record import FlowRecord, SessionRecord


class TargetRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of `switch.calls.attempt.Target`, without credentials: the trunk has them."""

    request_uri: str
    flow: FlowRecord
    routes: tuple[str, ...] = ()
    hop: Hop | None = None
    dtmf: str = "rfc4733"
    late_offer: bool = False
    caller: str | None = None
    called: str | None = None
    headers: dict[str, str] = {}
    trunk: str | None = None


class BranchRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One place where a leg rings."""

    session: SessionRecord
    invite: bytes
    negotiation: NegotiationRecord
    target: TargetRecord
    rang: bool = False


class AttemptRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of `switch.calls.attempt.Attempt`; the call is the leg's."""

    number: str
    caller_number: str
    caller_name: str
    ring_timeout_s: float
    headers: dict[str, str]
    rights: tuple[str, str] | None = None


class ForkRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of `switch.calls.fork.Fork`."""

    attempt: AttemptRecord
    branches: tuple[BranchRecord, ...]
    waiting: tuple[tuple[TargetRecord, ...], ...]
    best: tuple[str, str, int, bool] | None
    """Result, reason, status, and whether the peer said so."""
    began: float
    until: float
    at: Hop | None = None


class TransferRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of `switch.calls.transfers.Transfer`; the target is the leg that has it."""

    peer: str
    transferor: str
    phone: str
    player: str | None
    has_left: bool
    is_recall: bool


class LegRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One live leg: the fields of `Leg` and of the matrix's `Facts`."""

    call: str
    session: SessionRecord
    outbound: bool
    number: str
    phone: str | None
    trunk: str | None
    state: str
    began: float
    gives_up_at: float
    answered_at: float
    port: int
    negotiation: NegotiationRecord
    body: bytes
    has_offer: bool
    awaits_answer: bool
    peers: tuple[str, ...] = ()
    held_by_peer: bool = False
    held_by_command: bool = False
    muted: bool = False
    music: bool = False
    echo: bool = False
    callee: str | None = None
    """The other leg of a direct call, at its caller's."""
    fork: ForkRecord | None = None
    """While it rings in several places."""
    early: str | None = None
    """The unanswered callee that it hears."""
    attends: str | None = None
    role: str = "monitor"
    group: str | None = None
    """The group of trunks that it left through."""
    transfer: TransferRecord | None = None
    """The transfer that it is called for."""
    tune: str = ""
    """The music that it hears when it is to hear some; empty: everybody's."""
    dtmf: str = "rfc4733"
    """How digits travel on its trunk."""
    gateway: str = ""
    """The name of the gateway that has it; empty: the first one."""
    rings_for_s: float = 0.0


class CaptureRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One running recording."""

    call: str
    path: str
    began: float
    customer: str | None
    agent: str | None
    """The first of those in the right channel."""
    is_stopping: bool
    others: tuple[str, ...] = ()
    """The rest of them."""
    gateway: str = ""
    """As above."""
