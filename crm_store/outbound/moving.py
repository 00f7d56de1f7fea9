"""Records as rows: how one that was dialled moves on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from acd.dialer.compliance_moves import Move, RecordFacts, Stage
from acd.dialer.model import Attempt
from crm_store.models.tables import RECORD, RECORD_NUMBER
from crm_store.outbound.campaign_rows import Known
from crm_store.outbound.numbers_known import forbidden_of
from crm_store.outbound.ranks import rank_of
from crm_store.outbound.shelving import OPEN_STAGES, go_past_forbidden

_R, _N = RECORD.c, RECORD_NUMBER.c
RECORDS: Final = (
    select(RECORD)
    .where(_R.id.in_(bindparam("ids", expanding=True)))
    .order_by(_R.id)
    .with_for_update()
)
"""Those with `ids`, which nobody else moves until the transaction is over."""
NUMBERS: Final = (
    select(_N.record_id, _N.position, _N.number, _N.place_id, _N.is_dead)
    .where(_N.record_id.in_(bindparam("ids", expanding=True)))
    .order_by(_N.record_id, _N.position)
)
"""Of the records with `ids`."""
_MOVED_COLUMNS: Final = (
    "stage",
    "due_at",
    "agent",
    "is_promised",
    "attempts",
    "counts",
    "position",
    "number",
    "place_id",
    "rank",
    "last_outcome",
    "last_disposition",
    "last_at",
    "last_attempt",
)
_MOVED: Final = (
    update(RECORD)
    .where(_R.id == bindparam("record"))
    .values({name: bindparam(f"new_{name}", type_=_R[name].type) for name in _MOVED_COLUMNS})
)
_STAYS: Final = frozenset({Stage.DO_NOT_CALL, Stage.OPTED_OUT})
"""Whatever became of the call: nobody dials these again."""


def facts_of(record: Mapping[str, Any], numbers: Sequence[Any], attempt: Attempt) -> RecordFacts:
    """What the move of a record depends on, after one of its attempts."""
    return RecordFacts(
        position=position_of(numbers, attempt.number, record["position"]),
        usable=tuple([row.position for row in numbers if not row.is_dead]),
        attempts=record["attempts"],
        counts=record["counts"],
        agent=record["agent"],
        is_promised=record["is_promised"],
    )


def apply_move(
    known: Known,
    record: dict[str, Any],
    numbers: Sequence[Any],
    attempt: Attempt,
    move: Move,
) -> None:
    """Move a record in memory, as `write` is told then."""
    stays = record["stage"] in _STAYS or move.stage is Stage.CLAIMED
    to = next((row for row in numbers if row.position == move.position), None)
    last_at = max(attempt.dialled_at, record["last_at"] or 0.0)
    record.update(
        attempts=move.attempts,
        counts=dict(move.counts),
        last_outcome=attempt.outcome,
        last_disposition=attempt.disposition or "",
        last_at=last_at,
        last_attempt=attempt.id,
    )
    if stays:
        return
    record.update(
        stage=move.stage,
        due_at=move.due_at,
        agent=move.agent or record["owner"],
        is_promised=move.is_promised,
        position=move.position,
        number=to.number if to is not None else record["number"],
        place_id=to.place_id if to is not None else record["place_id"],
        rank=rank_of(
            known.ranked_by,
            record["id"],
            record["priority"],
            last_at,
            move.due_at if move.is_promised else None,
        ),
    )


def past_forbidden(connection: Connection, moved: Sequence[Mapping[str, Any]]) -> None:
    """Numbers may have been forbidden while they were in hand: those records are looked at now."""
    waiting: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for record in moved:
        if record["stage"] in OPEN_STAGES:
            waiting[record["campaign_id"]].append(record)
    for campaign, records in waiting.items():
        at = max(record["last_at"] for record in records)
        numbers = sorted({record["number"] for record in records})
        forbidden = forbidden_of(connection, numbers, campaign, at)
        theirs = [record["id"] for record in records if record["number"] in forbidden]
        go_past_forbidden(connection, theirs, at)


def position_of(numbers: Sequence[Any], number: str, otherwise: int) -> int:
    """Where a number stands among those of a record."""
    return next((row.position for row in numbers if row.number == number), otherwise)


def write(connection: Connection, moved: Iterable[Mapping[str, Any]]) -> None:
    """Keep where records have moved to; they are locked."""
    rows = [
        {"record": record["id"], **{f"new_{name}": record[name] for name in _MOVED_COLUMNS}}
        for record in moved
    ]
    if rows:
        connection.execute(_MOVED, rows)
