"""The timeline of an interaction."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_store.base import to_seconds
from crm_store.facts import TimelineFacts
from crm_store.models.tables import TIMELINE


async def of_interaction(connection: AsyncConnection, interaction_id: str) -> list[TimelineFacts]:
    """All events, in order."""
    rows = await connection.execute(
        select(TIMELINE).where(TIMELINE.c.interaction_id == interaction_id).order_by(TIMELINE.c.seq)
    )
    return [
        TimelineFacts(seq=row.seq, at=to_seconds(row.at), type=row.type, data=row.data)
        for row in rows
    ]
