"""How a leg ended: a value of few results and one slug, for history and reports."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Result(StrEnum):
    """What became of a leg."""

    COMPLETED = "completed"
    """It was answered and ended normally."""
    CANCELLED = "cancelled"
    """Given up before the answer."""
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    REJECTED = "rejected"
    """Refused by the peer or by us (rights, unknown number, overload)."""
    UNREACHABLE = "unreachable"
    """No binding, no route, no response."""
    FAILED = "failed"
    """Something broke: media lost, protocol error, gateway gone."""


class EndCause(Struct, frozen=True):
    """Why a leg ended."""

    result: Result
    reason: str
    """One slug: `caller-hung-up`, `agent-hung-up`, `rtp-timeout`, `gateway-lost`, ..."""
    status: int = 0
    """The SIP status that said so; 0 if none did."""
    q850: int = 0
    """The cause of the telephone network that the peer gave (RFC 3326, ITU-T Q.850); 0: none."""


INTERNAL_ERROR: Final = EndCause(Result.FAILED, "internal-error")
"""A fault of this program ended the leg: its call alone, see `switch.calls.turn`."""
