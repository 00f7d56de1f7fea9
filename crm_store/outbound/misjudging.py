"""Who was taken for a machine turns out to be a person: abandoned from then on, in every count.

The attempt keeps what was heard and judged (`judged`); its outcome and reason are what is known now. The
part that the law's counts had of it already (`doubt`) makes way for the whole.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Row, select, update

from acd.dialer.compliance_moves import Stage, after_misjudgement
from acd.dialer.model import CampaignName, Outcome
from crm_store.errors import BadRecord, NotStored
from crm_store.models.tables import ATTEMPT
from crm_store.outbound import quotas
from crm_store.outbound.campaign_rows import Known, change_campaign, row_of
from crm_store.outbound.kept_attempts import attempt_of
from crm_store.outbound.moving import (
    NUMBERS,
    RECORDS,
    apply_move,
    facts_of,
    past_forbidden,
    write,
)

REASON: Final = "misjudged"
_A = ATTEMPT.c
_MACHINES: Final = (Outcome.MACHINE, Outcome.MESSAGE_LEFT)


class Misjudged(Struct, frozen=True, kw_only=True):
    """What was known of an attempt before. Times are seconds since 1970."""

    dialled_at: float
    answered_at: float
    was: Outcome
    doubt: float
    """So much of it was counted as abandoned already."""


def misjudged(
    connection: Connection, campaign: CampaignName, attempt: str, *, at: float, by: str
) -> Misjudged | None:
    """Say that a person answered; None: that was said before.

    Raises `NotStored`, and `BadRecord` for an attempt that did not end as a machine's.
    """
    kept = row_of(connection, campaign, lock=True)
    known = Known(kept, at)
    quotas.keep_out_counting(connection, [known])
    theirs = _A.campaign_id == known.id
    row = connection.execute(select(ATTEMPT).where(_A.id == attempt, theirs)).one_or_none()
    if row is None:
        raise NotStored(f"there is no attempt {attempt!r} of campaign {campaign!r}")
    if row.outcome not in _MACHINES and row.reason != REASON:
        raise BadRecord(f"attempt {attempt!r} ended as {row.outcome}, not as a machine's")
    record = connection.execute(RECORDS, {"ids": [row.record_id]}).one_or_none()
    changed = connection.execute(
        update(ATTEMPT)
        .where(_A.id == attempt, _A.outcome.in_(_MACHINES))
        .values(outcome=Outcome.ABANDONED, reason=REASON, doubt=0.0)
    )
    if not changed.rowcount:
        return None
    what = f"attempt {attempt} was a person's, not a machine's: abandoned"
    change_campaign(connection, kept, at=at, by=by, what=what)
    if record is not None:
        _move(connection, known, record._asdict(), row)
    return Misjudged(
        dialled_at=row.dialled_at,
        answered_at=row.dialled_at if row.answered_at is None else row.answered_at,
        was=Outcome(row.outcome),
        doubt=row.doubt,
    )


def _move(connection: Connection, known: Known, record: dict[str, Any], row: Row[Any]) -> None:
    """The record waits as an abandoned person's does, unless it went on since."""
    if record["last_attempt"] != row.id or record["stage"] == Stage.CLAIMED:
        return
    attempt = replace(attempt_of(row), outcome=Outcome.ABANDONED)
    numbers = connection.execute(NUMBERS, {"ids": [record["id"]]}).all()
    facts, was = facts_of(record, numbers, attempt), Outcome(row.outcome)
    move = after_misjudgement(known.settings, facts, attempt, was)
    reached = quotas.Changes()
    reached.subtract(quotas.kinds_of(known, record))
    apply_move(known, record, numbers, attempt, move)
    reached.update(quotas.kinds_of(known, record))
    write(connection, [record])
    quotas.add(connection, reached)
    past_forbidden(connection, [record])
