"""How much a trunk or a group carries: counted from the legs that live, so nothing can drift."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final, Protocol

from switch.ids import LegId

_SECOND: Final = 1.0


class Limited(Protocol):
    """What has limits: a trunk, a group."""

    @property
    def max_calls(self) -> int:
        """Legs that may live at the same time; 0: any number."""

    @property
    def max_calls_per_second(self) -> int:
        """Legs that may begin within a second; 0: any number."""


class TrunkLimits:
    """The live legs of every trunk, both directions together, and of every group.

    A leg is on one trunk at a time, and perhaps left through one group. Whoever moves it to another
    trunk adds it there: it leaves the first by that.
    """

    def __init__(
        self,
        trunks: Mapping[str, Limited],
        groups: Mapping[str, Limited] | None = None,
    ) -> None:
        self._trunks = trunks
        self.groups = frozenset(groups or ())
        """The names of the groups."""
        self._carriers: dict[str, Limited] = {**(groups or {}), **trunks}
        self._legs: dict[str, set[LegId]] = {name: set() for name in self._carriers}
        self._begun: dict[str, deque[float]] = {
            name: deque(maxlen=limited.max_calls_per_second)
            for name, limited in self._carriers.items()
        }
        """When the latest calls began, as many as the limit allows in a second."""
        self._carriers_of: dict[LegId, tuple[str, ...]] = {}

    def has_room(self, name: str, now: float | None = None) -> bool:
        """Tell whether one more leg may live on a trunk or group; an unknown one has no room.

        With the time `now` (monotonic seconds) calls per second count as well.
        """
        return self.why_full(name, now) is None

    def why_full(self, name: str, now: float | None = None) -> str | None:
        """The limit that keeps a further leg out, as one slug; None when there is room."""
        limited = self._carriers.get(name)
        if limited is None:
            return "unknown"
        if limited.max_calls and len(self._legs[name]) >= limited.max_calls:
            return "max-calls"
        if now is not None and self.begun_lately(name, now) >= limited.max_calls_per_second > 0:
            return "max-calls-per-second"
        return None

    def knows(self, trunk: str) -> bool:
        """Whether there is a trunk of this name."""
        return trunk in self._trunks

    def add(
        self, trunk: str, leg: LegId, *, now: float | None = None, group: str | None = None
    ) -> None:
        """Count a leg on `trunk`, and on the group it left through; one that was elsewhere moves.

        With `now` it counts as begun then on each that it was not on before.
        """
        before = self._carriers_of.get(leg, ())
        after = (trunk,) if group is None else (trunk, group)
        self.remove(leg)
        for name in after:
            self._legs[name].add(leg)
            if now is not None and name not in before:
                self._begun[name].append(now)
        self._carriers_of[leg] = after

    def remove(self, leg: LegId) -> None:
        """Count a leg out; one that was on no trunk is ignored."""
        for name in self._carriers_of.pop(leg, ()):
            self._legs[name].discard(leg)

    def live(self, name: str) -> int:
        """Legs that live on a trunk or group now."""
        return len(self._legs.get(name, ()))

    def begun_lately(self, name: str, now: float) -> int:
        """Legs that began within the last second, as far as the limit needs to know."""
        begun = self._begun[name]
        while begun and begun[0] <= now - _SECOND:
            begun.popleft()
        return len(begun)

    @property
    def names(self) -> tuple[str, ...]:
        """All trunks, in the order of the configuration."""
        return tuple(self._trunks)

    def most(self, name: str) -> int:
        """How many legs may live on a trunk or group; 0: any number."""
        return self._carriers[name].max_calls

    def most_per_second(self, name: str) -> int:
        """How many legs may begin on a trunk or group within a second; 0: any number."""
        return self._carriers[name].max_calls_per_second

    def legs(self) -> frozenset[LegId]:
        """All legs counted, for the check against the legs that live."""
        return frozenset(self._carriers_of)
