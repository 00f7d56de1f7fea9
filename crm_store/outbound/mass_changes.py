"""What touches a whole list, in pieces: other transactions go on in between."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from acd.dialer.compliance_moves import STATE_OF_STAGE, Stage
from acd.dialer.model import RecordState
from crm_store.database import Database
from crm_store.models.tables import BATCH, CAMPAIGN, CLAIM, RECORD, RECORD_NUMBER
from crm_store.outbound.ranks import rank_in_sql
from crm_store.outbound.shelving import lock_records

_R, _N = RECORD.c, RECORD_NUMBER.c
_AT_ONCE: Final = 5_000
"""Records of one piece: some tenths of a second."""
_NAMED_AT_ONCE: Final = 500
"""Ids in one statement."""
_BLOCKED: Final = tuple(
    [stage for stage, state in STATE_OF_STAGE.items() if state is RecordState.BLOCKED]
)
_COPIED: Final = ("name", "customer_id", "facts", "priority", "place_id", "position", "number")


async def rank_anew(database: Database, campaign_id: int, order: str) -> None:
    """Give every record the rank of another order. Until all have it, both orders are mixed."""

    def note(connection: Connection) -> None:
        # First, so that what is settled meanwhile has the new rank already.
        connection.execute(
            update(CAMPAIGN).where(CAMPAIGN.c.id == campaign_id).values(ranked_by=order)
        )

    await database.work(note)
    after: int | None = 0
    while after is not None:
        after = await database.work(
            partial(_rank_piece, campaign_id=campaign_id, order=order, after=after)
        )


async def delete_list(database: Database, campaign_id: int) -> None:
    """Remove all records of a campaign."""
    while await database.work(partial(_delete_piece, campaign_id=campaign_id)):
        pass


async def copy_list(
    database: Database, old_id: int, new_id: int, order: str, *, file: str, at: float, by: str
) -> None:
    """Copy the records of a campaign into another, as if none was dialled."""

    def begin(connection: Connection) -> int:
        result = connection.execute(
            insert(BATCH).values(campaign_id=new_id, file=file[:200], state="running", at=at, by=by)
        )
        return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0

    batch = await database.work(begin)
    after: int | None = 0
    while after is not None:
        after = await database.work(
            partial(
                _copy_piece, old_id=old_id, new_id=new_id, batch=batch, order=order, after=after
            )
        )


def reserve_ids(connection: Connection, count: int) -> int:
    """Reserve ids for so many records that follow each other; gives the first.

    On PostgreSQL others may take theirs at the same time; on SQLite the transaction has the right to
    write, so nobody does.
    """
    if connection.dialect.name == "sqlite":
        found = connection.execute(
            text("SELECT seq FROM sqlite_sequence WHERE name = 'outbound_record'")
        ).scalar()
        return int(found or 0) + 1
    # One number of the sequence is taken by all before it is moved, so ranges never overlap.
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _IDS_LOCK})
    name = "pg_get_serial_sequence('outbound_record', 'id')"
    first = int(connection.execute(text(f"SELECT nextval({name})")).scalar_one())
    connection.execute(text(f"SELECT setval({name}, :last)"), {"last": first + count - 1})
    return first


_IDS_LOCK: Final = 0x4F424944
"""Key of PostgreSQL's advisory lock around the sequence of ids."""


def _rank_piece(connection: Connection, campaign_id: int, order: str, after: int) -> int | None:
    last = _last_of_piece(connection, campaign_id, after)
    if last is None:
        return None
    piece = (_R.campaign_id == campaign_id, _R.id > after, _R.id <= last)
    connection.execute(select(_R.id).where(*piece).order_by(_R.id).with_for_update())
    connection.execute(update(RECORD).where(*piece).values(rank=rank_in_sql(order, _R)))
    return last


def _delete_piece(connection: Connection, campaign_id: int) -> int:
    ids = list(
        connection.execute(
            select(_R.id).where(_R.campaign_id == campaign_id).limit(_AT_ONCE)
        ).scalars()
    )
    delete_records(connection, ids)
    return len(ids)


def delete_records(connection: Connection, ids: list[int]) -> None:
    """Remove records with their numbers and claims."""
    lock_records(connection, ids)
    for table, of_record in (
        (RECORD_NUMBER, _N.record_id),
        (RECORD, _R.id),
        (CLAIM, CLAIM.c.record_id),
    ):
        for begin in range(0, len(ids), _NAMED_AT_ONCE):
            piece = ids[begin : begin + _NAMED_AT_ONCE]
            connection.execute(delete(table).where(of_record.in_(piece)))


def _last_of_piece(connection: Connection, campaign_id: int, after: int) -> int | None:
    """The last id of the next piece; None: there is none."""
    ids = (
        select(_R.id)
        .where(_R.campaign_id == campaign_id, _R.id > after)
        .order_by(_R.id)
        .limit(_AT_ONCE)
        .subquery()
    )
    found: int | None = connection.execute(select(func.max(ids.c.id))).scalar_one()
    return found


def _copy_piece(
    connection: Connection, old_id: int, new_id: int, batch: int, order: str, after: int
) -> int | None:
    last = _last_of_piece(connection, old_id, after)
    if last is None:
        connection.execute(update(BATCH).where(BATCH.c.id == batch).values(state="done"))
        return None
    piece = (_R.campaign_id == old_id, _R.id > after, _R.id <= last)
    count, lowest = connection.execute(select(func.count(), func.min(_R.id)).where(*piece)).one()
    first = reserve_ids(connection, int(last - lowest + 1))
    shift = first - lowest  # ids keep their distances, so that one statement copies all
    blocked = _R.stage.in_(_BLOCKED)
    columns: dict[str, ColumnElement[Any]] = {
        "id": _R.id + shift,
        "campaign_id": literal(new_id),
        "batch_id": literal(batch),
        **{name: _R[name] for name in _COPIED},
        "stage": case((blocked, _R.stage), (_R.owner.is_not(None), Stage.MINE), else_=Stage.READY),
        "rank": literal(0),
        "due_at": case((blocked, _R.due_at)),
        "agent": _R.owner,
        "owner": _R.owner,
        "is_promised": literal(False),
        "attempts": literal(0),
        "counts": literal({}, type_=_R.counts.type),
        "last_outcome": literal(""),
        "last_disposition": literal(""),
    }
    source = select(*[value.label(name) for name, value in columns.items()]).where(*piece)
    connection.execute(insert(RECORD).from_select(list(columns), source))
    numbers = {
        "record_id": _N.record_id + shift,
        "position": _N.position,
        "campaign_id": literal(new_id),
        "number": _N.number,
        "place_id": _N.place_id,
        "is_dead": _N.is_dead,
    }
    of_piece = select(_R.id).where(*piece)
    connection.execute(
        insert(RECORD_NUMBER).from_select(
            list(numbers),
            select(*[value.label(name) for name, value in numbers.items()]).where(
                _N.record_id.in_(of_piece)
            ),
        )
    )
    new = (_R.campaign_id == new_id, _R.id >= first, _R.id <= last + shift)
    connection.execute(update(RECORD).where(*new).values(rank=rank_in_sql(order, _R)))
    connection.execute(
        update(BATCH)
        .where(BATCH.c.id == batch)
        .values(
            rows=BATCH.c.rows + count,
            added=BATCH.c.added + count,
            first_record=func.coalesce(BATCH.c.first_record, first),
            last_record=last + shift,
        )
    )
    return int(last)
