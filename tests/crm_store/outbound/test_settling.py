from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import pytest

from acd.dialer.legal import Counts
from acd.dialer.model import (
    GIVEN_BACK,
    Attempt,
    AttemptId,
    CampaignName,
    Candidate,
    Held,
    Mode,
    Outcome,
    RecordId,
    RecordState,
)
from acd.dialer.settings import Limits, Retry
from acd.model import AgentId
from crm_store.errors import BadRecord, NotStored
from crm_store.outbound.records import Records
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


async def one(store: Store, at: float = NOON) -> Candidate:
    (found,) = await store.outbound.lists.claim(WINTER, at, 1)
    return found


async def test_an_attempt_counts_once_however_often_it_is_settled(store: Store) -> None:
    await given(store, [new_york(1)])
    attempt = dialled(await one(store), Outcome.NO_ANSWER, NOON)
    for _ in range(3):
        await store.outbound.lists.settle([attempt, attempt])
    record = await store.outbound.records.get(attempt.record)
    assert (record.attempts, record.stage, record.due_at) == (1, "retry", NOON + 30.0 + 2 * HOUR)
    assert len(await store.outbound.records.attempts_of(attempt.record)) == 1


async def test_everything_of_an_attempt_is_kept(store: Store) -> None:
    await given(store, [new_york(1)])
    candidate = await one(store)
    attempt = dialled(
        candidate,
        Outcome.CONNECTED,
        NOON,
        rang_at=NOON + 2.0,
        answered_at=NOON + 9.0,
        connected_at=NOON + 9.1,
        agent=AgentId("1001"),
        trunk="carrier",
        sip_status=200,
        reason="hung-up",
        judged='{"human": 0.97}',
        decision=17,
    )
    await store.outbound.lists.settle([attempt])
    (kept,) = await store.outbound.records.attempts(number=new_york(1))
    for name in attempt.__struct_fields__:
        if name not in ("call_back_at", "call_back_mine", "claim", "goes_on"):
            assert getattr(kept, name) == getattr(attempt, name), name
    assert (kept.name, kept.region, kept.zone) == ("Person 0", "US-NY", "America/New_York")
    assert (kept.local_time, kept.rules, kept.settings_version) == ("2026-11-24 08:00", 1, 1)


async def test_a_late_disposition_moves_the_record_again(store: Store) -> None:
    await given(
        store,
        [new_york(1)],
        retry_dispositions={"later": Retry(after_s=HOUR)},
        final_dispositions=("sold",),
    )
    attempt = dialled(await one(store), Outcome.CONNECTED, NOON)
    await store.outbound.lists.settle([attempt])
    assert (await store.outbound.records.get(attempt.record)).stage == "reached"
    late = msgspec.structs.replace(attempt, disposition="later", agent=AgentId("1001"))
    await store.outbound.lists.settle([late])
    record = await store.outbound.records.get(attempt.record)
    assert (record.stage, record.due_at) == ("retry", attempt.ended_at + HOUR)
    await store.outbound.lists.settle([msgspec.structs.replace(attempt, disposition="sold")])
    record = await store.outbound.records.get(attempt.record)
    assert (record.stage, record.attempts, record.last_disposition) == ("final", 1, "sold")
    (kept,) = await store.outbound.records.attempts_of(attempt.record)
    assert (kept.disposition, kept.agent) == ("sold", "1001")


async def test_a_disposition_that_is_overtaken_by_the_next_call_moves_nothing(store: Store) -> None:
    soon = {Outcome.HUNG_UP: Retry(after_s=60.0)}
    await given(store, [new_york(1)], retries=soon, final_dispositions=("sold",))
    first = dialled(await one(store), Outcome.HUNG_UP, NOON)
    await store.outbound.lists.settle([first])
    second = dialled(await one(store, NOON + 200.0), Outcome.NO_ANSWER, NOON + 200.0)
    await store.outbound.lists.settle([second])
    await store.outbound.lists.settle([msgspec.structs.replace(first, disposition="sold")])
    assert (await store.outbound.records.get(first.record)).stage == "retry"
    newest, oldest = await store.outbound.records.attempts_of(first.record)
    assert (newest.disposition, oldest.disposition) == ("", "sold")


