"""Write a batch of history rows through Core, in one transaction.

Rows are sorted by table, keeping their order within each: few statements with many parameters
instead of one per row. Dispositions come after interactions, which they refer to; files of recordings after
those, and after the rows of recordings, of which they replace a part. Every statement may run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from crm_store.base import to_time
from crm_store.driver_statement import Parameters, execute_many
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

_DEFAULTS: Final[Parameters] = {
    "channel": "voice",
    "direction": "inbound",
    "caller_number": "",
    "caller_name": "",
    "called": "",
    "waited_s": 0.0,
    "talked_s": 0.0,
    "held_s": 0.0,
    "why": "",
}
"""What a new interaction gets in columns that may not be NULL."""

_OPTIONAL: Final[tuple[str, ...]] = (
    "channel",
    "direction",
    "caller_number",
    "caller_name",
    "called",
    "queue",
    "agent_id",
    "agent_name",
    "customer_id",
    "result",
    "reason",
    "waited_s",
    "talked_s",
    "held_s",
    "why",
    "decision",
    "facts",
    "ended_at",
)
_BITS: Final = {name: 1 << place for place, name in enumerate(_OPTIONAL)}
_GIVEN: Final = "given"
"""Name of the parameter that has the bits of those that are given."""
_ABSENT: Final[Parameters] = {**dict.fromkeys(_OPTIONAL), **_DEFAULTS}


def write_rows(connection: Connection, rows: Sequence[HistoryRow]) -> None:
    """Write all rows. Raises the database's errors; nothing is written then."""
    interactions: dict[str, Parameters] = {}
    others: dict[type[HistoryRow], list[Parameters]] = {}
    for row in rows:
        if isinstance(row, InteractionRow):
            interactions.setdefault(row.interaction_id, {}).update(_interaction(row))
        else:
            others.setdefault(type(row), []).append(_PARAMETERS[type(row)](row))
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    if interactions:
        merged = [_completed(values) for values in interactions.values()]
        execute_many(connection, _upsert_interaction(insert), merged)
    for kind, table in _APPEND_ONLY.items():
        if kind in others:
            execute_many(connection, _insert_once(insert, table), others[kind])
    if DispositionRow in others:
        execute_many(connection, _CHOOSE, [_choice(row) for row in others[DispositionRow]])
    for kind, table in _REPLACED.items():
        if kind in others:
            execute_many(connection, _replace(insert, table), others[kind])
    if RecordingFileRow in others:
        execute_many(connection, _replace_file(insert), others[RecordingFileRow])


def _interaction(row: InteractionRow) -> Parameters:
    """The columns that the row gives. Several rows of one interaction merge into one."""
    values: Parameters = {
        "id": row.interaction_id,
        "revision": row.revision,
        "started_at": to_time(row.started),
    }
    if row.ended is not None:
        values["ended_at"] = to_time(row.ended)
    for name in _OPTIONAL:
        if name != "ended_at" and (value := getattr(row, name)) is not None:
            values[name] = value
    return values


def _completed(values: Parameters) -> Parameters:
    """All columns, and which of them are given."""
    given = sum(bit for name, bit in _BITS.items() if name in values)
    return {**_ABSENT, **values, _GIVEN: given}


@lru_cache(maxsize=8)
def _insert_once(insert: Callable[[Table], Any], table: Table) -> Executable:
    """Insert what is not there yet."""
    result: Executable = insert(table).on_conflict_do_nothing()
    return result


@lru_cache(maxsize=2)
def _upsert_interaction(insert: Callable[[Table], Any]) -> Executable:
    """Insert, or set what is given: one statement, whichever columns are.

    An older row (a journal that is replayed) still fills what is empty, but replaces nothing. A
    statement for each set of columns would have to be kept for each, at a thousand objects and more.
    """
    statement = insert(INTERACTION)
    new, old = statement.excluded, INTERACTION.c
    newer, given = new.revision >= old.revision, bindparam(_GIVEN, type_=Integer)
    changes: Parameters = {
        name: case(
            (
                and_(newer, given.bitwise_and(literal_column(str(bit))) != literal_column("0")),
                new[name],
            ),
            else_=_filled(name, new),
        )
        for name, bit in _BITS.items()
    }
    changes["revision"] = case((newer, new.revision), else_=old.revision)
    result: Executable = statement.on_conflict_do_update(index_elements=[old.id], set_=changes)
    return result


def _filled(name: str, new: Any) -> Any:
    column = INTERACTION.c[name]
    if name in _DEFAULTS:
        return case((column == _DEFAULTS[name], new[name]), else_=column)
    return func.coalesce(column, new[name])


@lru_cache(maxsize=4)
def _replace(insert: Callable[[Table], Any], table: Table) -> Executable:
    """Insert, or put in the place of the row with the same id."""
    statement = insert(table)
    changes = {
        column.name: statement.excluded[column.name] for column in table.c if not column.primary_key
    }
    result: Executable = statement.on_conflict_do_update(index_elements=[table.c.id], set_=changes)
    return result


