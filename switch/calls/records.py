"""Legs and recordings as values that outlive the process (see `switch.journal`).

Moments are seconds since the epoch, as `switch.journal.times` makes them.
"""

from __future__ import annotations

import msgspec

from switch.sdp.negotiation_record import NegotiationRecord
from switch.sip.session_record import SessionRecord


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


class CaptureRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One running recording."""

    call: str
    path: str
    began: float
    customer: str | None
    agent: str | None
    is_stopping: bool
