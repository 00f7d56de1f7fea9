"""Take records off and put them back when do-not-call lists change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from acd.dialer.compliance_moves import Stage
from crm_store.models.tables import RECORD, RECORD_NUMBER
from crm_store.outbound.numbers_known import forbidden_of

_R, _N = RECORD.c, RECORD_NUMBER.c
OPEN_STAGES: Final = (
    Stage.READY,
    Stage.MINE,
    Stage.RETRY,
    Stage.CALL_BACK,
    Stage.CAP,
    Stage.NO_WAY,
    Stage.QUOTA,
    Stage.CLAIMED,
)
"""Those of records that may still be dialled."""
WAITING: Final = (
    Stage.RETRY,
    Stage.CALL_BACK,
    Stage.CAP,
    Stage.NO_WAY,
    Stage.CLAIMED,
    Stage.DO_NOT_CALL,
)
"""Those that may end by themselves, at a record's `due_at`."""
_AT_ONCE: Final = 500
_NOT_IN_HAND: Final = frozenset(OPEN_STAGES) - {Stage.CLAIMED}
_RECORDS: Final = (
    select(_R.id, _R.campaign_id, _R.position, _R.number, _R.stage, _R.agent, _R.due_at)
    .where(_R.id.in_(bindparam("ids", expanding=True)))
    .order_by(_R.id)
    .with_for_update()
)
"""Locked: what is settled at the same time must not be overwritten."""
_LOCKED: Final = (
    select(_R.id)
    .where(_R.id.in_(bindparam("ids", expanding=True)))
    .order_by(_R.id)
    .with_for_update()
)
_NUMBERS: Final = (
    select(_N.record_id, _N.position, _N.number, _N.place_id)
    .where(_N.record_id.in_(bindparam("ids", expanding=True)), _N.is_dead.is_(False))
    .order_by(_N.record_id, _N.position)
)
_MOVED: Final = (
    update(RECORD)
    .where(_R.id == bindparam("record"))
    .values(
        stage=bindparam("new_stage"),
        due_at=bindparam("ready_at"),
        position=bindparam("new_position"),
        number=bindparam("new_number"),
        place_id=bindparam("new_place"),
    )
)


def lock_records(connection: Connection, records: Iterable[int]) -> list[int]:
    """Keep others from records until the transaction is over; gives those that are there, by id."""
    ids = sorted(set(records))
    found: list[int] = []
    for begin in range(0, len(ids), _AT_ONCE):
        piece = ids[begin : begin + _AT_ONCE]
        found += connection.execute(_LOCKED, {"ids": piece}).scalars()
    return found


def records_of(
    connection: Connection, numbers: Sequence[str], campaign_id: int | None
) -> list[int]:
    """The records that have one of the numbers, on any list or on that of a campaign."""
    query = select(_N.record_id).where(_N.number.in_(bindparam("numbers", expanding=True)))
    if campaign_id is not None:
        query = query.where(_N.campaign_id == campaign_id)
    found: set[int] = set()
    for begin in range(0, len(numbers), _AT_ONCE):
        piece = {"numbers": list(numbers[begin : begin + _AT_ONCE])}
        found.update(connection.execute(query, piece).scalars())
    return sorted(found)


def go_past_forbidden(connection: Connection, records: Sequence[int], at: float) -> int:
    """Move records whose next number is forbidden to another number, or block them.

    Those that are claimed stay as they are until they are given back or settled: somebody may have them
    on the line. Gives how many.
    """
    return _settle_numbers(connection, records, at, _NOT_IN_HAND)


def come_back(connection: Connection, records: Sequence[int], at: float) -> int:
    """Make records ready that no do-not-call list blocks any more. Gives how many."""
    return _settle_numbers(connection, records, at, frozenset((Stage.DO_NOT_CALL,)))


def _settle_numbers(
    connection: Connection, records: Sequence[int], at: float, stages: frozenset[Stage]
) -> int:
    ids = sorted(set(records))
    pieces = (ids[begin : begin + _AT_ONCE] for begin in range(0, len(ids), _AT_ONCE))
    return sum(_settle_piece(connection, piece, at, stages) for piece in pieces)


def _settle_piece(
    connection: Connection, records: Sequence[int], at: float, stages: frozenset[Stage]
) -> int:
    rows = [r for r in connection.execute(_RECORDS, {"ids": records}) if r.stage in stages]
    numbers: dict[int, list[Any]] = defaultdict(list)
    for each in connection.execute(_NUMBERS, {"ids": [row.id for row in rows]}):
        numbers[each.record_id].append(each)
    by_campaign: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        by_campaign[row.campaign_id].update(number.number for number in numbers[row.id])
    forbidden = {
        campaign: forbidden_of(connection, sorted(theirs), campaign, at)
        for campaign, theirs in by_campaign.items()
    }
    moves = [
        move
        for row in rows
        if (move := _move(row, numbers[row.id], forbidden[row.campaign_id])) is not None
    ]
    if moves:
        connection.execute(_MOVED, moves)
    return len(moves)


def _move(row: Any, numbers: Sequence[Any], forbidden: Any) -> dict[str, Any] | None:
    """What changes of a record; None: nothing."""
    usable = [each for each in numbers if each.number not in forbidden]
    blocked = row.stage == Stage.DO_NOT_CALL
    if any(each.position == row.position for each in usable) and not blocked:
        return None
    if not usable:
        untils = [forbidden[each.number].until for each in numbers if each.number in forbidden]
        ends = None if None in untils else min(untils, default=None)
        if blocked and ends == row.due_at:
            return None
        number, place = row.number, None
        own = next((each for each in numbers if each.position == row.position), None)
        if own is not None:
            place = own.place_id
        return _values(row, Stage.DO_NOT_CALL, ends, row.position, number, place or 0)
    behind = [each for each in usable if each.position >= row.position] or usable
    stage, due_at = Stage(row.stage), row.due_at
    if blocked:
        stage, due_at = (Stage.READY if row.agent is None else Stage.MINE), None
    to = behind[0]
    return _values(row, stage, due_at, to.position, to.number, to.place_id)


def _values(
    row: Any, stage: Stage, due_at: float | None, position: int, number: str, place: int
) -> dict[str, Any]:
    return {
        "record": row.id,
        "new_stage": stage,
        "ready_at": due_at,
        "new_position": position,
        "new_number": number,
        "new_place": place,
    }
