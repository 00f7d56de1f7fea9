"""Repair rows that a database refuses for their content.

Names and numbers come from the network: they may hold NUL characters, half surrogate pairs, or more
text than a column takes. Rows are written as they are first, because nearly all are fine.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import String, Table

from crm_store.models.tables import CALL_LEG, DISPOSITION, INTERACTION, NOTE, RECORDING, TIMELINE
from crm_store.rows import (
    CallLegRow,
    DispositionRow,
    HistoryRow,
    InteractionRow,
    NoteRow,
    RecordingFileRow,
    RecordingRow,
    TimelineRow,
)

_TABLES: Final[dict[type[HistoryRow], Table]] = {
    InteractionRow: INTERACTION,
    TimelineRow: TIMELINE,
    NoteRow: NOTE,
    DispositionRow: DISPOSITION,
    RecordingRow: RECORDING,
    RecordingFileRow: RECORDING,
    CallLegRow: CALL_LEG,
}


def cleaned(row: HistoryRow) -> HistoryRow:
    """The row with text that every database takes. Ids are not shortened."""
    values: dict[str, Any] = {}
    columns = _TABLES[type(row)].c
    for name in row.__struct_fields__:
        value = _clean(getattr(row, name))
        if isinstance(value, str) and name in columns and not name.endswith("_id"):
            kind = columns[name].type
            value = value[: kind.length] if isinstance(kind, String) else value
        values[name] = value
    return type(row)(**values)


def _clean(value: object) -> object:
    match value:
        case str():
            return value.replace("\0", "").encode("utf-8", "replace").decode()
        case dict():
            return {str(_clean(key)): _clean(item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(item) for item in value]
        case None | bool() | float():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case _:
            return _clean_other(value)


def _clean_other(value: object) -> object:
    try:
        return _clean(msgspec.to_builtins(value, builtin_types=()))
    except TypeError:
        return _clean(repr(value))
