"""Interactions: one with all that belongs to it, and the newest of a customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_store.base import to_seconds
from crm_store.facts import InteractionFacts, PastInteractionFacts
from crm_store.models.tables import CUSTOMER, INTERACTION, NOTE, RECORDING
from crm_store.repositories import notes, recordings, timelines

RECENT: Final = 10
"""Interactions on a customer's card."""

_newest_note = (
    select(NOTE.c.text)
    .where(NOTE.c.interaction_id == INTERACTION.c.id)
    .order_by(NOTE.c.at.desc(), NOTE.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_is_recorded = exists().where(RECORDING.c.interaction_id == INTERACTION.c.id)
_COLUMNS: Final = (
    INTERACTION.c.id,
    INTERACTION.c.customer_id,
    INTERACTION.c.started_at,
    INTERACTION.c.channel,
    INTERACTION.c.direction,
    INTERACTION.c.queue,
    INTERACTION.c.agent_id,
    INTERACTION.c.agent_name,
    INTERACTION.c.disposition,
    INTERACTION.c.result,
    INTERACTION.c.reason,
    INTERACTION.c.waited_s,
    INTERACTION.c.talked_s,
    _newest_note.label("note"),
    _is_recorded.label("recorded"),
)
_RECENT_OF: Final = (
    select(*_COLUMNS)
    .where(INTERACTION.c.customer_id == bindparam("customer_id"))
    .order_by(INTERACTION.c.started_at.desc())
    .limit(RECENT)
)
_of_same = INTERACTION.alias()
_last_shown = (
    select(_of_same.c.started_at)
    .where(_of_same.c.customer_id == INTERACTION.c.customer_id)
    .order_by(_of_same.c.started_at.desc())
    .offset(RECENT - 1)
    .limit(1)
    .correlate(INTERACTION)
    .scalar_subquery()
)
_RECENT_OF_ALL: Final = (
    select(*_COLUMNS)
    .where(
        INTERACTION.c.customer_id.in_(bindparam("ids", expanding=True)),
        or_(_last_shown.is_(None), INTERACTION.c.started_at >= _last_shown),
    )
    .order_by(INTERACTION.c.started_at.desc())
)


async def recent_of(
    connection: AsyncConnection, customer_ids: Sequence[str]
) -> dict[str, list[PastInteractionFacts]]:
    """The newest interactions of each customer, newest first; one query for all of them."""
    if len(customer_ids) == 1:  # the card of a caller: by far the most, and the cheapest query
        rows = await connection.execute(_RECENT_OF, {"customer_id": customer_ids[0]})
        return {customer_ids[0]: [_past(row) for row in rows]}
    recent: dict[str, list[PastInteractionFacts]] = {id_: [] for id_ in customer_ids}
    for row in await connection.execute(_RECENT_OF_ALL, {"ids": list(customer_ids)}):
        newest = recent[row.customer_id]
        if len(newest) < RECENT:  # of some that began at one time the last place is a draw
            newest.append(_past(row))
    return recent


async def get(connection: AsyncConnection, interaction_id: str) -> InteractionFacts | None:
    """One interaction with notes, dispositions, recordings and timeline."""
    result = await connection.execute(
        select(INTERACTION, CUSTOMER.c.name.label("customer_name"))
        .outerjoin(CUSTOMER, CUSTOMER.c.id == INTERACTION.c.customer_id)
        .where(INTERACTION.c.id == interaction_id)
    )
    row = result.one_or_none()
    if row is None:
        return None
    return InteractionFacts(
        interaction_id=row.id,
        channel=row.channel,
        direction=row.direction,
        caller_number=row.caller_number,
        caller_name=row.caller_name,
        called=row.called,
        queue=row.queue,
        agent_id=row.agent_id,
        agent_name=row.agent_name,
        customer_id=row.customer_id,
        customer_name=row.customer_name or "",
        started=to_seconds(row.started_at),
        ended=None if row.ended_at is None else to_seconds(row.ended_at),
        result=row.result,
        reason=row.reason,
        waited_s=row.waited_s,
        talked_s=row.talked_s,
        held_s=row.held_s,
        disposition=row.disposition,
        why=row.why,
        decision=row.decision,
        facts=row.facts,
        notes=tuple(await notes.of_interaction(connection, interaction_id)),
        dispositions=tuple(await notes.dispositions_of(connection, interaction_id)),
        recordings=tuple(await recordings.of_interaction(connection, interaction_id)),
        timeline=tuple(await timelines.of_interaction(connection, interaction_id)),
    )


async def agent_of(connection: AsyncConnection, interaction_id: str) -> tuple[bool, str | None]:
    """Whether the interaction is known, and the agent who had it last."""
    result = await connection.execute(
        select(INTERACTION.c.agent_id).where(INTERACTION.c.id == interaction_id)
    )
    row = result.one_or_none()
    return (False, None) if row is None else (True, row.agent_id)


def _past(row: Any) -> PastInteractionFacts:
    return PastInteractionFacts(
        interaction_id=row.id,
        at=to_seconds(row.started_at),
        channel=row.channel,
        direction=row.direction,
        queue=row.queue,
        agent_id=row.agent_id,
        agent_name=row.agent_name,
        disposition=row.disposition,
        result=row.result,
        reason=row.reason,
        note=(row.note or "").strip().partition("\n")[0],
        waited_s=row.waited_s,
        talked_s=row.talked_s,
        recorded=bool(row.recorded),
    )