async def test_numbers_are_tried_one_after_the_other(store: Store) -> None:
    soon = {Outcome.NO_ANSWER: Retry(after_s=60.0, times=9)}
    await given(store, [new_york(1), new_york(2), new_york(3)], retries=soon)
    seen, at = [], NOON
    outcomes = [Outcome.NO_ANSWER, Outcome.INVALID_NUMBER, Outcome.NO_ANSWER, Outcome.NO_ANSWER]
    for outcome in outcomes:
        candidate = await one(store, at)
        seen.append(candidate.number)
        await store.outbound.lists.settle([dialled(candidate, outcome, at)])
        at += 120.0
    assert seen == [new_york(1), new_york(2), new_york(3), new_york(1)]
    record = await store.outbound.records.get(candidate.record)
    assert [number.dead for number in record.numbers] == [False, True, False]
    assert record.numbers[record.position].number == new_york(3)


async def test_who_opts_out_is_called_by_nobody_any_more(store: Store) -> None:
    await given(store, [new_york(1)], [new_york(2), new_york(1)])
    spring = settings(name=CampaignName("spring"))
    await store.outbound.campaigns.create(spring, at=NOON, by="ann")
    await listed(store, [[new_york(1)], [new_york(1), new_york(3)]], spring)
    await store.outbound.lists.settle([dialled(await one(store), Outcome.OPTED_OUT, NOON)])
    (entry,) = await store.outbound.do_not_call.find("(212) 555-0101", NOON)
    assert (entry.scope, entry.source) == ("centre", "opt-out")
    found = await store.outbound.lists.claim(spring.name, NOON, 9)
    assert [candidate.number for candidate in found] == [new_york(3)]
    blocked = await store.outbound.records.page(spring.name, state=RecordState.BLOCKED)
    assert [record.name for record in blocked] == ["Person 0"]
    assert (await one(store)).number == new_york(2)


async def test_a_number_that_is_forbidden_in_hand_is_blocked_when_it_comes_back(
    store: Store,
) -> None:
    await given(store, [new_york(1)])
    candidate = await one(store)
    await store.outbound.lists.forbid(new_york(1), campaign=WINTER, reason="asked the agent")
    await store.outbound.lists.settle([dialled(candidate, Outcome.NO_ANSWER, NOON)])
    record = await store.outbound.records.get(candidate.record)
    assert (record.stage, record.attempts) == ("do-not-call", 1)


async def test_what_expires_or_is_taken_off_the_list_may_be_called_again(store: Store) -> None:
    await given(store, [new_york(1)], [new_york(2)])
    lists = store.outbound.do_not_call
    numbers = ["(212) 555-0101", "212-555-0102"]
    added = await lists.add(
        numbers, campaign=None, reason="moved", source="agent", by="ann", at=NOON, until=NOON + 60.0
    )
    assert added == 2
    assert await store.outbound.lists.claim(WINTER, NOON, 9) == []
    await lists.add(
        [new_york(2)], campaign=WINTER, reason="asked", source="agent", by="ann", at=NOON
    )
    found = await store.outbound.lists.claim(WINTER, NOON + 61.0, 9)
    assert [candidate.number for candidate in found] == [new_york(1)]
    assert await lists.remove(new_york(2), campaign=WINTER, by="ann", at=NOON + 62.0)
    assert not await lists.remove(new_york(2), campaign=WINTER, by="ann", at=NOON + 62.0)
    found = await store.outbound.lists.claim(WINTER, NOON + 63.0, 9)
    assert [candidate.number for candidate in found] == [new_york(2)]
    assert await lists.counts() == {"centre": 2, "national": 0}


async def test_what_is_no_number_is_forbidden_for_nobody(store: Store) -> None:
    with pytest.raises(BadRecord, match="'12' is not a telephone number"):
        await store.outbound.lists.forbid("12", campaign=None, reason="")
    with pytest.raises(BadRecord, match="nothing was changed"):
        await store.outbound.do_not_call.add(
            [new_york(1), "junk"], campaign=None, reason="", source="", by="", at=NOON
        )
    assert await store.outbound.do_not_call.page() == []


async def test_attempts_of_lists_that_are_gone_are_kept(store: Store) -> None:
    await given(store, [new_york(1)])
    candidate = await one(store)
    await store.outbound.campaigns.delete(WINTER, at=NOON, by="ann")
    await store.outbound.lists.settle([dialled(candidate, Outcome.NO_ANSWER, NOON)])
    (kept,) = await store.outbound.records.attempts(campaign=WINTER)
    assert kept.number == new_york(1)
    with pytest.raises(NotStored):
        await store.outbound.records.get(candidate.record)


