"""Places by their number in the database, and what is open now, remembered until it changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import structs
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from acd.dialer.compliance_places import NOWHERE, Place
from acd.dialer.compliance_windows import Hours, Opening, hours_of, opening, words_at
from acd.dialer.settings import Window
from crm_store.models.tables import PLACE

_BY_ID = select(PLACE).where(PLACE.c.id.in_(bindparam("ids", expanding=True)))
_BY_ZONES = select(PLACE).where(PLACE.c.zones.in_(bindparam("zones", expanding=True)))


class PlaceBook:
    """Places never change, so what was read once stays true; entries are only ever added."""

    def __init__(self) -> None:
        self._by_id: dict[int, Place] = {0: NOWHERE}
        self._ids: dict[Place, int] = {NOWHERE: 0}

    def places(self, connection: Connection, ids: Iterable[int]) -> dict[int, Place]:
        """The places with these ids."""
        wanted = set(ids)
        missing = wanted - self._by_id.keys()
        if missing:
            for row in connection.execute(_BY_ID, {"ids": sorted(missing)}):
                self._learn(row.id, row.region, row.zones)
        return {each: self._by_id.get(each, NOWHERE) for each in wanted}

    def known(self, places: Iterable[Place]) -> dict[Place, int] | None:
        """The ids of places if all of them are remembered."""
        try:
            return {each: self._ids[each] for each in places}
        except KeyError:
            return None

    def ids(self, connection: Connection, places: Iterable[Place]) -> dict[Place, int]:
        """The ids of places; new ones are added. Once in a transaction that does nothing else.

        An id is remembered only when it is found again: a transaction may still fail at its end.
        """
        wanted = set(places)
        missing = wanted - self._ids.keys()
        if not missing:
            return {each: self._ids[each] for each in wanted}
        rows = [
            {"region": each.region_words, "zones": ",".join(each.zones)}
            for each in sorted(missing, key=str)
        ]
        sought = {"zones": [row["zones"] for row in rows]}
        for row in connection.execute(_BY_ZONES, sought):
            self._learn(row.id, row.region, row.zones)
        found = dict(self._ids)
        if missing - found.keys():
            make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            connection.execute(make(PLACE).on_conflict_do_nothing(), rows)
            for row in connection.execute(_BY_ZONES, sought):
                found[_place(row.region, row.zones)] = row.id
        return {each: found[each] for each in wanted}

    def _learn(self, number: int, region: str, zones: str) -> None:
        place = _place(region, zones)
        self._by_id[number] = place
        self._ids[place] = number


def _place(region: str, zones: str) -> Place:
    return Place(regions=tuple(region.split()), zones=tuple(zones.split(",")) if zones else ())


class _Shared:
    """What places with the same hours have in common."""

    __slots__ = ("hours", "state")

    def __init__(self, hours: Hours, at: float) -> None:
        self.hours = hours
        self.state = opening(hours, at)


class Openings:
    """What is open now for the windows of one campaign.

    A list that says where people live has thousands of places, but they have few different hours.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = tuple(windows)
        self._of_place: dict[Place, _Shared] = {}
        self._of_hours: dict[Hours, _Shared] = {}

    def at(self, place: Place, at: float) -> Opening:
        """Whether a place may be called."""
        return self._current(place, at).state

    def in_words(self, place: Place, at: float) -> Opening:
        """As `at`, with words that tell the time there at `at`."""
        shared = self._current(place, at)
        known = shared.state
        if not known.is_never and known.at // 60 != at // 60:
            # The same until it changes, but for the minute: kept, because a claim asks for many at once.
            words = words_at(shared.hours, at)
            known = shared.state = structs.replace(known, at=at, words=words)
        return known

    def _current(self, place: Place, at: float) -> _Shared:
        shared = self._of_place.get(place)
        if shared is None:
            hours = hours_of(self._windows, place)
            if (shared := self._of_hours.get(hours)) is None:
                shared = self._of_hours[hours] = _Shared(hours, at)
            self._of_place[place] = shared
        if not shared.state.holds_at(at):
            shared.state = opening(shared.hours, at)
        return shared
