"""How many calls a trunk carries: counted from the legs that live, so nothing can drift."""

from __future__ import annotations

from collections.abc import Mapping

from switch.ids import LegId
from switch.trunks.settings import TrunkSettings


class TrunkLimits:
    """The live legs of every trunk, both directions together."""

    def __init__(self, trunks: Mapping[str, TrunkSettings]) -> None:
        self._trunks = trunks
        self._legs: dict[str, set[LegId]] = {name: set() for name in trunks}
        self._trunk_of: dict[LegId, str] = {}

    def has_room(self, trunk: str) -> bool:
        """Tell whether one more leg may live on `trunk`; an unknown trunk has none."""
        settings = self._trunks.get(trunk)
        if settings is None:
            return False
        return settings.max_calls == 0 or len(self._legs[trunk]) < settings.max_calls

    def knows(self, trunk: str) -> bool:
        """Whether there is a trunk of this name."""
        return trunk in self._trunks

    def add(self, trunk: str, leg: LegId) -> None:
        """Count a leg that came to life on `trunk`."""
        self._legs[trunk].add(leg)
        self._trunk_of[leg] = trunk

    def remove(self, leg: LegId) -> None:
        """Count a leg out; one that was on no trunk is ignored."""
        trunk = self._trunk_of.pop(leg, None)
        if trunk is not None:
            self._legs[trunk].discard(leg)

    def live(self, trunk: str) -> int:
        """Legs that live on `trunk` now."""
        return len(self._legs.get(trunk, ()))

    @property
    def names(self) -> tuple[str, ...]:
        """All trunks, in the order of the configuration."""
        return tuple(self._trunks)

    def most(self, trunk: str) -> int:
        """How many legs may live on `trunk`; 0: any number."""
        return self._trunks[trunk].max_calls

    def legs(self) -> frozenset[LegId]:
        """All legs counted, for the check against the legs that live."""
        return frozenset(self._trunk_of)