async def test_strange_ids_do_no_harm(store: Store) -> None:
    await given(store, [new_york(1)])
    for strange in ("", "x", "-1", "9" * 30, "1; DROP TABLE attempt", "１"):
        await store.outbound.lists.release([Held(RecordId(strange), 1)], at=NOON)
        attempt = Attempt(
            id=AttemptId(f"odd-{strange}"),
            campaign=WINTER,
            record=RecordId(strange),
            number=new_york(1),
            caller_id="",
            mode=Mode.MANUAL,
            dialled_at=NOON,
            why="",
            outcome=Outcome.BUSY,
            ended_at=NOON,
        )
        await store.outbound.lists.settle([attempt])
    assert len(await store.outbound.records.attempts()) == 6


async def test_records_that_are_done_can_be_recycled(store: Store) -> None:
    await given(store, [new_york(1)], [new_york(2)], limits=Limits(attempts=1))
    first, second = await store.outbound.lists.claim(WINTER, NOON, 2)
    await store.outbound.lists.settle(
        [dialled(first, Outcome.NO_ANSWER, NOON), dialled(second, Outcome.OPTED_OUT, NOON)]
    )
    both = [first.record, second.record]
    assert await store.outbound.records.retry(both, at=NOON, by="ann", fresh=True) == 1
    assert (await one(store, NOON + 2.0)).record == first.record


async def test_a_regulator_gets_a_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_store.outbound.records._EXPORTED_AT_ONCE", 3)
    await given(store, *([new_york(n)] for n in range(8)))
    found = await store.outbound.lists.claim(WINTER, NOON, 8)
    attempts = [dialled(each, Outcome.BUSY, NOON + index // 2) for index, each in enumerate(found)]
    attempts[3] = msgspec.structs.replace(attempts[3], reason="=SUM(A1)", disposition='a "b"\nc')
    attempts[4] = msgspec.structs.replace(
        attempts[4], outcome=Outcome.AGENT_GONE, reason="not-now", caller_id="", trunk=""
    )
    await store.outbound.lists.settle(attempts)
    records: Records = store.outbound.records
    pieces = [piece async for piece in records.export(campaign=WINTER, until=NOON + 3.0)]
    rows = list(csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))
    assert [row["number"] for row in rows] == [new_york(n) for n in range(6)]
    assert rows[0]["dialled_at"] == "2026-11-24T13:00:00.000Z"
    assert rows[0]["why"].endswith("rules 1")
    assert [row["is_dialled"] for row in rows] == ["yes"] * 4 + ["no", "yes"], "one was only read"
    assert (rows[3]["reason"], rows[3]["disposition"]) == ("'=SUM(A1)", 'a "b"\nc')
    assert "judged" not in rows[0], "kilobytes that make the file unreadable"
    asked_for = [piece async for piece in records.export(campaign=WINTER, with_judged=True)]
    assert ",judged," in asked_for[0].decode("utf-8-sig").partition("\r\n")[0]


async def test_a_regulator_sees_who_was_abandoned_and_opted_out_then(store: Store) -> None:
    await given(store, *([new_york(n)] for n in range(4)))
    found = await store.outbound.lists.claim(WINTER, NOON, 4)
    greeting = {"answered_at": NOON + 8.0, "greeting_ended_at": NOON + 9.5}
    message = {**greeting, "message_began_at": NOON + 11.25}
    attempts = [
        dialled(found[0], Outcome.ABANDONED, NOON, **message),
        dialled(found[1], Outcome.OPTED_OUT, NOON + 1.0, **message),
        dialled(found[2], Outcome.OPTED_OUT, NOON + 2.0, mode=Mode.ANNOUNCEMENT, **message),
        dialled(found[3], Outcome.CONNECTED, NOON + 3.0, **greeting),
    ]
    await store.outbound.lists.settle(attempts)
    assert [row["is_abandoned"] for row in await _exported(store)] == ["yes", "yes", "no", "no"]
    abandoned = await _exported(store, outcome=Outcome.ABANDONED)
    assert [row["outcome"] for row in abandoned] == ["abandoned", "opted-out"]
    for row in abandoned:
        assert row["greeting_ended_at"] == "2026-11-24T13:00:09.500Z"
        assert row["message_began_at"] == "2026-11-24T13:00:11.250Z", "within two seconds"
    shown = await store.outbound.records.attempts(outcome=Outcome.ABANDONED)
    assert [each.outcome for each in shown] == ["opted-out", "abandoned"]


async def _exported(store: Store, **which: Any) -> list[dict[str, str]]:
    pieces = [piece async for piece in store.outbound.records.export(campaign=WINTER, **which)]
    return list(csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))


