from __future__ import annotations

import msgspec
import pytest

from crm_store.facts import CallLegFilter
from crm_store.journal import encode_row
from crm_store.rows import ROW_KINDS, CallLegRow
from crm_store.store import Store

FULL = CallLegRow(
    leg_id="leg-1",
    call_id="call-1",
    sip_call_id="abc@example.com",
    interaction_id="contact-1",
    direction="in",
    caller="+12025550109",
    called="4000",
    phone=None,
    trunk="carrier",
    started=1000.25,
    rang=1001.0,
    answered=1002.5,
    ended=1060.0,
    result="completed",
    reason="caller-hung-up",
    status=200,
    q850=16,
    ended_by="peer",
    codec="PCMU",
    user_agent="phone 1.0",
    linked_call="call-0",
    recording_id="recording-1",
    attended="boss: monitor, barge",
    packets_received=2900,
    packets_sent=2901,
    packets_lost=3,
    remote_lost=1,
    jitter_ms=1.5,
    rtt_ms=20.0,
    mos=4.2,
)


def leg(number: int, **changes: object) -> CallLegRow:
    row = CallLegRow(
        leg_id=f"leg-{number:04}",
        call_id=f"call-{number // 2:04}",
        direction="in" if number % 2 == 0 else "out",
        caller=f"+1202555{100 + number % 5:04}",
        called="4000",
        started=1000.0 + number // 4,  # some begin at the same moment
        ended=1100.0 + number,
        result="completed",
        reason="caller-hung-up",
    )
    return msgspec.structs.replace(row, **changes)


async def kept(store: Store, *rows: CallLegRow) -> None:
    for row in rows:
        store.history.append(row)
    await store.history.flush()


async def test_a_leg_comes_back_as_it_was_written(store: Store) -> None:
    await kept(store, FULL)
    (found,) = await store.call_legs(CallLegFilter())
    for name in FULL.__struct_fields__:
        assert getattr(found, name) == getattr(FULL, name), name


async def test_a_refused_call_has_few_fields(store: Store) -> None:
    row = CallLegRow(
        leg_id="leg-9",
        call_id="call-9",
        direction="in",
        started=5.0,
        ended=5.0,
        result="rejected",
        reason="unknown-number",
        status=404,
    )
    await kept(store, row)
    (found,) = await store.call_legs(CallLegFilter(result="rejected"))
    assert (found.status, found.answered, found.mos, found.phone) == (404, None, None, None)


async def test_writing_twice_changes_nothing_and_the_later_row_counts(store: Store) -> None:
    await kept(store, FULL, FULL, msgspec.structs.replace(FULL, mos=3.0))
    (found,) = await store.call_legs(CallLegFilter())
    assert found.mos == 3.0


async def test_pages_follow_each_other_without_gaps(store: Store) -> None:
    await kept(store, *(leg(number) for number in range(50)))
    seen: list[str] = []
    after = None
    while page := await store.call_legs(CallLegFilter(), limit=7, after=after):
        seen += [each.leg_id for each in page]
        after = (page[-1].started, page[-1].leg_id)
    assert seen == [f"leg-{number:04}" for number in reversed(range(50))]
    assert await store.count_call_legs(CallLegFilter()) == 50


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (CallLegFilter(since=1005.0), 20),
        (CallLegFilter(until=1005.0), 20),
        (CallLegFilter(since=1003.0, until=1004.0), 4),
        (CallLegFilter(number="+12025550101"), 8),
        (CallLegFilter(number="1001"), 1),
        (CallLegFilter(call_id="call-0003"), 2),
        (CallLegFilter(direction="out", number="4000"), 20),
        (CallLegFilter(trunk="carrier"), 2),
        (CallLegFilter(phone="1001"), 1),
        (CallLegFilter(result="busy"), 3),
        (CallLegFilter(interaction_id="contact-7"), 1),
        (CallLegFilter(number="' OR 1=1 --"), 0),
    ],
)
async def test_filters(store: Store, wanted: CallLegFilter, count: int) -> None:
    rows = [leg(number) for number in range(40)]
    rows[0] = leg(0, trunk="carrier", phone="1001", interaction_id="contact-7")
    rows[1] = leg(1, trunk="carrier")
    for number in (5, 6, 7):
        rows[number] = leg(number, result="busy")
    await kept(store, *rows)
    assert await store.count_call_legs(wanted) == count
    assert len(await store.call_legs(wanted, limit=100)) == count


async def test_old_ones_are_dropped_in_pieces(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_store.store._DROPPED_AT_ONCE", 3)
    await kept(store, *(leg(number) for number in range(40)))
    assert await store.drop_call_legs(1005.0) == 20
    assert await store.count_call_legs(CallLegFilter()) == 20
    assert await store.drop_call_legs(1005.0) == 0


async def test_what_does_not_fit_is_cut(store: Store) -> None:
    await kept(store, leg(1, caller="9" * 200, user_agent="x" * 500, sip_call_id="c" * 999))
    (found,) = await store.call_legs(CallLegFilter())
    assert (len(found.caller), len(found.user_agent), len(found.sip_call_id)) == (80, 128, 256)


def test_a_leg_can_wait_in_the_journal() -> None:
    kind, raw = msgspec.json.decode(encode_row(FULL), type=tuple[str, msgspec.Raw])
    assert msgspec.json.decode(raw, type=ROW_KINDS[kind]) == FULL
