"""A parked call: the place it waits in, and who is called for it."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from acd.park_state import ParkState
from acd.party import Party
from switch.ids import LegId


class Park(Struct, kw_only=True):
    """One contact in a parking place."""

    slot: str
    """The number by which it is fetched."""
    by: str
    """The phone that is called back."""
    since: float
    due: float
    """When that phone is called; later while somebody fetches it."""
    state: ParkState = ParkState.WAITING
    caller: Party | None = None
    """Whose phone is called now, or has dialled the place."""
    ring_backs: int = 0
    """How often the phone was called in vain."""
    telling: LegId | None = None
    """Who dialled the code, and was told the place when it was parked; may be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkSettings:
    """The places, and what becomes of calls that nobody fetches."""

    slots: tuple[str, ...] = ()
    ring_back_s: float = 90.0
    ring_backs: int = 2
    """Who parked it is called so often; then it goes on."""
    otherwise: str = ""
    """The entry for calls that came from no queue; empty: they are told, and end."""
    language: str = "en"
    """Of calls that were between phones until they were parked."""
