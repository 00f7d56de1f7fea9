from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from acd.dialer.model import CampaignName, CampaignState, Outcome
from acd.dialer.settings import Limits, Quota, Retry, Window
from acd.model import AgentId
from crm_store.errors import BadRecord, NotStored
from crm_store.outbound.large_list import fill
from crm_store.store import Store
from tests.crm_store.outbound.people import (
    HOUR,
    NOON,
    WINTER,
    dialled,
    given,
    listed,
    new_york,
    settings,
)

SPRING = CampaignName("spring")


async def test_every_change_is_kept_with_who_and_when(store: Store) -> None:
    campaigns = store.outbound.campaigns
    made = await campaigns.create(settings(), at=NOON, by="ann")
    assert (made.state, made.version, made.settings) == (CampaignState.DRAFT, 1, settings())
    slower = settings(limits=Limits(attempts=0, per_day=0, per_24_h=0, calls_per_s=1.0))
    await campaigns.update(slower, at=NOON + 1.0, by="bob", expected=1)
    await campaigns.update(slower, at=NOON + 2.0, by="bob")  # changes nothing
    await campaigns.set_state(WINTER, CampaignState.RUNNING, at=NOON + 3.0, by="cy")
    ended = await campaigns.set_state(WINTER, CampaignState.FINISHED, at=NOON + 4.0, by="cy")
    assert ended.finished_at == NOON + 4.0
    assert [(v.version, v.at, v.by, v.what) for v in await campaigns.versions(WINTER)] == [
        (4, NOON + 4.0, "cy", "running -> finished"),
        (3, NOON + 3.0, "cy", "draft -> running"),
        (2, NOON + 1.0, "bob", "limits.calls_per_s: 5.0 -> 1.0"),
        (1, NOON, "ann", "created"),
    ]
    assert [each.name for each in await campaigns.all()] == [WINTER]


async def test_of_two_who_change_it_the_later_is_told(store: Store) -> None:
    campaigns = store.outbound.campaigns
    await campaigns.create(settings(), at=NOON, by="ann")
    await campaigns.update(settings(title="A"), at=NOON, by="ann", expected=1)
    with pytest.raises(BadRecord, match="changed by ann meanwhile"):
        await campaigns.update(settings(title="B"), at=NOON, by="bob", expected=1)
    assert (await campaigns.get(WINTER)).settings.title == "A"


async def test_what_another_server_changes_is_known_a_second_later(store: Store, url: str) -> None:
    await given(store, [new_york(1)], [new_york(2)], [new_york(3)])
    lists = store.outbound.lists
    other = Store(url, data_dir=None)
    try:
        assert "attempt 1;" in (await lists.claim(WINTER, NOON, 1))[0].why
        limits = Limits(attempts=4, per_day=0, per_24_h=0)
        await other.outbound.campaigns.update(settings(limits=limits), at=NOON, by="bob")
        assert "attempt 1 of 4;" in (await lists.claim(WINTER, NOON + 1.0, 1))[0].why
        await other.outbound.campaigns.delete(WINTER, at=NOON + 1.5, by="bob")
        with pytest.raises(NotStored):
            await lists.claim(WINTER, NOON + 2.0, 1)
    finally:
        await other.close()


async def test_names_that_cannot_be_typed_are_refused(store: Store) -> None:
    for name in ("", " x", "x" * 65, "a/b", "a\nb"):
        with pytest.raises(BadRecord, match="name"):
            await store.outbound.campaigns.create(settings(name=name), at=NOON, by="ann")


async def test_settings_that_contradict_each_other_are_refused(store: Store) -> None:
    bad = settings(windows=(Window(begin="9"),), order="no")
    with pytest.raises(BadRecord, match=r"windows\[0\].*; order: .*'no'"):
        await store.outbound.campaigns.create(bad, at=NOON, by="ann")
    await store.outbound.campaigns.create(settings(), at=NOON, by="ann")
    with pytest.raises(BadRecord, match="already"):
        await store.outbound.campaigns.create(settings(), at=NOON, by="ann")
    with pytest.raises(NotStored):
        await store.outbound.campaigns.get(SPRING)


