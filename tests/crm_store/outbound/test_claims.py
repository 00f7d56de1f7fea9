from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, event, select

from acd.dialer.model import CampaignName, Outcome
from acd.dialer.settings import Limits, Quota, RegionCap, Retry, Window
from acd.dialer.us_area_codes import STATE_OF_AREA_CODE
from acd.model import AgentId
from crm_store.errors import NotStored
from crm_store.models.tables import QUOTA
from crm_store.outbound import claims, next_rows
from crm_store.outbound.campaign_rows import Known
from crm_store.outbound.places import PlaceBook
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

DAY = Window(begin="08:00", end="21:00")
LONDON = "+441632960123"


async def claimed(store: Store, at: float = NOON, most: int = 10, agent: str = "") -> list[str]:
    found = await store.outbound.lists.claim(
        WINTER, at, most, for_agent=AgentId(agent) if agent else None
    )
    return [candidate.number for candidate in found]


async def test_the_next_records_come_in_order_and_once(store: Store) -> None:
    await given(store, *([new_york(n)] for n in range(5)))
    assert await claimed(store, most=2) == [new_york(0), new_york(1)]
    assert await claimed(store, most=2) == [new_york(2), new_york(3)]
    assert await claimed(store) == [new_york(4)]
    assert await claimed(store) == []


async def test_a_candidate_says_who_where_and_why(store: Store) -> None:
    await given(store, [new_york(1)], windows=(DAY,), limits=Limits(attempts=5))
    (found,) = await store.outbound.lists.claim(WINTER, NOON, 1)
    assert (found.name, found.zone, found.position) == ("Person 0", "America/New_York", 0)
    assert found.facts == (("row", "0"),)
    assert found.until == NOON + 13 * HOUR
    assert found.why == (
        "08:00-21:00 local, 08:00 there (America/New_York); attempt 1 of 5; 0 of 3 today; "
        "0 of 3 in 24 h; on no do-not-call list; rules 1"
    )


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("priority", [2, 0, 1, 3]),
        ("list", [0, 1, 2, 3]),
        ("newest", [3, 2, 1, 0]),
    ],
)
async def test_lists_are_dialled_in_the_order_that_was_asked_for(
    store: Store, order: str, expected: list[int]
) -> None:
    made = settings(order="random")
    await store.outbound.campaigns.create(made, at=NOON, by="ann")
    people = [[new_york(n)] for n in range(4)]
    await listed(store, people, made, priorities=[0, 0, 7, -1])
    await store.outbound.campaigns.update(settings(order=order), at=NOON, by="ann")
    assert await claimed(store) == [new_york(n) for n in expected]


async def test_what_was_released_comes_again_first(store: Store) -> None:
    await given(store, [new_york(1)], [new_york(2)])
    (first,) = await store.outbound.lists.claim(WINTER, NOON, 1)
    await store.outbound.lists.release([first.held], at=NOON)
    assert await claimed(store) == [new_york(1), new_york(2)]


async def test_a_claim_lapses_after_ten_minutes(store: Store) -> None:
    await given(store, [new_york(1)])
    assert await claimed(store) == [new_york(1)]
    assert await claimed(store, NOON + 599.0) == []
    assert await claimed(store, NOON + 601.0) == [new_york(1)]


async def test_places_outside_their_window_are_left_out_until_it_opens(store: Store) -> None:
    await given(store, ["+13125550100"], ["+861000000000"], [new_york(1)], windows=(DAY,))
    assert (
        await claimed(store, NOON - 60.0) == []
    )  # 07:59, and in Shanghai 20:59, which is too late
    (first,) = await store.outbound.lists.claim(WINTER, NOON, 9)
    assert first.number == new_york(1)  # 07:00 in Chicago, 21:00 in Shanghai
    await store.outbound.lists.settle([dialled(first, Outcome.CONNECTED, NOON)])
    assert await claimed(store, NOON + HOUR) == ["+13125550100"]
    assert await claimed(store, NOON + 14.5 * HOUR) == ["+861000000000"]


async def test_two_servers_never_have_the_same_record(store: Store, url: str) -> None:
    people = [[new_york(n)] for n in range(100)]
    await given(store, *people)
    other = Store(url, data_dir=None)
    try:
        rounds = [await asyncio.gather(claimed(store), claimed(other)) for _ in range(12)]
    finally:
        await other.close()
    found = [number for both in rounds for each in both for number in each]
    assert sorted(found) == sorted(number for numbers in people for number in numbers)


