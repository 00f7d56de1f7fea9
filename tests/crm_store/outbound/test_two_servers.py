"""Two servers of one PostgreSQL: neither waits for the other while the other waits for it.

One of them is played here, step by step; the other is a store. A circle would end with the error of one,
after a second.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.dialer.model import CampaignName, Candidate, Outcome
from acd.model import AgentId
from crm_store.models.tables import CLAIM, DO_NOT_CALL, RECORD
from crm_store.outbound import holding, mass_changes
from crm_store.outbound.numbers_known import take_numbers
from crm_store.outbound.shelving import go_past_forbidden
from crm_store.store import Store
from tests.crm_store.outbound.people import (
    NOON,
    WINTER,
    dialled,
    given,
    listed,
    new_york,
    settings,
)

T = TypeVar("T")
pytestmark = pytest.mark.parametrize("url", ["postgresql"], indirect=True)

SPRING = CampaignName("spring")
LATER = NOON + 700.0
"""A claim of noon has lapsed by then."""
_WAITS_S = 0.3
"""Time enough for somebody to come to where it has to wait."""


class OtherServer:
    """What another server does in one transaction, step by step."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def does(self, step: Callable[[Connection], T]) -> T:
        async with asyncio.timeout(5.0):
            return await self._connection.run_sync(step)

    async def looks_at(self, *records: int) -> None:
        """As a claim does with what it reads."""
        rows = select(RECORD.c.id).where(RECORD.c.id.in_(records)).with_for_update()
        await self.does(lambda connection: connection.execute(rows).all())

    async def is_done(self) -> None:
        await self._connection.commit()

    async def takes(self, *wanted: tuple[str, int], at: float = NOON) -> set[int]:
        return await self.does(
            lambda connection: take_numbers(connection, wanted, at=at, until=at + 600.0, token=7)
        )


@pytest.fixture
async def both_lists(store: Store) -> Store:
    """Two people, each on two lists: records 1 and 2 of winter, 3 and 4 of spring."""
    people = ([new_york(1)], [new_york(2)])
    await given(store, *people)
    spring = settings(name=SPRING)
    await store.outbound.campaigns.create(spring, at=NOON, by="ann")
    await listed(store, people, spring)
    return store


@pytest.fixture
async def other(both_lists: Store) -> AsyncIterator[OtherServer]:
    async with both_lists._database.engine.connect() as connection:
        yield OtherServer(connection)


async def in_time(work: asyncio.Task[T]) -> T:
    async with asyncio.timeout(5.0):
        return await work


async def claimed(store: Store, at: float = NOON, most: int = 1) -> Sequence[Candidate]:
    return await store.outbound.lists.claim(WINTER, at, most)


async def test_numbers_that_both_want_are_in_the_hands_of_the_first(
    both_lists: Store, other: OtherServer
) -> None:
    async with both_lists._database.engine.connect() as connection:
        mine = OtherServer(connection)
        assert await mine.takes((new_york(1), 1)) == {1}
        assert await other.takes((new_york(2), 4)) == {4}
        assert await mine.takes((new_york(2), 2)) == set()
        assert await other.takes((new_york(1), 3)) == set()


async def test_a_claim_waits_for_nothing_that_another_server_looks_at(
    both_lists: Store, other: OtherServer
) -> None:
    (old,) = await claimed(both_lists)
    promise = update(RECORD).where(RECORD.c.id == 2)
    waiting = {"stage": "mine", "agent": "1001", "due_at": NOON}
    await both_lists._database.work(lambda c: c.execute(promise.values(waiting)).rowcount)
    await other.looks_at(2)
    lapsed = select(CLAIM).where(CLAIM.c.number == old.number).with_for_update()
    await other.does(lambda connection: connection.execute(lapsed).all())
    lists = both_lists.outbound.lists
    async with asyncio.timeout(5.0):
        assert await lists.claim(WINTER, LATER, 9) == []
        assert await lists.free(WINTER, [AgentId("1001")], LATER) == 0
        (free,) = await lists.claim(SPRING, LATER, 9)
    assert free.number == new_york(2)


async def test_who_opts_out_is_settled_while_another_server_wants_its_number(
    both_lists: Store, other: OtherServer
) -> None:
    (candidate,) = await claimed(both_lists)
    await other.looks_at(3)
    opted_out = dialled(candidate, Outcome.OPTED_OUT, NOON)
    settled = asyncio.create_task(both_lists.outbound.lists.settle([opted_out]))
    await asyncio.sleep(_WAITS_S)
    assert await other.takes((new_york(1), 3)) == set()
    await other.is_done()
    await in_time(settled)
    records = await both_lists.outbound.records.page(SPRING)
    assert [each.stage for each in records] == ["do-not-call", "ready"]


async def test_who_opts_out_is_settled_while_somebody_forbids_the_number(
    both_lists: Store, other: OtherServer
) -> None:
    (candidate,) = await claimed(both_lists)
    ban = {"number": new_york(1), "scope": "centre", "reason": "asked", "source": "supervisor"}
    row = {**ban, "by": "ann", "added_at": NOON}
    await other.does(lambda connection: connection.execute(insert(DO_NOT_CALL), row).rowcount)
    opted_out = dialled(candidate, Outcome.OPTED_OUT, NOON)
    settled = asyncio.create_task(both_lists.outbound.lists.settle([opted_out]))
    await asyncio.sleep(_WAITS_S)
    await other.does(lambda connection: go_past_forbidden(connection, [1, 3], NOON))
    await other.is_done()
    await in_time(settled)
    assert (await both_lists.outbound.records.get(candidate.record)).stage == "opted-out"


async def test_a_list_is_deleted_while_one_of_its_records_is_given_back(
    both_lists: Store, other: OtherServer
) -> None:
    (candidate,) = await claimed(both_lists)
    await other.looks_at(1)
    gone = asyncio.create_task(
        both_lists._database.work(lambda connection: mass_changes.delete_records(connection, [1]))
    )
    await asyncio.sleep(_WAITS_S)
    await other.does(lambda connection: holding.end(connection, [(1, candidate.claim)]))
    await other.is_done()
    await in_time(gone)
    assert len(await both_lists.outbound.records.page(WINTER)) == 1


async def test_a_busy_hour_of_two_servers_has_no_deadlock(both_lists: Store, url: str) -> None:
    second = Store(url, data_dir=None)
    numbers = [new_york(n) for n in range(3, 40)]
    for name in (WINTER, SPRING):
        await listed(
            both_lists,
            [[a, b] for a, b in itertools.pairwise(numbers)],
            settings(name=name),
        )
        numbers.reverse()

    async def hour(store: Store, name: CampaignName) -> int:
        lists, ended = store.outbound.lists, 0
        for step in range(25):
            at = NOON + 70.0 * step
            found = await lists.claim(name, at, 9)
            outcomes = (Outcome.OPTED_OUT, Outcome.BUSY, Outcome.CONNECTED)
            done = [
                dialled(each, outcomes[place % 3], at) for place, each in enumerate(reversed(found))
            ]
            await lists.renew([each.held for each in found[:3]], at=at)
            await lists.release([each.held for each in found[6:]], at=at)
            await lists.settle(done[3:])
            await store.outbound.do_not_call.remove(new_york(step + 3), campaign=None, by="", at=at)
            ended += len(done[3:])
        return ended

    try:
        done = await asyncio.gather(
            *(hour(store, name) for store in (both_lists, second) for name in (WINTER, SPRING))
        )
    finally:
        await second.close()
    assert sum(done) > len(numbers)
