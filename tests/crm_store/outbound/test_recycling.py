"""Records that are done are dialled again, if somebody wants that."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from acd.dialer.model import Outcome
from acd.dialer.settings import Limits, Retry
from crm_store.outbound import recycling
from crm_store.store import Store
from tests.crm_store.outbound.people import HOUR, NOON, WINTER, dialled, given, new_york

LATER = NOON + HOUR


async def worked_through(store: Store, *outcomes: Outcome) -> None:
    """A list whose records ended so, each after one attempt."""
    never = {outcome: Retry(after_s=1.0, times=0) for outcome in outcomes}
    people = [[new_york(n)] for n in range(len(outcomes))]
    await given(store, *people, retries=never, limits=Limits(attempts=0, per_day=0, per_24_h=0))
    found = await store.outbound.lists.claim(WINTER, NOON, 9)
    done = [dialled(each, outcome, NOON) for each, outcome in zip(found, outcomes, strict=True)]
    await store.outbound.lists.settle(done)


async def recycled(store: Store, **which: Any) -> int:
    return await store.outbound.records.recycle(WINTER, at=LATER, by="ann", **which)


async def numbers(store: Store) -> list[str]:
    return [each.number for each in await store.outbound.lists.claim(WINTER, LATER + 9.0, 9)]


async def test_who_was_not_reached_is_dialled_again(store: Store) -> None:
    await worked_through(store, Outcome.NO_ANSWER, Outcome.CONNECTED, Outcome.OPTED_OUT)
    assert await recycled(store, dry=True) == 1
    assert await numbers(store) == []
    assert await recycled(store) == 1
    assert await numbers(store) == [new_york(0)]
    newest, *_ = await store.outbound.campaigns.versions(WINTER)
    assert (newest.what, newest.by) == ("1 records recycled: not reached", "ann")


async def test_those_of_an_outcome_are_dialled_again_and_blocked_ones_stay(store: Store) -> None:
    await worked_through(store, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.BUSY)
    await store.outbound.lists.forbid(new_york(2), campaign=None, reason="asked")
    assert await recycled(store, outcomes=[Outcome.BUSY], fresh=True) == 2
    assert await numbers(store) == [new_york(1)]
    page = await store.outbound.records.page(WINTER)
    assert [(each.stage, each.attempts) for each in page] == [
        ("exhausted", 1),
        ("claimed", 0),
        ("do-not-call", 0),
    ]
    assert await recycled(store, dispositions=["sold"]) == 0


async def test_what_was_done_before_it_was_broken_off_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worked_through(store, Outcome.NO_ANSWER, Outcome.NO_ANSWER)
    whole = recycling.piece

    def piece(connection: Connection, **asked: Any) -> tuple[int, int | None]:
        if asked["after"]:
            raise RuntimeError("it was given up")
        return whole(connection, **asked)

    monkeypatch.setattr(recycling, "_AT_ONCE", 1)
    monkeypatch.setattr(recycling, "piece", piece)
    with pytest.raises(RuntimeError):
        await recycled(store)
    newest, *_ = await store.outbound.campaigns.versions(WINTER)
    assert newest.what == "1 records recycled, then it was broken off: not reached"


async def test_what_was_promised_before_holds_no_more(store: Store) -> None:
    limits = Limits(attempts=2, per_day=0, per_24_h=0)
    retries = {Outcome.NO_ANSWER: Retry(after_s=1.0, times=1)}
    people = [[new_york(n)] for n in range(3)]
    await given(store, *people, limits=limits, retries=retries)
    lists = store.outbound.lists
    found = await lists.claim(WINTER, NOON, 3)
    asked = dialled(found[2], Outcome.CONNECTED, NOON, call_back_at=NOON + 60.0)
    await lists.settle([asked, *(dialled(each, Outcome.BUSY, NOON) for each in found[:2])])
    for at in (NOON + 120.0, NOON + 240.0):
        (promised,) = await lists.claim(WINTER, at, 1)
        assert promised.is_promised
        await lists.settle([dialled(promised, Outcome.NO_ANSWER, at)])
    assert await recycled(store, outcomes=[Outcome.NO_ANSWER], fresh=True) == 1
    again = await lists.claim(WINTER, LATER + 9.0, 9)
    assert [(each.number, each.is_promised) for each in again] == [
        (new_york(0), False),
        (new_york(1), False),
        (new_york(2), False),
    ]
