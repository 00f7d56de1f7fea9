"""Notes and dispositions of an interaction."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_store.base import to_seconds
from crm_store.facts import DispositionFacts, NoteFacts
from crm_store.models.tables import DISPOSITION, NOTE


async def of_interaction(connection: AsyncConnection, interaction_id: str) -> list[NoteFacts]:
    """The notes, oldest first."""
    rows = await connection.execute(
        select(NOTE).where(NOTE.c.interaction_id == interaction_id).order_by(NOTE.c.at, NOTE.c.id)
    )
    return [
        NoteFacts(note_id=row.id, at=to_seconds(row.at), author=row.author, text=row.text)
        for row in rows
    ]


async def dispositions_of(
    connection: AsyncConnection, interaction_id: str
) -> list[DispositionFacts]:
    """Every outcome that was chosen, oldest first."""
    rows = await connection.execute(
        select(DISPOSITION)
        .where(DISPOSITION.c.interaction_id == interaction_id)
        .order_by(DISPOSITION.c.at, DISPOSITION.c.id)
    )
    return [
        DispositionFacts(at=to_seconds(row.at), author=row.author, code=row.code) for row in rows
    ]
