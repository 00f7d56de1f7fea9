"""What the API has counted of those whom it did not serve."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

SIGNED_ON = "signed-on"


@dataclass(slots=True)
class ApiCounters:
    """Totals since the start; the API counts, the metrics read."""

    sign_ons: Counter[str] = field(default_factory=Counter)
    """By outcome: `signed-on`, or the id of the error."""
    verifying: int = 0
    """Passwords that are being verified, or wait for it, now."""
    slow_cut: int = 0
    """Connections cut off because no whole request came in time."""
    displaced: int = 0
    """Connections cut off because too many newer ones waited with them."""
