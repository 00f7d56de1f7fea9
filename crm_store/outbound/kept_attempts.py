"""Attempts that are kept, as the dialer has them: for what is said of them later."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import Connection, Row, bindparam, select

from acd.dialer.model import GIVEN_BACK, Attempt, AttemptId, CampaignName, Mode, Outcome, RecordId
from acd.model import AgentId
from crm_store.models.tables import ATTEMPT, RECORD

_A, _R = ATTEMPT.c, RECORD.c
_BY_ID: Final = select(ATTEMPT).where(_A.id == bindparam("attempt"))
_CALLS_BACK: Final = select(_R.agent).where(
    _R.id == bindparam("record"), _R.last_attempt == bindparam("attempt"), _R.is_promised
)
"""Who alone makes the call-back that was promised in an attempt."""


def attempt_of(row: Row[Any]) -> Attempt:
    """One that is over, and holds its record no longer."""
    return Attempt(
        id=AttemptId(row.id),
        campaign=CampaignName(row.campaign),
        record=RecordId(str(row.record_id)),
        number=row.number,
        caller_id=row.caller_id,
        mode=Mode(row.mode),
        dialled_at=row.dialled_at,
        why=row.why,
        outcome=Outcome(row.outcome),
        ended_at=row.ended_at,
        rang_at=row.rang_at,
        answered_at=row.answered_at,
        greeting_ended_at=row.greeting_ended_at,
        message_began_at=row.message_began_at,
        connected_at=row.connected_at,
        agent=None if row.agent is None else AgentId(row.agent),
        trunk=row.trunk,
        sip_status=row.sip_status,
        reason=row.reason,
        disposition=row.disposition,
        call_back_at=row.call_back_at,
        judged=row.judged,
        doubt=row.doubt,
        decision=row.decision,
        clicked_by=row.clicked_by,
        clicked_at=row.clicked_at,
        claim=GIVEN_BACK,
    )


def find(connection: Connection, attempt: str) -> Attempt | None:
    """One by its id; None: there is none."""
    row = connection.execute(_BY_ID, {"attempt": attempt}).one_or_none()
    if row is None:
        return None
    sought = {"record": row.record_id, "attempt": attempt}
    agent = connection.execute(_CALLS_BACK, sought).scalar_one_or_none()
    return replace(attempt_of(row), call_back_mine=agent is not None and agent == row.agent)
