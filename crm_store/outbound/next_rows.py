"""The records of a list that come next: read from one index, lowest rank first, in places that are open.

A list that says where people live has thousands of places. The best records are in those that begin with
the lowest ranks, so only these are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, text

from acd.dialer.compliance_places import Place
from crm_store.models.tables import RECORD
from crm_store.outbound.campaign_rows import Known, ReadyPlace
from crm_store.outbound.places import PlaceBook

MARGIN_S: Final = 90.0
"""A window that closes so soon counts as closed: what is claimed waits a while before it is dialled."""
_LEAST: Final = 4
"""So many records are read of each place, unless fewer are wanted at all."""
FEW_PLACES: Final = 128
"""So many places are read at first, or as many as records are wanted ..."""
_PLACES_A_RECORD: Final = 8
"""... but no more than this for each of them: the best records are where the lowest ranks were seen last."""
_WIDER: Final = 8
_R = RECORD.c

_HEADS_SQLITE: Final = text(
    "WITH RECURSIVE place(id) AS ("
    " SELECT min(place_id) FROM outbound_record WHERE campaign_id = :campaign AND stage = 'ready'"
    " UNION ALL SELECT (SELECT min(place_id) FROM outbound_record"
    "  WHERE campaign_id = :campaign AND stage = 'ready' AND place_id > place.id)"
    " FROM place WHERE place.id IS NOT NULL"
    ") SELECT id, (SELECT min(rank) FROM outbound_record"
    "  WHERE campaign_id = :campaign AND stage = 'ready' AND place_id = place.id) AS rank"
    " FROM place WHERE id IS NOT NULL ORDER BY rank"
)
"""From one place to the next along the index, however many records lie between; the best first."""
_HEAD: Final = (
    "SELECT place_id, rank FROM outbound_record"
    " WHERE campaign_id = :campaign AND stage = 'ready'{behind} ORDER BY place_id, rank LIMIT 1"
)
_HEADS_POSTGRES: Final = text(
    f"WITH RECURSIVE place(id, rank) AS (({_HEAD.format(behind='')})"
    " UNION ALL SELECT head.place_id, head.rank FROM place"
    f" CROSS JOIN LATERAL ({_HEAD.format(behind=' AND place_id > place.id')}) AS head"
    ") SELECT id, rank FROM place ORDER BY rank"
)
"""The same, and place and rank by one step: SQLite has no such join."""
_HEADS_OF: Final = (
    "SELECT value AS id, (SELECT min(rank) FROM outbound_record"
    " WHERE campaign_id = :campaign AND stage = 'ready' AND place_id = value) AS rank FROM {places}"
)
_HEADS_OF_SQLITE: Final = text(_HEADS_OF.format(places="json_each(:places)"))
_HEADS_OF_POSTGRES: Final = text(
    _HEADS_OF.format(places="unnest(CAST(:places AS integer[])) AS place(value)")
)
_OF_PLACE: Final = (
    "SELECT id, rank FROM outbound_record"
    " WHERE campaign_id = :campaign AND stage = 'ready' AND place_id = place.value"
    " ORDER BY rank LIMIT {each}"
)
"""The first records of one place."""
COLUMNS: Final = (
    _R.id,
    _R.name,
    _R.customer_id,
    _R.facts,
    _R.priority,
    _R.place_id,
    _R.position,
    _R.number,
    _R.agent,
    _R.is_promised,
    _R.attempts,
    _R.last_attempt,
)
_NEXT: Final = (
    "WITH head AS (SELECT record.id, record.rank, place.value AS place FROM {places}),"
    # Of a place that has more, nothing is known behind the last one read, and nothing at all of places
    # that were left out, the best of which is at `beyond`: what ranks behind that may not be the next.
    " known AS (SELECT min(last) AS rank FROM (SELECT max(rank) AS last FROM head"
    "  GROUP BY place HAVING count(*) >= {{each}} UNION ALL SELECT {beyond}) AS bound)"
    f" SELECT {', '.join(column.name for column in COLUMNS)} FROM outbound_record WHERE id IN"
    "  (SELECT id FROM head WHERE rank <= coalesce((SELECT rank FROM known), rank)"
    "   ORDER BY rank LIMIT {{most}})"
    " AND stage = 'ready' ORDER BY rank"
)
_NEXT_SQLITE: Final = text(
    _NEXT.format(
        beyond=":beyond",
        places="json_each(:places) AS place JOIN outbound_record AS record"
        f" ON record.id IN (SELECT id FROM ({_OF_PLACE}))",
    ).format(each=":each", most=":most")
).columns(*COLUMNS)
_POSTGRES: Final = _NEXT.format(
    beyond="CAST(:beyond AS bigint)",
    places="unnest(CAST(:places AS integer[])) AS place(value)"
    f" CROSS JOIN LATERAL ({_OF_PLACE}) AS record",
)
_NEXT_POSTGRES: Final = text(
    _POSTGRES.format(each=":each", most=":most") + " FOR UPDATE SKIP LOCKED"
).columns(*COLUMNS)
_NEXT_ONE_POSTGRES: Final = text(
    _POSTGRES.format(each="1", most="1") + " FOR UPDATE SKIP LOCKED"
).columns(*COLUMNS)
"""With limits that it does not know the server plans anew each time, and that takes as long as to read."""


def next_rows(
    connection: Connection, known: Known, at: float, most: int, spread: int
) -> Sequence[Any]:
    """At most so many records, best first. Fewer are no sign that there are no more; none are.

    So many times its even share is read of each place (`spread`): more, where they are in few places.
    """
    wanted, has_looked = max(most, min(FEW_PLACES, _PLACES_A_RECORD * most)), False
    while True:
        open_now, beyond = _open(known, at, wanted)
        if not open_now:
            return ()
        rows = _read(connection, known, open_now, beyond, (most, spread))
        if rows or beyond is None:
            return rows
        # All that was best in these is taken since, by us or by another server.
        if has_looked:
            wanted *= _WIDER
        else:
            _look_again(connection, known, open_now)
            has_looked = True


def stays_open(known: Known, place: Place, at: float) -> bool:
    """Whether a place may be called, and for a while."""
    state = known.openings.at(place, at)
    return state.is_open and (state.changes_at is None or state.changes_at - at >= MARGIN_S)


def look(connection: Connection, book: PlaceBook, known: Known, at: float) -> None:
    """See where records are ready, and from which rank on."""
    heads_of = _HEADS_SQLITE if connection.dialect.name == "sqlite" else _HEADS_POSTGRES
    heads = connection.execute(heads_of, {"campaign": known.id}).all()
    places = book.places(connection, [number for number, _ in heads])
    known.places = tuple([ReadyPlace(number, rank, places[number]) for number, rank in heads])
    known.looked_at = at


def _look_again(connection: Connection, known: Known, places: Sequence[int]) -> None:
    """See from which rank on records are ready in a few of the places that are known."""
    is_sqlite = connection.dialect.name == "sqlite"
    statement = _HEADS_OF_SQLITE if is_sqlite else _HEADS_OF_POSTGRES
    sought = {"campaign": known.id, "places": _listed(places) if is_sqlite else places}
    ranks = {row.id: row.rank for row in connection.execute(statement, sought)}
    still = [
        each._replace(rank=rank)
        for each in known.places
        if (rank := ranks.get(each.id, each.rank)) is not None
    ]
    known.places = tuple(sorted(still, key=lambda each: each.rank))


def _listed(places: Sequence[int]) -> str:
    return "[" + ",".join(map(str, places)) + "]"


def _open(known: Known, at: float, most: int) -> tuple[list[int], int | None]:
    """At most so many open places, the best first; and the rank at which the next one begins."""
    found: list[int] = []
    for number, rank, place in known.places:
        if stays_open(known, place, at):
            if len(found) == most:
                return found, rank
            found.append(number)
    return found, None


def _read(
    connection: Connection,
    known: Known,
    places: Sequence[int],
    beyond: int | None,
    wanted: tuple[int, int],
) -> Sequence[Any]:
    most, spread = wanted
    each = min(most, max(_LEAST if most > _LEAST else 1, spread * most // len(places)))
    sought: dict[str, Any] = {
        "campaign": known.id,
        "most": most,
        "each": each,
        "beyond": beyond,
    }
    if connection.dialect.name == "sqlite":
        sought["places"] = _listed(places)
        return connection.execute(_NEXT_SQLITE, sought).all()
    sought["places"] = places
    if most == 1:
        del sought["most"], sought["each"]
        return connection.execute(_NEXT_ONE_POSTGRES, sought).all()
    return connection.execute(_NEXT_POSTGRES, sought).all()
