"""One transfer under way, and what all of them have in common."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from switch.calls.causes import EndCause, Result
from switch.gateway.protocol import PlayItem, Silence, Tone
from switch.ids import LegId, PlayerId
from switch.sip.events import ReferId

RINGBACK: Final[tuple[PlayItem, ...]] = (
    Tone(frequencies_hz=(440.0, 480.0), duration_ms=2000, level_dbov=-22.0),
    Silence(duration_ms=4000),
)
"""What who is transferred hears while the target rings (ITU-T E.180 supplement 2, North America)."""
TRANSFERRED: Final = EndCause(Result.COMPLETED, "transferred")
TRANSFERRED_EARLY: Final = EndCause(Result.CANCELLED, "transferred")
"""Of a call that rings for somebody else now."""


class Transfer(Struct, eq=False):
    """One transfer whose target is being called."""

    peer: LegId
    """Who is transferred."""
    target: LegId
    transferor: LegId
    phone: str
    """The transferor's."""
    refer: ReferId | None
    """None: taken up from an earlier process, or nobody waits for news."""
    player: PlayerId | None = None
    """Ring-back for the peer."""
    has_left: bool = False
    """The transferor is gone, and the target has its place."""
    is_recall: bool = False
    """The target refused, and the transferor's phone is called again."""