async def test_one_number_on_two_lists_is_in_one_hand_at_a_time(store: Store) -> None:
    await given(store, [new_york(1)])
    spring = settings(name=CampaignName("spring"))
    await store.outbound.campaigns.create(spring, at=NOON, by="ann")
    await listed(store, [[new_york(1)]], spring)
    (first,) = await store.outbound.lists.claim(WINTER, NOON, 1)
    assert await store.outbound.lists.claim(spring.name, NOON, 1) == []
    await store.outbound.lists.settle([dialled(first, Outcome.CONNECTED, NOON)])
    (second,) = await store.outbound.lists.claim(spring.name, NOON + 61.0, 1)
    assert second.number == new_york(1)


async def test_call_backs_of_an_agent_come_first_for_it_and_for_nobody_else(store: Store) -> None:
    await given(store, [new_york(1)], [new_york(2)])
    first, second = await store.outbound.lists.claim(WINTER, NOON, 2)
    then = NOON + HOUR
    ask = {"agent": AgentId("1001"), "call_back_at": then}
    await store.outbound.lists.settle(
        [
            dialled(first, Outcome.CONNECTED, NOON, call_back_mine=True, **ask),
            dialled(second, Outcome.CONNECTED, NOON, **ask),
        ]
    )
    assert await claimed(store, then - 1.0, agent="1001") == []
    assert await claimed(store, then + 1.0, agent="1002", most=1) == [new_york(2)]
    assert await claimed(store, then + 3.0, agent="1002") == []
    (found,) = await store.outbound.lists.claim(WINTER, then + 5.0, 9, for_agent=AgentId("1001"))
    assert (found.number, found.agent) == (new_york(1), "1001")
    assert found.why.startswith("call-back that was asked for; ")


async def test_caps_of_a_number_hold_it_back_until_they_let_go(store: Store) -> None:
    soon = {Outcome.NO_ANSWER: Retry(after_s=60.0, times=99)}
    await given(
        store,
        ["+13055550100"],
        retries=soon,
        limits=Limits(
            attempts=4, per_day=0, per_24_h=9, by_region=(RegionCap(region="US-FL", per_24_h=2),)
        ),
    )
    at = NOON
    for attempt in range(2):
        (found,) = await store.outbound.lists.claim(WINTER, at, 1)
        assert f"{attempt} of 2 in 24 h" in found.why
        await store.outbound.lists.settle([dialled(found, Outcome.NO_ANSWER, at)])
        at += 2 * HOUR
    assert await claimed(store, at) == []
    assert await claimed(store, NOON + 24 * HOUR - 2.0) == []
    (found,) = await store.outbound.lists.claim(WINTER, NOON + 24 * HOUR + 1.0, 1)
    assert "attempt 3 of 4; 1 of 2 in 24 h" in found.why


