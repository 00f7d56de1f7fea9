"""Call detail records: found page by page, and dropped when they are old."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, delete, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_store.facts import CallLegFilter
from crm_store.models.tables import CALL_LEG
from crm_store.rows import CallLegRow

_C = CALL_LEG.c


async def page(
    connection: AsyncConnection,
    wanted: CallLegFilter,
    *,
    limit: int,
    after: tuple[float, str] | None = None,
) -> list[CallLegRow]:
    """The newest legs that the filter lets through, newest first; `after` is start and id of the last."""
    query = _filtered(select(CALL_LEG), wanted)
    if after is not None:
        query = query.where(tuple_(_C.started_at, _C.id) < tuple_(after[0], after[1]))
    query = query.order_by(_C.started_at.desc(), _C.id.desc()).limit(limit)
    return [_row(row) for row in await connection.execute(query)]


async def count(connection: AsyncConnection, wanted: CallLegFilter) -> int:
    """How many legs the filter lets through."""
    query = _filtered(select(func.count()).select_from(CALL_LEG), wanted)
    return int((await connection.execute(query)).scalar_one())


async def drop_before(connection: AsyncConnection, before: float, *, limit: int) -> int:
    """Drop at most so many of the oldest legs that began before a time; gives how many."""
    old = select(_C.id).where(_C.started_at < before).order_by(_C.started_at, _C.id).limit(limit)
    result = await connection.execute(delete(CALL_LEG).where(_C.id.in_(old)))
    return int(result.rowcount)


def _filtered(query: Select[Any], wanted: CallLegFilter) -> Select[Any]:
    if wanted.since is not None:
        query = query.where(_C.started_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_C.started_at < wanted.until)
    if wanted.number:
        query = query.where(
            or_(_C.caller == wanted.number, _C.called == wanted.number, _C.phone == wanted.number)
        )
    for name in ("call_id", "interaction_id", "phone", "trunk", "result", "direction"):
        value = getattr(wanted, name)
        if value:
            query = query.where(_C[name] == value)
    return query


def _row(row: Any) -> CallLegRow:
    return CallLegRow(
        leg_id=row.id,
        call_id=row.call_id,
        sip_call_id=row.sip_call_id,
        interaction_id=row.interaction_id,
        direction=row.direction,
        caller=row.caller,
        called=row.called,
        phone=row.phone,
        trunk=row.trunk,
        started=row.started_at,
        rang=row.rang_at,
        answered=row.answered_at,
        ended=row.ended_at,
        result=row.result,
        reason=row.reason,
        status=row.status,
        q850=row.q850,
        ended_by=row.ended_by,
        codec=row.codec,
        user_agent=row.user_agent,
        linked_call=row.linked_call,
        recording_id=row.recording_id,
        attended=row.attended,
        packets_received=row.packets_received,
        packets_sent=row.packets_sent,
        packets_lost=row.packets_lost,
        remote_lost=row.remote_lost,
        jitter_ms=row.jitter_ms,
        rtt_ms=row.rtt_ms,
        mos=row.mos,
    )
