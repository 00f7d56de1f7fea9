"""What came of a record before: for who calls the person next."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, bindparam, select

from acd.dialer.model import NOT_AN_ATTEMPT
from crm_store.models.tables import ATTEMPT, INTERACTION, NOTE

SHOWN: Final = 10
_A, _I = ATTEMPT.c, INTERACTION.c
_NEWEST_NOTE: Final = (
    select(NOTE.c.text)
    .where(NOTE.c.interaction_id == _A.id)
    .order_by(NOTE.c.at.desc(), NOTE.c.id.desc())
    .limit(1)
    .correlate(ATTEMPT)
    .scalar_subquery()
)
_PAST: Final = (
    select(
        _A.id,
        _A.dialled_at,
        _A.outcome,
        _A.disposition,
        _A.call_back_at,
        _A.connected_at,
        _A.ended_at,
        _A.agent,
        _I.agent_name,
        _NEWEST_NOTE.label("note"),
    )
    .select_from(ATTEMPT.outerjoin(INTERACTION, _I.id == _A.id))
    .where(_A.record_id == bindparam("record"), _A.outcome.not_in(sorted(NOT_AN_ATTEMPT)))
    .order_by(_A.dialled_at.desc(), _A.id.desc())
    .limit(SHOWN)
)


class PastAttempt(Struct, frozen=True, kw_only=True):
    """One attempt that rang somebody, or nobody. Times are seconds since 1970."""

    id: str
    dialled_at: float
    outcome: str
    disposition: str
    agent: str
    """The name of who talked, else the id; empty: nobody did."""
    talked_s: float
    note: str
    """The newest of the talk."""
    call_back_at: float | None
    """The person asked to be called then."""


def past_of(connection: Connection, record: int) -> list[PastAttempt]:
    """The latest attempts of a record, newest first; those that were never dialled are left out."""
    return [_past(row) for row in connection.execute(_PAST, {"record": record})]


def _past(row: Any) -> PastAttempt:
    talked_s = 0.0 if row.connected_at is None else max(0.0, row.ended_at - row.connected_at)
    return PastAttempt(
        id=row.id,
        dialled_at=row.dialled_at,
        outcome=row.outcome,
        disposition=row.disposition,
        agent=row.agent_name or row.agent or "",
        talked_s=talked_s,
        note=row.note or "",
        call_back_at=row.call_back_at,
    )
