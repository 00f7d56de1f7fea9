"""Which failures of a call lead on to the next trunk.

    no 1xx in time, 408, transport failed    the trunk does not answer        -> next
    500-599                                  the trunk cannot                 -> next
    401, 407 after our credentials           the trunk does not know us       -> next
    486, 600, 603, 404, 480, 3xx, ...        the callee or the network spoke  -> the caller hears it
    anything after ringing                   somebody may have been disturbed -> the caller hears it
    anything, to an emergency call           somebody else may still help     -> next

A trunk may name further statuses that its carrier uses for faults of its own.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from msgspec import Struct

_OF_THE_TRUNK: Final = frozenset({401, 407, 408})
NEVER: Final = frozenset({404, 486, 487, 600, 603, 604, 606})
"""What the callee said; no setting makes another trunk ask again."""


class Failure(Struct, frozen=True):
    """How an attempt on one trunk ended."""

    status: int
    """Final status; 408 for silence and 503 for a transport that failed, which `heard_back` tells."""
    heard_back: bool
    retry_after_s: float | None = None
    """Retry-After of a 503 (RFC 3261 section 21.5.4)."""


def leads_on(
    failure: Failure,
    *,
    has_rung: bool,
    further: Set[int] = frozenset(),
    is_emergency: bool = False,
) -> bool:
    """Tell whether the next trunk is to be tried."""
    status = failure.status
    if is_emergency and status >= 400:
        return True
    if has_rung:
        return False
    if not failure.heard_back:
        return True
    if status in NEVER:
        return False
    return status in _OF_THE_TRUNK or 500 <= status < 600 or status in further


def retry_after_of(value: str | None) -> float | None:
    """Read a Retry-After: seconds, perhaps with a comment and parameters; at most an hour counts."""
    if value is None:
        return None
    digits = value.partition(";")[0].partition("(")[0].strip(" \t")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        return None
    return min(float(digits), 3600.0)