@lru_cache(maxsize=2)
def _replace_file(insert: Callable[[Table], Any]) -> Executable:
    """Insert with what the interaction tells, or replace what the row says of the file.

    The database looks, as nobody else can without a race: the earlier row may wait in the same batch.
    """
    of_interaction = INTERACTION.c.id == bindparam("of_interaction", type_=String)
    told: dict[str, ColumnElement[Any]] = {
        name: select(INTERACTION.c[name]).where(of_interaction).scalar_subquery()
        for name in ("agent_id", "customer_id", "caller_number", "queue")
    }
    told["caller_number"] = func.coalesce(told["caller_number"], _DEFAULTS["caller_number"])
    statement = insert(RECORDING).values(told)
    changes = {name: statement.excluded[name] for name in _OF_FILE}
    result: Executable = statement.on_conflict_do_update(
        index_elements=[RECORDING.c.id], set_=changes
    )
    return result


def _timeline(row: Any) -> Parameters:
    return {
        "interaction_id": row.interaction_id,
        "seq": row.seq,
        "at": to_time(row.at),
        "type": row.type,
        "data": row.data,
    }


def _note(row: Any) -> Parameters:
    return {
        "id": row.note_id,
        "interaction_id": row.interaction_id,
        "at": to_time(row.at),
        "author": row.author,
        "text": row.text,
    }


def _disposition(row: Any) -> Parameters:
    return {
        "id": row.disposition_id,
        "interaction_id": row.interaction_id,
        "at": to_time(row.at),
        "author": row.author,
        "code": row.code,
    }


def _recording(row: Any) -> Parameters:
    return {
        "id": row.recording_id,
        "interaction_id": row.interaction_id,
        "agent_id": row.agent_id,
        "customer_id": row.customer_id,
        "caller_number": row.caller_number,
        "queue": row.queue,
        "started_at": to_time(row.started),
        "duration_s": row.duration_s,
        "octets": row.octets,
        "sha256": row.sha256,
        "path": row.path,
        "error": row.error,
    }


def _recording_file(row: Any) -> Parameters:
    return {
        "id": row.recording_id,
        "interaction_id": row.interaction_id,
        "of_interaction": row.interaction_id,
        "started_at": to_time(row.started),
        **{name: getattr(row, name) for name in _OF_FILE},
    }


def _leg(row: Any) -> Parameters:
    return {
        "id": row.leg_id,
        "call_id": row.call_id,
        "sip_call_id": row.sip_call_id[:256],
        "interaction_id": row.interaction_id,
        "direction": row.direction,
        "caller": row.caller[:80],
        "called": row.called[:80],
        "phone": row.phone,
        "trunk": row.trunk,
        "started_at": row.started,
        "rang_at": row.rang,
        "answered_at": row.answered,
        "ended_at": row.ended,
        "result": row.result,
        "reason": row.reason[:64],
        "status": row.status,
        "q850": row.q850,
        "ended_by": row.ended_by,
        "codec": row.codec[:16],
        "user_agent": row.user_agent[:128],
        "linked_call": None if row.linked_call is None else row.linked_call[:64],
        "recording_id": row.recording_id,
        "attended": None if row.attended is None else row.attended[:128],
        "packets_received": row.packets_received,
        "packets_sent": row.packets_sent,
        "packets_lost": row.packets_lost,
        "remote_lost": row.remote_lost,
        "jitter_ms": row.jitter_ms,
        "rtt_ms": row.rtt_ms,
        "mos": row.mos,
    }


_PARAMETERS: Final[dict[type[HistoryRow], Callable[[Any], Parameters]]] = {
    TimelineRow: _timeline,
    NoteRow: _note,
    DispositionRow: _disposition,
    RecordingRow: _recording,
    RecordingFileRow: _recording_file,
    CallLegRow: _leg,
}
_OF_FILE: Final = ("path", "duration_s", "octets", "sha256", "error")
"""What a recording's row says of its file."""
_REPLACED: Final[dict[type[HistoryRow], Table]] = {RecordingRow: RECORDING, CallLegRow: CALL_LEG}
_APPEND_ONLY: Final[dict[type[HistoryRow], Table]] = {
    TimelineRow: TIMELINE,
    NoteRow: NOTE,
    DispositionRow: DISPOSITION,
}

_CHOOSE: Final = (
    update(INTERACTION)
    .where(
        INTERACTION.c.id == bindparam("of_interaction"),
        or_(
            INTERACTION.c.disposition_at.is_(None),
            INTERACTION.c.disposition_at <= bindparam("chosen_at", type_=DISPOSITION.c.at.type),
        ),
    )
    .values(
        disposition=bindparam("chosen_code"),
        disposition_at=bindparam("chosen_at", type_=DISPOSITION.c.at.type),
    )
)


def _choice(values: Parameters) -> Parameters:
    return {
        "of_interaction": values["interaction_id"],
        "chosen_at": values["at"],
        "chosen_code": values["code"],
    }