async def test_a_copy_has_the_list_as_if_nobody_was_dialled(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_store.outbound.mass_changes._AT_ONCE", 3)
    people = [[new_york(n), new_york(50 + n)] for n in range(7)]
    await given(store, *people, title="The first")
    found = await store.outbound.lists.claim(WINTER, NOON, 3)
    outcomes = (Outcome.CONNECTED, Outcome.NO_ANSWER, Outcome.OPTED_OUT)
    await store.outbound.lists.settle(
        [dialled(each, outcome, NOON) for each, outcome in zip(found, outcomes, strict=True)]
    )
    bare = await store.outbound.campaigns.copy(WINTER, CampaignName("bare"), at=NOON, by="bob")
    assert (bare.settings.title, bare.state) == ("The first", CampaignState.DRAFT)
    assert (await store.outbound.campaigns.penetration(bare.name)).total == 0
    await store.outbound.campaigns.copy(WINTER, SPRING, at=NOON, by="bob", with_list=True)
    counts = await store.outbound.campaigns.penetration(SPRING)
    assert (counts.total, counts.untouched, counts.by_stage) == (7, 6, {"ready": 6, "opted-out": 1})
    again = await store.outbound.lists.claim(SPRING, NOON + 100.0, 9)
    first = [new_york(0), new_york(51), *(new_york(n) for n in range(3, 7))]
    assert [each.number for each in again] == first
    assert [each.attempts for each in again] == [0] * 6
    (batch,) = await store.outbound.imports.batches(SPRING)
    assert (batch.file, batch.added, batch.state) == ("copy of winter", 7, "done")


async def test_a_campaign_that_runs_is_not_deleted_and_names_can_be_used_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_store.outbound.mass_changes._AT_ONCE", 2)
    await given(store, *([new_york(n)] for n in range(5)))
    await store.outbound.campaigns.set_state(WINTER, CampaignState.RUNNING, at=NOON, by="ann")
    with pytest.raises(BadRecord, match="pause or finish it first"):
        await store.outbound.campaigns.delete(WINTER, at=NOON, by="ann")
    await store.outbound.campaigns.set_state(WINTER, CampaignState.PAUSED, at=NOON, by="ann")
    await store.outbound.campaigns.delete(WINTER, at=NOON, by="ann")
    assert await store.outbound.campaigns.all() == []
    await given(store)
    assert (await store.outbound.campaigns.penetration(WINTER)).total == 0


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_how_far_a_list_is_looks_at_no_record_of_those_that_were_tried(store: Store) -> None:
    """Two million took SQLite three seconds; PostgreSQL goes by statistics, not by the words of a query."""
    database = store.outbound.database
    await given(store)
    await fill(database, WINTER, 2000, NOON)
    asked: list[tuple[str, Any]] = []

    def note(*called: Any) -> None:
        asked.append((called[2], called[3]))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    assert (await store.outbound.campaigns.penetration(WINTER)).tried == 800
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    found = 0
    async with database.reading() as connection:
        for statement, values in asked:
            if "last_outcome <> ''" in statement:
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                assert all("ix_outbound_record_tried" in str(row) for row in plan), statement
                found += 1
    assert found == 2


async def test_who_was_only_read_was_not_tried(store: Store) -> None:
    await given(store, *([new_york(n)] for n in range(3)))
    read, called, _ = await store.outbound.lists.claim(WINTER, NOON, 3)
    await store.outbound.lists.settle(
        [
            dialled(read, Outcome.AGENT_GONE, NOON, caller_id="", reason="not-now"),
            dialled(called, Outcome.BUSY, NOON),
        ]
    )
    counts = await store.outbound.campaigns.penetration(WINTER)
    assert (counts.tried, counts.untouched) == (1, 2)
    assert counts.by_outcome == {"agent-gone": 1, "busy": 1}
    found = await store.outbound.lists.claim(WINTER, NOON + HOUR, 9)
    (again,) = [each for each in found if each.record == called.record]
    await store.outbound.lists.settle([dialled(again, Outcome.CONGESTED, NOON + HOUR)])
    assert (await store.outbound.campaigns.penetration(WINTER)).tried == 1, "it was, before"


async def test_penetration_counts_states_and_outcomes(store: Store) -> None:
    await given(store, *([new_york(n)] for n in range(6)), final_dispositions=("sold",))
    found = await store.outbound.lists.claim(WINTER, NOON, 4)
    await store.outbound.lists.settle(
        [
            dialled(found[0], Outcome.CONNECTED, NOON, disposition="sold"),
            dialled(found[1], Outcome.NO_ANSWER, NOON),
            dialled(found[2], Outcome.INVALID_NUMBER, NOON),
        ]
    )
    counts = await store.outbound.campaigns.penetration(WINTER)
    assert (counts.total, counts.untouched, counts.attempts, counts.goal_reached) == (6, 3, 3, 1)
    assert counts.by_state == {"ready": 3, "claimed": 1, "done": 1, "blocked": 1}
    assert counts.by_outcome == {"connected": 1, "no-answer": 1, "invalid-number": 1}
    page = await store.outbound.records.page(WINTER, outcome=Outcome.NO_ANSWER)
    assert [record.name for record in page] == ["Person 1"]
    page = await store.outbound.records.page(WINTER, after=page[0].id, limit=2)
    assert [record.name for record in page] == ["Person 2", "Person 3"]
    page = await store.outbound.records.page(WINTER, number="(212) 555-0105")
    assert [record.name for record in page] == ["Person 5"]


async def test_the_funnel_counts_what_each_filter_takes_away(store: Store) -> None:
    people = [
        *([new_york(n)] for n in range(8)),
        ["+13125550100"],  # 07:00 there
        ["+13125550101"],
        ["+882165550100"],  # nobody knows where
        [new_york(50)],
    ]
    day = (Window(begin="08:00", end="21:00"),)
    quota = Quota(column="row", value="77", goal=1)
    made = settings(windows=day, limits=Limits(attempts=0, per_day=0, per_24_h=1), quotas=(quota,))
    await store.outbound.campaigns.create(made, at=NOON, by="ann")
    await listed(store, people, made)
    found = await store.outbound.lists.claim(WINTER, NOON, 7)
    later = {"call_back_at": NOON + HOUR, "agent": AgentId("1001"), "call_back_mine": True}
    outcomes = [
        dialled(found[0], Outcome.CONNECTED, NOON),
        dialled(found[1], Outcome.NO_ANSWER, NOON),
        dialled(found[2], Outcome.BUSY, NOON),
        dialled(found[3], Outcome.INVALID_NUMBER, NOON),
        dialled(found[4], Outcome.CONNECTED, NOON, **later),
        # The same person was called by another campaign this morning.
        msgspec.structs.replace(
            dialled(found[0], Outcome.BUSY, NOON - 60.0),
            campaign=SPRING,
            record="0",
            number=new_york(7),
        ),
    ]
    await store.outbound.lists.settle(outcomes)
    await store.outbound.lists.forbid(new_york(50), campaign=None, reason="asked")
    funnel = await store.outbound.lists.funnel(WINTER, NOON + 1.0)
    assert [(step.code, step.count) for step in funnel.steps] == [
        ("reached", 1),
        ("no-number", 1),
        ("do-not-call", 1),
        ("retry", 2),
        ("call-back", 1),
        ("no-window", 1),
        ("outside-window", 2),
        ("number-cap", 1),
        ("claimed", 2),
    ]
    assert (funnel.total, funnel.callable) == (12, 0)
    by_code = {step.code: step for step in funnel.steps}
    assert by_code["retry"].until == NOON + 630.0
    assert by_code["number-cap"].until == NOON - 60.0 + 24 * HOUR
    assert by_code["outside-window"].until == NOON + HOUR
    assert by_code["outside-window"].words == (
        "2 are outside the hours of their place: 2 in US-IL America/Chicago, opens 08:00 there: "
        "08:00-21:00 local, 07:00 there (America/Chicago)"
    )
    assert all(step.words.startswith(f"{step.count} ") for step in funnel.steps)
    assert by_code["no-window"].words.startswith("1 is never inside a window: 1 in ")
    assert by_code["number-cap"].words == "1 was dialled as often as allowed, by any campaign"
    assert by_code["retry"].words.startswith(
        "2 wait for their next attempt; the pause is that of their"
    )
    later_on = await store.outbound.lists.funnel(WINTER, NOON + 2 * HOUR)
    counts = {step.code: step.count for step in later_on.steps}
    assert (counts["mine"], counts["retry"]) == (1, 1)
    words = {step.code: step.words for step in later_on.steps}
    assert words["mine"] == "1 waits for one agent alone, who must be free for this campaign"
    assert words["retry"].startswith("1 waits for its next attempt; the pause is that of its last")


async def test_retries_may_be_changed_while_it_runs(store: Store) -> None:
    await given(store, [new_york(1)])
    quick = settings(retries={Outcome.BUSY: Retry(after_s=5.0)})
    await store.outbound.campaigns.update(quick, at=NOON, by="ann")
    (found,) = await store.outbound.lists.claim(WINTER, NOON, 1)
    await store.outbound.lists.settle([dialled(found, Outcome.BUSY, NOON)])
    assert (await store.outbound.records.get(found.record)).due_at == NOON + 35.0


async def test_a_quota_of_a_column_that_the_list_does_not_have_is_told(store: Store) -> None:
    quotas = (Quota(column="row", value="1", goal=5), Quota(column="City", value="Bath", goal=5))
    await given(store, quotas=quotas)
    assert (await store.outbound.lists.funnel(WINTER, NOON)).steps == (), "there is no list yet"
    await listed(store, [[new_york(1)]], settings(quotas=quotas))
    (step,) = (await store.outbound.lists.funnel(WINTER, NOON)).steps
    assert step.words == "quotas of City count nobody: the list has no such column"
