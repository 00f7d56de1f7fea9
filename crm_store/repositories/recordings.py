"""The index of recordings."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_store.base import to_seconds, to_time
from crm_store.facts import RecordingFacts
from crm_store.models.tables import RECORDING


async def of_interaction(connection: AsyncConnection, interaction_id: str) -> list[RecordingFacts]:
    """The recordings of an interaction, oldest first."""
    rows = await connection.execute(
        select(RECORDING)
        .where(RECORDING.c.interaction_id == interaction_id)
        .order_by(RECORDING.c.started_at, RECORDING.c.id)
    )
    return [_facts(row) for row in rows]


async def get(connection: AsyncConnection, recording_id: str) -> RecordingFacts | None:
    """One recording."""
    result = await connection.execute(select(RECORDING).where(RECORDING.c.id == recording_id))
    row = result.one_or_none()
    return None if row is None else _facts(row)


async def newest(
    connection: AsyncConnection, *, limit: int, before: float | None = None
) -> list[RecordingFacts]:
    """The newest recordings that began before a time, newest first."""
    query = select(RECORDING).order_by(RECORDING.c.started_at.desc(), RECORDING.c.id).limit(limit)
    if before is not None:
        query = query.where(RECORDING.c.started_at < to_time(before))
    return [_facts(row) for row in await connection.execute(query)]


def _facts(row: Any) -> RecordingFacts:
    return RecordingFacts(
        recording_id=row.id,
        interaction_id=row.interaction_id,
        agent_id=row.agent_id,
        customer_id=row.customer_id,
        caller_number=row.caller_number,
        queue=row.queue,
        started=to_seconds(row.started_at),
        duration_s=row.duration_s,
        octets=row.octets,
        sha256=row.sha256,
        path=row.path,
        error=row.error,
    )
