"""Lists that say where people live: a number's own region counts as well, also of earlier imports.

Before 0007 the region of the list took the place of the number's. Only lists that name regions, and copies
of any, of which that is not known, are looked through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from alembic import op

from acd.dialer.compliance_places import is_in, place_of
from acd.dialer.us_area_codes import STATE_OF_AREA_CODE

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_AT_ONCE = 2000
_STATES = frozenset(STATE_OF_AREA_CODE.values())
_BATCH = sa.table(
    "outbound_batch", sa.column("id"), sa.column("campaign_id"), sa.column("mapping", sa.JSON())
)
_RECORD = sa.table(
    "outbound_record",
    sa.column("id"),
    sa.column("batch_id"),
    sa.column("position"),
    sa.column("place_id"),
)
_NUMBER = sa.table(
    "outbound_number",
    sa.column("record_id"),
    sa.column("position"),
    sa.column("number"),
    sa.column("place_id"),
)
_PLACE = sa.table("outbound_place", sa.column("id"), sa.column("region"), sa.column("zones"))
_NUMBER_MOVED = (
    sa.update(_NUMBER)
    .where(_NUMBER.c.record_id == sa.bindparam("record"), _NUMBER.c.position == sa.bindparam("nth"))
    .values(place_id=sa.bindparam("place"))
)
_RECORD_MOVED = (
    sa.update(_RECORD)
    .where(_RECORD.c.id == sa.bindparam("record"), _RECORD.c.position == sa.bindparam("nth"))
    .values(place_id=sa.bindparam("place"))
)


def upgrade() -> None:
    """Give their numbers a place with both regions; zones were always those of both."""
    connection = op.get_bind()
    ids: dict[tuple[str, str], int] = {}
    for batch in _batches(connection):
        for rows in _pieces(connection, batch):
            moved = [
                {"record": row.record_id, "nth": row.position, "place": _id(connection, ids, place)}
                for row in rows
                if (place := (_regions(row.number, row.region), row.zones))[0] != row.region
            ]
            if moved:
                connection.execute(_NUMBER_MOVED, moved)
                connection.execute(_RECORD_MOVED, moved)


def downgrade() -> None:
    """Places with several regions stay: they are only stricter."""


def _batches(connection: sa.Connection) -> Iterator[int]:
    lists = sa.select(_BATCH.c.id, _BATCH.c.mapping).where(_BATCH.c.campaign_id.is_not(None))
    for row in connection.execute(lists.order_by(_BATCH.c.id)).all():
        if not row.mapping or "region" in row.mapping.values():
            yield row.id


def _pieces(connection: sa.Connection, batch: int) -> Iterator[Sequence[Any]]:
    """The numbers of an import whose place has one region, some at a time."""
    query = (
        sa.select(_NUMBER, _PLACE.c.region, _PLACE.c.zones)
        .join(_RECORD, _RECORD.c.id == _NUMBER.c.record_id)
        .join(_PLACE, _PLACE.c.id == _NUMBER.c.place_id)
        .where(
            _RECORD.c.batch_id == batch,
            _PLACE.c.region != "",
            _PLACE.c.region.not_like("% %"),
        )
        .order_by(_NUMBER.c.record_id, _NUMBER.c.position)
    )
    after: tuple[int, int] = (-1, -1)
    behind = sa.tuple_(_NUMBER.c.record_id, _NUMBER.c.position) > sa.tuple_(
        sa.bindparam("record", type_=sa.BigInteger()), sa.bindparam("nth", type_=sa.Integer())
    )
    piece = query.where(behind).limit(_AT_ONCE)
    while rows := connection.execute(piece, {"record": after[0], "nth": after[1]}).all():
        yield rows
        after = (rows[-1].record_id, rows[-1].position)


@lru_cache(maxsize=65_536)
def _regions(number: str, listed: str) -> str:
    """Both regions, the number's first; as an import of today reads them."""
    own = place_of(number).regions
    is_american = any(is_in(each, "US") for each in own)
    region = f"US-{listed}" if is_american and listed in _STATES else listed
    return place_of(number, region=region).region_words


def _id(connection: sa.Connection, ids: dict[tuple[str, str], int], place: tuple[str, str]) -> int:
    """That of a place with these regions and zones, which is made where there is none."""
    if place not in ids:
        region, zones = place
        known = sa.select(_PLACE.c.id).where(_PLACE.c.region == region, _PLACE.c.zones == zones)
        found = connection.execute(known).scalar_one_or_none()
        if found is None:
            connection.execute(sa.insert(_PLACE), {"region": region, "zones": zones})
            found = connection.execute(known).scalar_one()
        ids[place] = found
    return ids[place]
