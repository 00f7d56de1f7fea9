"""What the API has counted of those whom it did not serve."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

SIGNED_ON = "signed-on"
MOST_EXPECTED: Final = 500
"""Connections that have not brought a whole request yet; one more takes the place of the oldest."""


@dataclass(slots=True)
class ApiCounters:
    """Totals since the start; the API counts, the metrics read."""

    sign_ons: Counter[str] = field(default_factory=Counter)
    """By outcome: `signed-on`, or the id of the error."""
    verifying: int = 0
    """Passwords that are being verified, or wait for it, now."""
    expected: int = 0
    """Connections that have not brought a whole request yet, now."""
    slow_cut: int = 0
    """Connections cut off because no whole request came in time."""
    displaced: int = 0
    """Connections cut off because too many newer ones waited with them."""
