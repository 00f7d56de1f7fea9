"""Records in the hands of a dialer: who has them, until when, and who has no say any more."""

from __future__ import annotations

import msgspec

from acd.dialer.model import CampaignName, Candidate, Held, Outcome
from acd.dialer.settings import Retry
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

LATER = NOON + 700.0
"""A claim of noon has lapsed by then."""


async def claimed(store: Store, at: float) -> list[Candidate]:
    return await store.outbound.lists.claim(WINTER, at, 9)


async def test_a_late_release_frees_nobody_elses_claim(store: Store) -> None:
    await given(store, [new_york(1)])
    (old,) = await claimed(store, NOON)
    (new,) = await claimed(store, LATER)
    assert old.claim != new.claim
    await store.outbound.lists.release([old.held], at=LATER)
    assert await claimed(store, LATER + 9.0) == []
    await store.outbound.lists.release([new.held, old.held], at=LATER)
    assert [each.number for each in await claimed(store, LATER + 30.0)] == [new_york(1)]


async def test_a_late_settlement_leaves_the_new_claim_and_counts(store: Store) -> None:
    retries = {Outcome.BUSY: Retry(after_s=1.0, times=9)}
    await given(store, [new_york(1)], retries=retries)
    (old,) = await claimed(store, NOON)
    (new,) = await claimed(store, LATER)
    await store.outbound.lists.settle([dialled(old, Outcome.BUSY, NOON)])
    record = await store.outbound.records.get(old.record)
    assert (record.stage, record.attempts) == ("claimed", 1)
    assert await claimed(store, LATER + 60.0) == []
    await store.outbound.lists.settle([dialled(new, Outcome.CONNECTED, LATER)])
    assert (await store.outbound.records.get(old.record)).stage == "reached"


async def test_who_was_reached_stays_reached_when_a_newer_claim_comes_back(store: Store) -> None:
    await given(store, [new_york(1)])
    (old,) = await claimed(store, NOON)
    (new,) = await claimed(store, LATER)
    await store.outbound.lists.settle([dialled(old, Outcome.CONNECTED, NOON)])
    await store.outbound.lists.release([new.held], at=LATER)
    assert (await store.outbound.records.get(old.record)).stage == "reached"


async def test_a_number_that_is_forbidden_in_hand_is_passed_when_it_comes_back(
    store: Store,
) -> None:
    await given(store, [new_york(1), new_york(2)])
    (first,) = await claimed(store, NOON)
    await store.outbound.lists.forbid(new_york(1), campaign=WINTER, reason="asked")
    assert await claimed(store, NOON + 9.0) == []  # one person is never rung on two numbers
    await store.outbound.lists.release([first.held], at=NOON + 9.0)
    (second,) = await claimed(store, NOON + 18.0)
    assert second.number == new_york(2)
    await store.outbound.lists.forbid(new_york(2), campaign=WINTER, reason="asked")
    await store.outbound.lists.release([second.held], at=NOON + 19.0)
    assert (await store.outbound.records.get(first.record)).stage == "do-not-call"


async def test_a_number_is_in_hand_as_long_as_its_owner_talks(store: Store) -> None:
    await given(store, [new_york(1)])
    spring = settings(name=CampaignName("spring"))
    await store.outbound.campaigns.create(spring, at=NOON, by="ann")
    await listed(store, [[new_york(1)]], spring)
    (candidate,) = await claimed(store, NOON)
    talk = dialled(candidate, Outcome.CONNECTED, NOON, connected_at=NOON + 30.0, goes_on=True)
    await store.outbound.lists.settle([talk])
    assert await store.outbound.lists.claim(spring.name, NOON + 60.0, 1) == []
    over = msgspec.structs.replace(talk, ended_at=NOON + 90.0, goes_on=False)
    await store.outbound.lists.settle([over])
    (other,) = await store.outbound.lists.claim(spring.name, NOON + 200.0, 1)
    assert other.number == new_york(1)


async def test_a_number_without_a_way_lets_others_go_first(store: Store) -> None:
    await given(store, [new_york(1)], [new_york(2)])
    first, second = await claimed(store, NOON)
    lists = store.outbound.lists
    await lists.release([first.held], at=NOON, reason="not-allowed")
    await lists.release([second.held], at=NOON, reason="stale")
    assert [each.number for each in await claimed(store, NOON + 20.0)] == [new_york(2)]
    funnel = await lists.funnel(WINTER, NOON + 20.0)
    assert [(step.code, step.until) for step in funnel.steps] == [
        ("no-way", NOON + 600.0),
        ("claimed", None),
    ]
    assert [each.number for each in await claimed(store, NOON + 601.0)] == [new_york(1)]


async def test_a_claim_that_is_kept_up_does_not_lapse(store: Store) -> None:
    await given(store, [new_york(1)], [new_york(2)])
    first, second = await claimed(store, NOON)
    lists = store.outbound.lists
    held = [first.held, Held(second.record, 1)]
    assert await lists.renew(held, at=NOON + 500.0) == {first.record: NOON + 1100.0}
    again = await claimed(store, NOON + 1000.0)
    assert [each.number for each in again] == [new_york(2)]
    assert await lists.renew([second.held], at=NOON + 1000.0) == {}
    assert [each.number for each in await claimed(store, NOON + 1101.0)] == [new_york(1)]


async def test_what_is_held_and_forbidden_is_found(store: Store) -> None:
    await given(store, [new_york(1)])
    lists = store.outbound.lists
    await lists.forbid(new_york(1), campaign=WINTER, reason="asked")
    numbers = [new_york(1), new_york(2)]
    assert await lists.forbidden(WINTER, numbers, NOON) == {new_york(1)}
