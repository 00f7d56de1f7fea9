"""Do-not-call lists as rows: put on, take off, look up. Records follow at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Row, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from acd.dialer.model import CampaignName
from crm_store.models.tables import DO_NOT_CALL
from crm_store.outbound.campaign_rows import names_of
from crm_store.outbound.numbers_known import CENTRE, NATIONAL
from crm_store.outbound.shelving import come_back, go_past_forbidden, records_of
from crm_store.outbound.views import DoNotCallEntry, Scope

_D = DO_NOT_CALL.c
_AT_ONCE: Final = 500


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
    """Put E.164 numbers on a list and move their records; gives how many were not on it before.

    What is on the list already gets the new reason and end.
    """
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(DO_NOT_CALL)
    new = statement.excluded
    names = ("reason", "source", "by", "added_at", "until", "batch_id")
    changes = {name: new[name] for name in names}
    added = 0
    for begin in range(0, len(numbers), _AT_ONCE):
        piece = sorted(set(numbers[begin : begin + _AT_ONCE]))
        known = select(_D.number).where(_D.scope == ban.scope, _D.number.in_(piece))
        added += len(piece) - len(connection.execute(known).all())
        rows = [_row(number, ban) for number in piece]
        connection.execute(
            statement.on_conflict_do_update(index_elements=[_D.number, _D.scope], set_=changes),
            rows,
        )
        records = records_of(connection, piece, ban.campaign_id)
        go_past_forbidden(connection, records, ban.at)
    return added


def permit(connection: Connection, numbers: Sequence[str], scope: str, at: float) -> int:
    """Take numbers off a list; records that nothing else blocks are ready again. Gives how many."""
    gone = 0
    for begin in range(0, len(numbers), _AT_ONCE):
        piece = list(numbers[begin : begin + _AT_ONCE])
        result = connection.execute(
            delete(DO_NOT_CALL).where(_D.scope == scope, _D.number.in_(piece))
        )
        gone += result.rowcount
        come_back(connection, records_of(connection, piece, None), at)
    return gone


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


def page(
    connection: Connection, campaign_id: int | None, after: str, limit: int
) -> list[DoNotCallEntry]:
    """The entries of one list, by number."""
    scope = CENTRE if campaign_id is None else f"campaign:{campaign_id}"
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
        batch=row.batch_id,
    )