async def test_a_regulator_is_told_of_no_call_that_was_not_made(store: Store) -> None:
    await given(store, [new_york(1)], [new_york(2)])
    read, called = await store.outbound.lists.claim(WINTER, NOON, 2)
    skipped = dialled(read, Outcome.AGENT_GONE, NOON, caller_id="", reason="not-now")
    cancelled = dialled(called, Outcome.CANCELLED, NOON + 1.0, trunk="out")
    await store.outbound.lists.settle([skipped, cancelled])
    pieces = [piece async for piece in store.outbound.records.export(campaign=WINTER)]
    rows = list(csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))
    assert [bool(row["dialled_at"]) for row in rows] == [False, True]
    assert [bool(row["local_time"]) for row in rows] == [False, True]
    assert (rows[0]["outcome"], rows[0]["reason"]) == ("agent-gone", "not-now")


async def test_the_law_s_counts_come_back_by_hour(store: Store) -> None:
    outcomes = [
        (Outcome.CONNECTED, ""),
        (Outcome.CONNECTED, "machine"),
        (Outcome.ABANDONED, ""),
        (Outcome.OPTED_OUT, ""),
        (Outcome.BUSY, ""),
        (Outcome.MACHINE, ""),
        (Outcome.HUNG_UP, ""),
    ]
    people = [[new_york(index)] for index in range(len(outcomes))]
    await given(store, *people, machine_dispositions=("machine",))
    for candidate, (outcome, said) in zip(
        await store.outbound.lists.claim(WINTER, NOON, 9), outcomes, strict=True
    ):
        at = NOON + (HOUR if outcome is Outcome.HUNG_UP else 0.0)
        doubt = 0.25 if outcome is Outcome.MACHINE else 0.0
        attempt = dialled(candidate, outcome, at, disposition=said, doubt=doubt)
        await store.outbound.lists.settle([attempt])
    history = await store.outbound.campaigns.history(WINTER, since=NOON - 1.0, midnight=NOON)
    assert history.counted == [
        (NOON, Counts(live=3.25, abandoned=2.25, connected=2.0, reported=1.0)),
        (NOON + HOUR, Counts(live=1.0)),
    ]
    assert history.totals[Outcome.CONNECTED] == 2


async def test_what_goes_on_is_left_out_of_what_was_counted(store: Store) -> None:
    await given(store, [new_york(1)], [new_york(2)])
    done = [
        dialled(each, Outcome.CONNECTED, NOON)
        for each in await store.outbound.lists.claim(WINTER, NOON, 9)
    ]
    await store.outbound.lists.settle(done)
    history = await store.outbound.campaigns.history(
        WINTER, since=NOON - 1.0, midnight=NOON, without=[done[0].id]
    )
    assert history.totals == history.today == {Outcome.CONNECTED: 1}
    assert history.counted == [(NOON, Counts(live=1.0, connected=1.0))]


async def test_what_was_heard_is_kept_when_the_outcome_is_chosen_at_once(store: Store) -> None:
    await given(store, [new_york(1)])
    over = dialled(await one(store), Outcome.CONNECTED, NOON, judged="what was heard")
    chosen = msgspec.structs.replace(over, judged="", disposition="sale")
    await store.outbound.lists.settle([over, chosen])
    (kept,) = await store.outbound.records.attempts(campaign=WINTER)
    assert (kept.judged, kept.disposition) == ("what was heard", "sale")


async def test_who_opts_out_of_a_campaign_that_is_gone_is_not_called_again(store: Store) -> None:
    await given(store, [new_york(1)])
    candidate = await one(store)
    await store.outbound.campaigns.delete(WINTER, at=NOON, by="ann")
    await store.outbound.lists.settle([dialled(candidate, Outcome.OPTED_OUT, NOON)])
    (entry,) = await store.outbound.do_not_call.find(new_york(1), NOON + 60.0)
    assert (entry.source, entry.scope) == ("opt-out", "centre")


@pytest.mark.parametrize("is_late", [False, True])
async def test_who_tells_the_agent_never_to_call_again_is_called_by_nobody(
    store: Store, is_late: bool
) -> None:
    await given(store, [new_york(1)], do_not_call_dispositions=("never-again",))
    spring = settings(name=CampaignName("spring"))
    await store.outbound.campaigns.create(spring, at=NOON, by="ann")
    await listed(store, [[new_york(1)]], spring)
    talk = dialled(await one(store), Outcome.CONNECTED, NOON, agent=AgentId("1001"))
    if is_late:
        await store.outbound.lists.settle([talk])
    told = msgspec.structs.replace(talk, disposition="never-again")
    await store.outbound.lists.settle([told])
    assert (await store.outbound.records.get(talk.record)).stage == "opted-out"
    (entry,) = await store.outbound.do_not_call.find(new_york(1), NOON + 60.0)
    assert (entry.source, entry.by) == ("opt-out", "1001")
    assert await store.outbound.lists.claim(spring.name, NOON + 60.0, 1) == []


