"""What came of a record before, as its next card tells it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, insert

from acd.dialer.model import Outcome, RecordId
from acd.model import AgentId
from crm_store.models.tables import INTERACTION, NOTE
from crm_store.store import Store
from tests.crm_store.outbound.people import HOUR, NOON, WINTER, dialled, given, new_york

ANN = AgentId("1001")


async def _talked_of(store: Store, talk: str, *notes: str) -> None:
    def work(connection: Connection) -> None:
        at = datetime.fromtimestamp(NOON, UTC)
        connection.execute(
            insert(INTERACTION).values(id=talk, agent_id=ANN, agent_name="Ann Lee", started_at=at)
        )
        rows = [
            {"id": f"n-{index}", "interaction_id": talk, "at": at, "author": "ann", "text": text}
            for index, text in enumerate(notes)
        ]
        connection.execute(insert(NOTE), rows)

    await store._database.work(work)


async def test_who_calls_next_sees_what_came_of_the_calls_before(store: Store) -> None:
    await given(store, [new_york(1)])
    lists, then = store.outbound.lists, NOON + 2 * HOUR
    (first,) = await lists.claim(WINTER, NOON, 1)
    assert not first.is_promised
    assert not first.has_past
    talk = dialled(
        first,
        Outcome.CONNECTED,
        NOON,
        agent=ANN,
        connected_at=NOON + 10.0,
        disposition="later",
        call_back_at=then,
    )
    await lists.settle([talk])
    await _talked_of(store, talk.id, "an older one", "he will think\nand calls his wife")
    (again,) = await lists.claim(WINTER, then, 1)
    assert again.is_promised
    assert again.has_past
    skipped = dialled(again, Outcome.AGENT_GONE, then, caller_id="", reason="not-now")
    await lists.settle([skipped])
    (past,) = await store.outbound.records.past(first.record)
    assert (past.id, past.outcome, past.disposition) == (talk.id, "connected", "later")
    assert (past.agent, past.talked_s, past.call_back_at) == ("Ann Lee", 20.0, then)
    assert past.note.startswith("he will think"), "the newest"


async def test_calls_that_nobody_answered_are_told_newest_first(store: Store) -> None:
    await given(store, [new_york(1)])
    lists, at = store.outbound.lists, NOON
    (first,) = await lists.claim(WINTER, at, 1)
    await lists.settle([dialled(first, Outcome.BUSY, at)])
    (again,) = await lists.claim(WINTER, at + HOUR, 1)
    await lists.settle([dialled(again, Outcome.NO_ANSWER, at + HOUR)])
    past = await store.outbound.records.past(first.record)
    assert [(each.outcome, each.agent, each.note) for each in past] == [
        ("no-answer", "", ""),
        ("busy", "", ""),
    ]
    assert await store.outbound.records.past(RecordId("x")) == []