@pytest.mark.parametrize("most", [1, 3, 12])
async def test_the_best_come_first_however_many_places_there_are(
    store: Store, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(next_rows, "FEW_PLACES", 2)
    monkeypatch.setattr(claims, "FEW_PLACES", 2)
    codes = sorted(STATE_OF_AREA_CODE)[:12]
    # Half of the list in one place, first; the others one by one in any order.
    people = [new_york(index) for index in range(12)]
    people += [f"+1{codes[(5 * index) % 12]}5550150" for index in range(12)]
    await given(store, *[[number] for number in people])
    found: list[str] = []
    at = NOON
    while some := await store.outbound.lists.claim(WINTER, at, most):
        assert len(some) == min(most, len(people) - len(found))
        found += [candidate.number for candidate in some]
        at += 1.0
    assert found == people


@contextmanager
def asked(store: Store) -> Iterator[list[str]]:
    """The statements that a store is given meanwhile."""
    database = store._database
    engine = database._batches or database.engine.sync_engine
    found: list[str] = []

    def note(*given: Any) -> None:
        found.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


async def test_a_claim_asks_the_database_few_times(store: Store) -> None:
    await given(store, *([new_york(index)] for index in range(3)))
    await claimed(store, most=1)
    is_sqlite = store._database.is_sqlite
    with asked(store) as statements:
        assert await claimed(store, most=1) == [new_york(1)]
        # What comes next, what is known of its number, and the claim; SQLite has no round trips.
        assert len(statements) == (6 if is_sqlite else 3)
        statements.clear()
        assert await claimed(store, NOON + 20.0, most=1) == [new_york(2)]
        # The campaign, what is due, and where records are ready.
        assert len(statements) == (6 if is_sqlite else 3) + (5 if is_sqlite else 3)


async def test_of_many_places_it_is_seldom_seen_where_records_are_ready(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def noted(connection: Connection, book: PlaceBook, known: Known, at: float) -> None:
        looks.append(at - NOON)
        next_rows.look(connection, book, known, at)

    monkeypatch.setattr(claims, "look", noted)
    monkeypatch.setattr(claims, "FEW_PLACES", 2)
    people = [f"+1{code}5550150" for code in sorted(STATE_OF_AREA_CODE)[:40]]
    await given(store, *[[number] for number in people])
    lists = store.outbound.lists
    for at in (0.0, 10.0, 20.0):
        (found,) = await lists.claim(WINTER, NOON + at, 1)
        talk = dialled(found, Outcome.CONNECTED, NOON + at, ended_at=NOON + at)
        await lists.settle([talk])
    assert looks == [0.0, 20.0], "the second time with a settlement"
    assert len(await claimed(store, NOON + 40.0, most=1)) == 1
    assert len(await claimed(store, NOON + 30.0, most=1)) == 1, "whose clock was read before"
    assert looks == [0.0, 20.0]
    assert len(await claimed(store, NOON + 61.0, most=1)) == 1
    assert looks == [0.0, 20.0, 61.0], "no settlement came"
    assert len(await claimed(store, NOON + 62.0, most=99)) == len(people) - 6
    assert looks == [0.0, 20.0, 61.0, 62.0], "there were fewer than were wanted"


@pytest.mark.parametrize(("few", "widest"), [(3, 3), (next_rows.FEW_PLACES, 8)])
async def test_of_many_places_a_claim_reads_the_few_best_however_often_these_are_taken(
    store: Store, monkeypatch: pytest.MonkeyPatch, few: int, widest: int
) -> None:
    widths: list[int] = []
    read = next_rows._read

    def noted(connection: Connection, known: Known, places: Sequence[int], *more: Any) -> Any:
        widths.append(len(places))
        return read(connection, known, places, *more)

    monkeypatch.setattr(next_rows, "_read", noted)
    monkeypatch.setattr(next_rows, "FEW_PLACES", few)
    monkeypatch.setattr(claims, "FEW_PLACES", few)
    codes = sorted(STATE_OF_AREA_CODE)[:30]
    people = [f"+1{code}5550150" for code in codes] + [f"+1{code}5550151" for code in codes]
    await given(store, *[[number] for number in people])
    found = [number for _ in people for number in await claimed(store, most=1)]
    assert found == people
    assert max(widths) == widest


async def test_an_abandoned_number_is_locked_unless_an_agent_is_first(store: Store) -> None:
    soon = {Outcome.ABANDONED: Retry(after_s=HOUR, times=3, next_number=False)}
    await given(store, [new_york(1)], retries=soon)
    (found,) = await store.outbound.lists.claim(WINTER, NOON, 1)
    assert not found.needs_agent
    await store.outbound.lists.settle([dialled(found, Outcome.ABANDONED, NOON)])
    (found,) = await store.outbound.lists.claim(WINTER, NOON + 2 * HOUR, 1)
    assert found.needs_agent
    await store.outbound.lists.release([found.held], at=NOON)
    (found,) = await store.outbound.lists.claim(WINTER, NOON + 73 * HOUR, 1)
    assert not found.needs_agent


async def test_a_full_quota_holds_back_its_kind_until_it_is_raised(store: Store) -> None:
    def with_goal(goal: int) -> tuple[Quota, ...]:
        return (Quota(column="city", value="Bath", goal=goal),)

    made = settings(quotas=with_goal(1))
    await store.outbound.campaigns.create(made, at=NOON, by="ann")
    cities = ["Bath", "Bath", "York", "Bath", "York"]
    people = [[new_york(n)] for n in range(5)]
    await listed(store, people, made, facts=[{"city": city} for city in cities])
    (first,) = await store.outbound.lists.claim(WINTER, NOON, 1)
    await store.outbound.lists.settle([dialled(first, Outcome.CONNECTED, NOON)])
    assert await claimed(store, NOON + 9.0) == [new_york(2), new_york(4)]
    changed = settings(quotas=with_goal(9))
    await store.outbound.campaigns.update(changed, at=NOON, by="ann")
    assert await claimed(store, NOON + 18.0) == [new_york(1), new_york(3)]


async def test_records_of_an_owner_are_claimed_for_it_alone(store: Store) -> None:
    made = settings()
    await store.outbound.campaigns.create(made, at=NOON, by="ann")
    await listed(store, [[new_york(1)]], made, owner="1001")
    assert await claimed(store) == []
    assert await claimed(store, agent="1001") == [new_york(1)]


async def test_an_unknown_campaign_is_said_so(store: Store) -> None:
    with pytest.raises(NotStored, match="no campaign 'nobody'"):
        await store.outbound.lists.claim(CampaignName("nobody"), NOON, 1)


async def test_a_toll_free_number_needs_an_hour_that_suits_all_its_zones(store: Store) -> None:
    await given(store, ["+18005550199"], ["+882165550100"], [LONDON], windows=(DAY,))
    assert await claimed(store) == [LONDON]
    funnel = await store.outbound.lists.funnel(WINTER, NOON)
    assert [(step.code, step.count) for step in funnel.steps] == [
        ("no-window", 1),
        ("outside-window", 1),
        ("claimed", 1),
    ]
    assert await claimed(store, NOON + 9.5 * HOUR) == ["+18005550199"]


async def test_a_quota_is_counted_with_each_settlement(store: Store) -> None:
    quotas = (
        Quota(column="city", value="Bath", goal=2),
        Quota(column="city", value="York", goal=1, disposition="sold"),
    )
    made = settings(quotas=quotas, retry_dispositions={"sold": Retry(after_s=9.0)})
    await store.outbound.campaigns.create(made, at=NOON, by="ann")
    cities = ["Bath", "Bath", "Bath", "York", "York", "York"]
    people = [[new_york(n)] for n in range(6)]
    await listed(store, people, made, facts=[{"city": city} for city in cities])
    first, *_, york, _ = await store.outbound.lists.claim(WINTER, NOON, 5)
    talks = [
        dialled(first, Outcome.CONNECTED, NOON),
        dialled(york, Outcome.CONNECTED, NOON, disposition="sold"),
    ]
    for _ in range(2):
        await store.outbound.lists.settle(talks)

    def counts(connection: Connection) -> list[int]:
        return list(connection.execute(select(QUOTA.c.reached).order_by(QUOTA.c.kind)).scalars())

    assert await store._database.look(counts) == [1, 1]
    unsold = msgspec.structs.replace(talks[1], disposition="other")
    await store.outbound.lists.settle([unsold])
    assert await store._database.look(counts) == [1, 0]


async def test_a_promise_that_is_not_kept_is_anybodys_a_day_later(store: Store) -> None:
    await given(store, [new_york(1)])
    (talk,) = await store.outbound.lists.claim(WINTER, NOON, 1)
    ann, then = AgentId("1001"), NOON + HOUR
    asked = dialled(
        talk, Outcome.CONNECTED, NOON, agent=ann, call_back_at=then, call_back_mine=True
    )
    await store.outbound.lists.settle([asked])
    (mine,) = await store.outbound.lists.claim(WINTER, then + 1.0, 1, for_agent=ann)
    await store.outbound.lists.release([mine.held], at=then + 2.0)
    assert await store.outbound.lists.awaited(WINTER, then + 30.0) == [ann]
    funnel = await store.outbound.lists.funnel(WINTER, then + 30.0)
    (step,) = funnel.steps
    assert (step.code, step.until) == ("mine", then + 30.0 + 24 * HOUR)
    assert step.words.endswith("for this campaign: 1001 (1)")
    assert await claimed(store, then + 23 * HOUR) == []
    assert await claimed(store, then + 25 * HOUR) == [new_york(1)]


async def test_what_waits_for_an_agent_who_is_gone_is_anybodys(store: Store) -> None:
    made = settings()
    await store.outbound.campaigns.create(made, at=NOON, by="ann")
    await listed(store, [[new_york(1)]], made, owner="1001")
    await listed(store, [[new_york(2)]], made, owner="1002")
    assert await store.outbound.lists.free(WINTER, [AgentId("1002")], NOON) == 1
    assert await claimed(store) == [new_york(2)]
