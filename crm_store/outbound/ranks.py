"""The rank of a record: one whole number, so that one index serves every order of dialing.

Lower ranks are dialled first. A call-back that was promised comes before all others.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, literal_column

_ID_BITS: Final = 40
_ID_ROOM: Final = 1 << _ID_BITS
HIGHEST_PRIORITY: Final = 1000
_PROMISED: Final = -(1 << 62)
_MIX, _ADD, _MIXED = 1_103_515_245, 12_345, 1 << 31
"""A permutation of the ids that looks like none."""


def rank_of(
    order: str, record_id: int, priority: int, last_at: float | None, promised_at: float | None
) -> int:
    """The rank of a record under an order of `acd.dialer.settings_check.ORDERS`."""
    if promised_at is not None:
        return _PROMISED + int(promised_at)
    match order:
        case "list":
            return record_id
        case "newest":
            return _ID_ROOM - record_id
        case "oldest":
            return int(last_at or 0) * (1 << 20) + record_id % (1 << 20)
        case "random":
            return (record_id % _MIXED * _MIX + _ADD) % _MIXED
        case _:
            return (HIGHEST_PRIORITY - priority) * _ID_ROOM + record_id


def rank_in_sql(order: str, record: Any) -> ColumnElement[Any]:
    """`rank_of` over the columns of a record; promised call-backs keep theirs."""
    number = record.id
    match order:
        case "list":
            new = number + 0
        case "newest":
            new = _whole(_ID_ROOM) - number
        case "oldest":
            new = func.floor(func.coalesce(record.last_at, 0)) * (1 << 20) + number % (1 << 20)
        case "random":
            new = (number % _whole(_MIXED) * _whole(_MIX) + _ADD) % _whole(_MIXED)
        case _:
            new = (HIGHEST_PRIORITY - record.priority) * _whole(_ID_ROOM) + number
    return case((record.is_promised, record.rank), else_=new)


def _whole(value: int) -> ColumnElement[int]:
    """A constant that no driver takes for 32 bits."""
    return literal_column(f"CAST({value} AS BIGINT)")
