"""What stands on do-not-call lists is proof: it is not shortened, and not lost when it is taken off."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update

from acd.dialer.model import Outcome
from crm_store.models.tables import RECORD
from crm_store.outbound.views import DoNotCallEntry
from crm_store.store import Store
from tests.crm_store.outbound.people import NOON, WINTER, dialled, given, new_york

LATER = NOON + 60.0


async def forbid(store: Store, reason: str, source: str, until: float | None = None) -> None:
    await store.outbound.do_not_call.add(
        [new_york(1)], campaign=None, reason=reason, source=source, by="ann", at=LATER, until=until
    )


async def entry(store: Store, at: float = LATER) -> DoNotCallEntry:
    (found,) = await store.outbound.do_not_call.find(new_york(1), at)
    return found


async def test_what_a_person_asked_for_itself_stays(store: Store) -> None:
    await given(store, [new_york(1)])
    (candidate,) = await store.outbound.lists.claim(WINTER, NOON, 1)
    await store.outbound.lists.settle([dialled(candidate, Outcome.OPTED_OUT, NOON)])
    first = await entry(store)
    await forbid(store, "imported again", "import", until=LATER + 10.0)
    await forbid(store, "imported again", "import")
    assert await entry(store, LATER + 99.0) == first


@pytest.mark.parametrize(
    ("old", "new", "until", "reason"),
    [
        (None, LATER + 9.0, None, "old"),
        (LATER + 99.0, LATER + 9.0, LATER + 99.0, "old"),
        (None, None, None, "old"),
        (LATER + 9.0, None, None, "new"),
        (LATER - 1.0, LATER + 9.0, LATER + 9.0, "new"),
    ],
)
async def test_the_longest_ban_counts(
    store: Store, old: float | None, new: float | None, until: float | None, reason: str
) -> None:
    await forbid(store, "old", "supervisor", old)
    await forbid(store, "new", "supervisor", new)
    found = await entry(store)
    assert (found.until, found.reason) == (until, reason)


async def test_who_is_forbidden_again_keeps_the_first_day_and_its_reason(store: Store) -> None:
    lists = store.outbound.do_not_call
    for reason, at in (("letter of 3 November", LATER), ("", LATER + 99.0)):
        await lists.add(
            [new_york(1)], campaign=None, reason=reason, source="supervisor", by="ann", at=at
        )
    found = await entry(store, LATER + 99.0)
    assert (found.added_at, found.reason) == (LATER, "letter of 3 November")


async def test_what_a_person_asked_for_takes_the_place_of_a_file(store: Store) -> None:
    await forbid(store, "imported from list.csv", "import")
    await forbid(store, "opted out by key", "opt-out")
    assert (await entry(store)).reason == "opted out by key"


async def test_what_is_taken_off_is_kept(store: Store) -> None:
    await forbid(store, "asked in writing", "supervisor")
    lists = store.outbound.do_not_call
    assert await lists.remove(new_york(1), campaign=None, by="bob", at=LATER + 5.0)
    assert await lists.find(new_york(1), LATER + 5.0) == []
    (gone,) = await lists.removed(new_york(1))
    assert (gone.by, gone.at) == ("bob", LATER + 5.0)
    assert (gone.entry.reason, gone.entry.by) == ("asked in writing", "ann")


async def test_a_ban_does_not_undo_what_is_settled_at_the_same_time(store: Store) -> None:
    await given(store, [new_york(1), new_york(2)])
    async with store._database.transaction() as connection:
        await connection.execute(update(RECORD).values(stage="reached"))
        ban = asyncio.create_task(forbid(store, "asked", "supervisor"))
        await asyncio.sleep(0.3)  # by then it waits for the record
    await ban
    (record,) = await store.outbound.records.page(WINTER)
    assert (record.stage, record.position) == ("reached", 0)


async def test_who_is_forbidden_again_after_a_ban_ran_out_is_new(store: Store) -> None:
    lists = store.outbound.do_not_call

    async def add(at: float, until: float | None) -> int:
        return await lists.add(
            [new_york(1)], campaign=None, reason="", source="import", by="ann", at=at, until=until
        )

    assert await add(NOON, LATER) == 1
    assert await add(NOON, LATER) == 0
    assert await add(LATER, LATER + 9.0) == 1