async def test_a_promise_stays_one_until_somebody_answers(store: Store) -> None:
    await given(store, [new_york(1)], limits=Limits(attempts=1, per_day=0, per_24_h=0))
    ann, then = AgentId("1001"), NOON + HOUR
    talk = dialled(
        await one(store),
        Outcome.CONNECTED,
        NOON,
        agent=ann,
        call_back_at=then,
        call_back_mine=True,
    )
    await store.outbound.lists.settle([talk])
    for outcome in (Outcome.CONGESTED, Outcome.NO_ANSWER):
        (mine,) = await store.outbound.lists.claim(WINTER, then + 60.0, 1, for_agent=ann)
        assert mine.why.startswith("call-back that was asked for; ")
        await store.outbound.lists.settle([dialled(mine, outcome, then)])
        then += 4 * HOUR
        assert await store.outbound.lists.claim(WINTER, then, 1) == []
    (mine,) = await store.outbound.lists.claim(WINTER, then + 60.0, 1, for_agent=ann)
    await store.outbound.lists.settle([dialled(mine, Outcome.CONNECTED, then)])
    assert (await store.outbound.records.get(talk.record)).stage == "reached"


async def test_a_new_campaign_does_not_show_what_another_of_its_name_dialled(store: Store) -> None:
    await given(store, [new_york(1)])
    first = dialled(await one(store), Outcome.NO_ANSWER, NOON)
    await store.outbound.lists.settle([first])
    await store.outbound.campaigns.delete(WINTER, at=NOON, by="ann")
    records = store.outbound.records
    assert [each.id for each in await records.attempts(campaign=WINTER)] == [first.id]
    await given(store, [new_york(2)])
    assert await records.attempts(campaign=WINTER) == []
    second = dialled(await one(store), Outcome.NO_ANSWER, NOON + 60.0)
    await store.outbound.lists.settle([second])
    assert [each.id for each in await records.attempts(campaign=WINTER)] == [second.id]
    assert len(await records.attempts(number=new_york(1))) == 1


async def test_what_is_chosen_long_after_a_talk_is_kept_and_frees_nobody_s_claim(
    store: Store,
) -> None:
    again = {"later": Retry(after_s=HOUR)}
    await given(store, [new_york(1)], retry_dispositions=again, do_not_call_dispositions=("never",))
    lists, records = store.outbound.lists, store.outbound.records
    candidate = await one(store)
    promise = NOON + 3 * HOUR
    first = dialled(candidate, Outcome.CONNECTED, NOON, agent="1001", connected_at=NOON + 9.0)
    told = first.chosen("", promise, mine=True)
    await lists.settle([told])
    kept = await records.attempt(first.id)
    assert kept == msgspec.structs.replace(told, claim=GIVEN_BACK)
    await lists.settle([kept.chosen("later", None, mine=False)])
    record = await records.get(candidate.record)
    assert (record.stage, record.due_at, record.call_back_agent) == ("call-back", promise, "1001")
    assert await lists.claim(WINTER, promise, 1, for_agent=AgentId("1001"))
    kept = await records.attempt(first.id)
    assert kept is not None
    await lists.settle([kept.chosen("never", None, mine=False)])
    (entry,) = await store.outbound.do_not_call.find(new_york(1), promise)
    assert entry.source == "opt-out"
    (held,) = await records.page(WINTER, state=RecordState.CLAIMED)
    assert held.id == candidate.record
    assert await lists.renew([Held(held.id, 0)], at=promise) == {}
    assert await records.attempt("i-0") is None


async def test_an_abandoned_number_is_locked_from_the_end_of_the_call_on(store: Store) -> None:
    soon = {Outcome.ABANDONED: Retry(after_s=HOUR, times=3, next_number=False)}
    await given(store, [new_york(1)], retries=soon)
    attempt = dialled(await one(store), Outcome.ABANDONED, NOON)
    await store.outbound.lists.settle([attempt])
    assert (await one(store, attempt.ended_at + 72 * HOUR - 1.0)).needs_agent
