"""Do-not-call lists as rows: put on, take off, look up. Records follow at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    Connection,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from acd.dialer.model import CampaignName
from crm_store.models.tables import DO_NOT_CALL, DO_NOT_CALL_REMOVED
from crm_store.outbound.campaign_rows import names_of
from crm_store.outbound.numbers_known import CENTRE, NATIONAL
from crm_store.outbound.shelving import come_back, go_past_forbidden, records_of
from crm_store.outbound.views import DoNotCallEntry, RemovedEntry, Scope

_D, _G = DO_NOT_CALL.c, DO_NOT_CALL_REMOVED.c
_KEPT: Final = ("number", "scope", "reason", "source", "by", "added_at", "until")
_MOST_REMOVED: Final = 100
_AT_ONCE: Final = 500
OPT_OUT: Final = "opt-out"
"""Source of what people asked for themselves."""
_UNASKED: Final = ("import", "dialer")
"""Sources of what nobody is known to have asked for."""


class Ban(Struct, frozen=True, kw_only=True):
    """What is said of all numbers that are put on a list together."""

    campaign_id: int | None
    """None: they count for all campaigns."""
    reason: str
    source: str
    by: str
    at: float
    until: float | None = None
    batch_id: int | None = None
    is_national: bool = False

    @property
    def scope(self) -> str:
        if self.is_national:
            return NATIONAL
        return CENTRE if self.campaign_id is None else f"campaign:{self.campaign_id}"


def forbid(connection: Connection, numbers: Sequence[str], ban: Ban) -> int:
    """Put E.164 numbers on a list and move their records; gives how many were not on it then."""
    added = put(connection, numbers, ban)
    go_past_forbidden(connection, records_of(connection, numbers, ban.campaign_id), ban.at)
    return added


def put(connection: Connection, numbers: Sequence[str], ban: Ban) -> int:
    """Put E.164 numbers on a list, in their order; gives how many were not on it then.

    Of what is on the list already the words stay unless the new ones count longer: the first time is the
    proof. What a person asked for itself takes the place of what nobody asked for, and stays before all.
    Nothing is shortened; take it off first.
    """
    upsert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = upsert(DO_NOT_CALL)
    new = statement.excluded
    is_over = and_(_D.until.is_not(None), _D.until <= ban.at)
    is_as_long = or_(_D.until.is_(None), and_(new.until.is_not(None), _D.until >= new.until))
    gives_way = and_(new.source == OPT_OUT, or_(*(_D.source == each for each in _UNASKED)))
    stays = and_(not_(is_over), or_(_D.source == OPT_OUT, and_(is_as_long, not_(gives_way))))
    changes: dict[str, Any] = {
        name: case((stays, _D[name]), else_=new[name])
        for name in ("reason", "source", "by", "added_at")
    }
    forever = or_(_D.until.is_(None), new.until.is_(None))
    changes["until"] = case(
        (is_over, new.until),
        (forever, null()),
        (_D.until > new.until, _D.until),
        else_=new.until,
    )
    changes["batch_id"] = (
        new.batch_id if ban.is_national else case((stays, _D.batch_id), else_=new.batch_id)
    )
    added, wanted = 0, sorted(set(numbers))
    for begin in range(0, len(wanted), _AT_ONCE):
        piece = wanted[begin : begin + _AT_ONCE]
        known = select(_D.number).where(_D.scope == ban.scope, _D.number.in_(piece), not_(is_over))
        added += len(piece) - len(connection.execute(known).all())
        rows = [_row(number, ban) for number in piece]
        connection.execute(
            statement.on_conflict_do_update(index_elements=[_D.number, _D.scope], set_=changes),
            rows,
        )
    return added


def permit(
    connection: Connection, numbers: Sequence[str], scope: str, *, at: float, by: str
) -> int:
    """Take numbers off a list; records that nothing else blocks are ready again. Gives how many.

    What they were on it for is kept, and who took them off.
    """
    gone, wanted = 0, sorted(set(numbers))
    for begin in range(0, len(wanted), _AT_ONCE):
        piece = wanted[begin : begin + _AT_ONCE]
        theirs = select(_D.number).where(_D.scope == scope, _D.number.in_(piece))
        connection.execute(theirs.order_by(_D.number).with_for_update())
        if scope != NATIONAL:  # of that one the files are the proof
            _keep_removed(connection, piece, scope, at, by)
        result = connection.execute(
            delete(DO_NOT_CALL).where(_D.scope == scope, _D.number.in_(piece))
        )
        gone += result.rowcount
    come_back(connection, records_of(connection, wanted, None), at)
    return gone


def removed(connection: Connection, number: str) -> list[RemovedEntry]:
    """What was taken off the lists for a number, newest first."""
    names = names_of(connection)
    query = select(DO_NOT_CALL_REMOVED).where(_G.number == number)
    return [
        RemovedEntry(entry=_entry(row, names), at=row.removed_at, by=row.removed_by)
        for row in connection.execute(query.order_by(_G.id.desc()).limit(_MOST_REMOVED))
    ]


def _keep_removed(
    connection: Connection, numbers: Sequence[str], scope: str, at: float, by: str
) -> None:
    columns = [_D[name] for name in _KEPT]
    gone = select(*columns, literal(at), literal(by[:64])).where(
        _D.scope == scope, _D.number.in_(numbers)
    )
    names = [*_KEPT, "removed_at", "removed_by"]
    connection.execute(insert(DO_NOT_CALL_REMOVED).from_select(names, gone))


def count_national(connection: Connection, batch: int | None = None) -> int:
    """How many numbers the national list has; or how many of them came by an import."""
    query = select(func.count()).select_from(DO_NOT_CALL).where(_D.scope == NATIONAL)
    if batch is not None:
        query = query.where(_D.batch_id == batch)
    return int(connection.execute(query).scalar_one())


def older_national(connection: Connection, batch_id: int, limit: int) -> list[str]:
    """Numbers that the national list had, but an import of it has not."""
    query = select(_D.number).where(
        _D.scope == NATIONAL, or_(_D.batch_id != batch_id, _D.batch_id.is_(None))
    )
    return list(connection.execute(query.limit(limit)).scalars())


def entries_of(connection: Connection, number: str, at: float) -> list[DoNotCallEntry]:
    """Every entry that counts now for a number."""
    rows = connection.execute(
        select(DO_NOT_CALL)
        .where(_D.number == number, or_(_D.until.is_(None), _D.until > at))
        .order_by(_D.scope)
    ).all()
    names = names_of(connection)
    return [_entry(row, names) for row in rows]


def page(connection: Connection, scope: str, after: str, limit: int) -> list[DoNotCallEntry]:
    """The entries of one list, by number."""
    query = select(DO_NOT_CALL).where(_D.scope == scope, _D.number > after)
    rows = connection.execute(query.order_by(_D.number).limit(limit)).all()
    names = names_of(connection)
    return [_entry(row, names) for row in rows]


def counts(connection: Connection) -> dict[str, int]:
    """How many numbers each scope has; of campaigns under their names."""
    names = names_of(connection)
    rows = connection.execute(select(_D.scope, func.count()).group_by(_D.scope)).all()
    found = {CENTRE: 0, NATIONAL: 0}
    for scope, count in rows:
        found[_named(scope, names)] = count
    return found


def _named(scope: str, names: Mapping[int, CampaignName]) -> str:
    kind, _, number = scope.partition(":")
    return f"campaign:{names.get(int(number), number)}" if number else kind


def _row(number: str, ban: Ban) -> dict[str, Any]:
    return {
        "number": number,
        "scope": ban.scope,
        "reason": ban.reason[:200],
        "source": ban.source[:32],
        "by": ban.by[:64],
        "added_at": ban.at,
        "until": ban.until,
        "batch_id": ban.batch_id,
    }


def _entry(row: Row[Any], names: Mapping[int, CampaignName]) -> DoNotCallEntry:
    kind, _, number = row.scope.partition(":")
    return DoNotCallEntry(
        number=row.number,
        scope=Scope(kind),
        campaign=names.get(int(number)) if number else None,
        reason=row.reason,
        source=row.source,
        by=row.by,
        added_at=row.added_at,
        until=row.until,
        batch=getattr(row, "batch_id", None),
    )
