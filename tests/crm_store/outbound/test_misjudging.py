"""People who were taken for machines: abandoned, in the attempt, in the counts and for the record."""

from __future__ import annotations

import pytest

from acd.dialer.model import Outcome
from crm_store.errors import BadRecord, NotStored
from crm_store.outbound.misjudging import Misjudged
from crm_store.store import Store
from tests.crm_store.outbound.people import HOUR, NOON, WINTER, dialled, given, new_york

LATER = NOON + 24 * HOUR


async def ended(store: Store, outcome: Outcome = Outcome.MACHINE) -> str:
    """One person with two numbers was dialled, and the call ended so."""
    await given(store, [new_york(1), new_york(2)])
    (candidate,) = await store.outbound.lists.claim(WINTER, NOON, 1)
    doubt = 0.25 if outcome is Outcome.MACHINE else 0.0
    attempt = dialled(candidate, outcome, NOON, doubt=doubt, judged='{"verdict":"machine"}')
    await store.outbound.lists.settle([attempt])
    return attempt.id


async def say(store: Store, attempt: str) -> Misjudged | None:
    return await store.outbound.records.misjudged(WINTER, attempt, at=LATER, by="super")


async def abandoned(store: Store) -> tuple[float, float]:
    """As a start of the server reads it: abandoned, of so many live answers."""
    past = await store.outbound.campaigns.history(WINTER, since=0.0, midnight=NOON)
    return (
        sum(counts.abandoned for _, counts in past.counted),
        sum(counts.live for _, counts in past.counted),
    )


async def test_it_counts_once_however_often_it_is_said(store: Store) -> None:
    attempt = await ended(store)
    assert await abandoned(store) == (0.25, 0.25)
    found = await say(store, attempt)
    assert found == Misjudged(dialled_at=NOON, answered_at=NOON, was=Outcome.MACHINE, doubt=0.25)
    assert await say(store, attempt) is None
    assert await abandoned(store) == (1.0, 1.0)
    (kept,) = await store.outbound.records.attempts(outcome=Outcome.ABANDONED)
    assert (kept.reason, kept.judged) == ("misjudged", '{"verdict":"machine"}')
    newest, before = await store.outbound.campaigns.versions(WINTER)
    assert newest.by == "super"
    assert attempt in newest.what
    assert before.what == "created"


async def test_its_record_waits_as_that_of_an_abandoned_person(store: Store) -> None:
    attempt = await ended(store)
    (record,) = await store.outbound.records.page(WINTER)
    assert (record.position, record.due_at) == (1, NOON + 30.0 + 4 * HOUR)
    await say(store, attempt)
    (record,) = await store.outbound.records.page(WINTER)
    assert (record.position, record.due_at) == (0, NOON + 30.0 + 72 * HOUR)
    assert (record.last_outcome, record.attempts) == (Outcome.ABANDONED, 1)


async def test_a_record_that_went_on_since_stays_where_it_is(store: Store) -> None:
    attempt = await ended(store)
    (again,) = await store.outbound.lists.claim(WINTER, LATER, 1)
    await say(store, attempt)
    assert (await store.outbound.records.get(again.record)).stage == "claimed"
    await store.outbound.lists.settle([dialled(again, Outcome.CONNECTED, LATER)])
    assert (await store.outbound.records.get(again.record)).stage == "reached"


async def test_only_what_ended_as_a_machine_s_can_be_misjudged(store: Store) -> None:
    attempt = await ended(store, Outcome.BUSY)
    with pytest.raises(BadRecord, match="ended as busy"):
        await say(store, attempt)
    with pytest.raises(NotStored, match="no attempt 'call-9'"):
        await say(store, "call-9")
