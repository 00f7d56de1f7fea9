"""Imports as rows: begun, counted on, ended, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, exists, func, insert, or_, select, update

from acd.dialer.compliance_moves import Stage
from acd.dialer.model import NOT_AN_ATTEMPT, CampaignName
from crm_store.errors import NotStored
from crm_store.models.tables import ATTEMPT, BATCH, RECORD
from crm_store.outbound.campaign_rows import names_of
from crm_store.outbound.mass_changes import delete_records
from crm_store.outbound.views import BatchState, BatchView

_A, _B, _R = ATTEMPT.c, BATCH.c, RECORD.c
_UNDONE_AT_ONCE: Final = 2000
"""Records looked at in one transaction, whatever became of them: the dialer waits for no more."""
_WAS_DIALLED: Final = _R.last_attempt.is_not(None) & exists().where(
    _A.record_id == _R.id,
    or_(
        _A.outcome.not_in(sorted(NOT_AN_ATTEMPT)),
        _A.trunk != "",
        _A.caller_id != "",
        _A.rang_at.is_not(None),
    ),
)
"""As `AttemptView.is_dialled`: who was only shown to an agent was not called."""


def begin(
    connection: Connection,
    *,
    campaign_id: int | None,
    file: str,
    mapping: Mapping[str, Any] | None,
    at: float,
    by: str,
    is_national: bool = False,
) -> int:
    """Note that an import begins; gives its number."""
    result = connection.execute(
        insert(BATCH).values(
            campaign_id=campaign_id,
            file=file[-200:],
            mapping=mapping,
            state=BatchState.RUNNING,
            at=at,
            by=by[:64],
            is_national=is_national,
        )
    )
    return int(result.inserted_primary_key[0]) if result.inserted_primary_key else 0


def count(
    connection: Connection,
    batch: int,
    *,
    rows: int,
    added: int = 0,
    duplicates: int = 0,
    refused: int = 0,
    blocked: int = 0,
    first: int | None = None,
    last: int | None = None,
) -> None:
    """Add to an import's counts, in the transaction that adds its rows."""
    values: dict[str, Any] = {
        "rows": _B.rows + rows,
        "added": _B.added + added,
        "duplicates": _B.duplicates + duplicates,
        "refused": _B.refused + refused,
        "blocked": _B.blocked + blocked,
    }
    if first is not None:
        values["first_record"] = func.coalesce(_B.first_record, first)
        values["last_record"] = last
    connection.execute(update(BATCH).where(_B.id == batch).values(values))


def end(connection: Connection, batch: int, state: BatchState, note: str = "") -> None:
    """Note how an import ended."""
    connection.execute(update(BATCH).where(_B.id == batch).values(state=state, note=note[:1000]))


def mapping_of(connection: Connection, batch: int) -> dict[str, str]:
    """What the columns of an import were, by header; empty where it is not known."""
    found = connection.execute(select(_B.mapping).where(_B.id == batch)).scalar_one_or_none()
    return dict(found or {})


def views(
    connection: Connection, *, campaign_id: int | None = None, batch: int | None = None
) -> list[BatchView]:
    """Imports, newest first."""
    query = select(BATCH).order_by(_B.id.desc())
    if campaign_id is not None:
        query = query.where(_B.campaign_id == campaign_id)
    if batch is not None:
        query = query.where(_B.id == batch)
    names = names_of(connection)
    return [_view(row, names) for row in connection.execute(query)]


def view(connection: Connection, batch: int) -> BatchView:
    """One import. Raises `NotStored`."""
    found = views(connection, batch=batch)
    if not found:
        raise NotStored(f"there is no import {batch}")
    return found[0]


def pieces(connection: Connection, batch: int) -> range:
    """Where the pieces of an import begin, for `undo_piece`."""
    row = connection.execute(select(BATCH).where(_B.id == batch)).one()
    if row.first_record is None:
        return range(0)
    return range(row.first_record, row.last_record + 1, _UNDONE_AT_ONCE)


def undo_piece(connection: Connection, batch: int, first: int) -> int:
    """Remove a piece's records that were never dialled and are not claimed; gives how many."""
    ids = connection.execute(
        select(_R.id).where(
            _R.id.between(first, first + _UNDONE_AT_ONCE - 1),
            _R.batch_id == batch,
            ~_WAS_DIALLED,
            _R.stage != Stage.CLAIMED,
        )
    ).scalars()
    found = list(ids)
    delete_records(connection, found)
    return len(found)


def remaining(connection: Connection, batch: int) -> tuple[int, int]:
    """Records of an import that are still there: dialled, and in the dialer's hands."""
    row = connection.execute(select(BATCH).where(_B.id == batch)).one()
    if row.first_record is None:
        return 0, 0
    mine = (_R.id.between(row.first_record, row.last_record), _R.batch_id == batch)
    tried = select(func.count()).where(*mine, _WAS_DIALLED)
    held = select(func.count()).where(*mine, ~_WAS_DIALLED)
    return (
        int(connection.execute(tried).scalar_one()),
        int(connection.execute(held).scalar_one()),
    )


def note_undone(connection: Connection, batch: int, left: int, note: str) -> None:
    """Note that an import was taken back."""
    connection.execute(
        update(BATCH)
        .where(_B.id == batch)
        .values(state=BatchState.UNDONE, remaining=left, note=note)
    )


def _view(row: Any, names: Mapping[int, CampaignName]) -> BatchView:
    return BatchView(
        id=row.id,
        campaign=None if row.campaign_id is None else names.get(row.campaign_id),
        is_national=row.is_national,
        file=row.file,
        state=BatchState(row.state),
        at=row.at,
        by=row.by,
        rows=row.rows,
        added=row.added,
        duplicates=row.duplicates,
        refused=row.refused,
        blocked=row.blocked,
        remaining=row.remaining,
        note=row.note,
    )
