from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from acd.dialer.model import Outcome, RecordState
from acd.dialer.settings import Limits, RegionCap, Retry, Window
from crm_store.errors import BadRecord, NotStored
from crm_store.facts import CustomerDraft
from crm_store.outbound.views import BatchState, BatchView, Progress, Target
from crm_store.store import Store
from tests.crm_store.outbound.people import NOON, WINTER, dialled, given, new_york

LIST = """name,phone,phone 2,city
Ann,(212) 555-0101,212-555-0111,Bath
Bob,212.555.0102,,York
Ann again,+1 212 555 0101,,Bath
nobody,,,
Cy,12,,York
Dee,212-555-0101,212-555-0104,York
Eve,2125550105,,Bath
"""


def file_of(tmp_path: Path, text: str, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


async def run(store: Store, path: Path, **more: Any) -> BatchView:
    return await store.outbound.imports.run(WINTER, path, by="ann", at=NOON, **more)


async def test_a_list_is_imported_and_what_is_refused_comes_back(
    store: Store, tmp_path: Path
) -> None:
    await given(store)
    customer = await store.create_customer(CustomerDraft(name="Bob", phones=("2125550102",)))
    await store.outbound.lists.forbid("2125550105", campaign=None, reason="asked")
    told: list[Progress] = []
    errors = tmp_path / "errors.csv"
    batch = await run(
        store, file_of(tmp_path, LIST), name="may.csv", errors=errors, progress=told.append
    )
    assert (batch.file, batch.state, batch.by) == ("may.csv", BatchState.DONE, "ann")
    assert (batch.rows, batch.added, batch.duplicates, batch.refused) == (7, 4, 1, 2)
    assert batch.blocked == 1
    assert (told[-1].rows, told[-1].added, told[-1].share) == (7, 4, 1.0)
    records = await store.outbound.records.page(WINTER)
    assert [
        (record.name, [number.number for number in record.numbers], record.state)
        for record in records
    ] == [
        ("Ann", [new_york(1), new_york(11)], RecordState.READY),
        ("Bob", [new_york(2)], RecordState.READY),
        ("Dee", [new_york(4)], RecordState.READY),
        ("Eve", [new_york(5)], RecordState.BLOCKED),
    ]
    assert records[1].customer_id == customer.customer_id
    assert records[0].facts == {"city": "Bath"}
    with errors.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == [
        f"row of import {batch.id}",
        "import reason",
        "name",
        "phone",
        "phone 2",
        "city",
    ]
    reasons = {row[2]: (row[0], row[1]) for row in rows[1:]}
    assert reasons == {
        "nobody": ("5", "there is no number"),
        "Cy": ("6", "'12' is not a telephone number (country: US)"),
        "Ann again": ("4", "'+12125550101 stands in the file before"),
        "Eve": ("8", "on the do-not-call list: asked"),
    }
    again = await run(store, file_of(tmp_path, LIST))
    assert (again.added, again.duplicates) == (0, 5)


async def test_rules_of_the_number_and_of_the_list_s_region_count(
    store: Store, tmp_path: Path
) -> None:
    windows = (Window(), Window(end="20:00", region="US-FL"), Window(end="19:00", region="US-TX"))
    limits = Limits(
        attempts=0, per_day=0, per_24_h=0, by_region=(RegionCap(region="US-FL", per_24_h=1),)
    )
    again = {Outcome.NO_ANSWER: Retry(after_s=60.0)}
    await given(store, windows=windows, limits=limits, retries=again)
    await run(store, file_of(tmp_path, "phone,region code\n3055550100,TX\n"))
    (record,) = await store.outbound.records.page(WINTER)
    assert (record.numbers[0].region, record.numbers[0].zones) == (
        "US-FL US-TX",
        ("America/New_York",),
    )
    seven = NOON + 11 * 3600.0
    assert await store.outbound.lists.claim(WINTER, seven, 1) == [], "too late for Texas"
    (found,) = await store.outbound.lists.claim(WINTER, seven - 600.0, 1)
    assert found.until == seven
    assert "08:00-20:00 in US-FL and 08:00-19:00 in US-TX local, 18:50 there" in found.why
    assert "0 of 1 in 24 h" in found.why
    await store.outbound.lists.settle([dialled(found, Outcome.NO_ANSWER, seven - 600.0)])
    (attempt,) = await store.outbound.records.attempts(campaign=WINTER)
    assert (attempt.region, attempt.zone) == ("US-FL US-TX", "America/New_York")
    pieces = [piece async for piece in store.outbound.records.export(campaign=WINTER)]
    assert b",America/New_York,US-FL US-TX,winter," in b"".join(pieces)
    tomorrow = NOON + 24 * 3600.0
    assert await store.outbound.lists.claim(WINTER, tomorrow, 1) == [], "once in 24 h in Florida"


async def test_a_preview_shows_and_changes_nothing(store: Store, tmp_path: Path) -> None:
    await given(store, [new_york(2)])
    customer = await store.create_customer(CustomerDraft(name="Eve", phones=("2125550105",)))
    path = file_of(tmp_path, LIST)
    shown = await store.outbound.imports.preview(WINTER, path, rows=7)
    assert (shown.format, shown.encoding, shown.delimiter) == ("csv", "utf-8", ",")
    assert [column.target for column in shown.columns] == ["name", "phone", "phone", "fact"]
    assert [(row.name, [problem.code for problem in row.problems]) for row in shown.rows] == [
        ("Ann", []),
        ("Bob", ["duplicate-in-list"]),
        ("Ann again", ["duplicate-in-file"]),
        ("nobody", ["no-number"]),
        ("Cy", ["bad-number"]),
        ("Dee", ["duplicate-in-file"]),
        ("Eve", []),
    ]
    assert shown.rows[0].places == ("US-NY America/New_York",) * 2
    assert shown.rows[6].customer_id == customer.customer_id
    assert len(await store.outbound.records.page(WINTER)) == 1
    mapped = await store.outbound.imports.preview(
        None, path, mapping={"city": Target.NAME, "A": Target.IGNORE}, region="GB", rows=1
    )
    assert (mapped.rows[0].name, mapped.rows[0].facts) == ("Bath", {})


async def test_a_file_without_numbers_is_shown_and_not_imported(
    store: Store, tmp_path: Path
) -> None:
    await given(store)
    path = file_of(tmp_path, "name,city\nAnn,Bath\n")
    shown = await store.outbound.imports.preview(WINTER, path)
    (said,) = (each.words for each in shown.problems if not each.row)
    assert 'say which one does (--map "COLUMN=phone", mapping). It has: name, city' in said
    with pytest.raises(BadRecord, match="no column of the file holds telephone numbers"):
        await run(store, path)
    with pytest.raises(NotStored):
        await store.outbound.imports.run(
            type(WINTER)("nobody"), file_of(tmp_path, LIST), by="ann", at=NOON
        )
    assert await store.outbound.imports.batches() == []


async def test_an_import_that_was_not_looked_at_before_tells_what_to_know_of_its_file(
    store: Store, tmp_path: Path
) -> None:
    await given(store)
    text = "name,phone,Telefon\nAnn,none,2125550101\n"
    batch = await run(store, file_of(tmp_path, text))
    assert (batch.refused, batch.state) == (1, "done")
    assert 'say that it is a phone (--map "Telefon=phone", mapping)' in batch.note
    mended = await run(store, file_of(tmp_path, LIST))
    assert mended.note == ""
    nobody = await run(store, file_of(tmp_path, "name,phone\n"))
    assert nobody.note == "below its headers the file has no rows"
    torn = await run(store, file_of(tmp_path, 'name,phone\n"Ann,2125550101\n'))
    assert (torn.refused, torn.note) == (1, ""), "its one row is told with its own reason"


async def test_an_import_is_taken_back_except_for_who_was_dialled(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_store.outbound.batches._UNDONE_AT_ONCE", 3)
    await given(store, [new_york(99)])
    rows = "".join(f"P{n},{2125550100 + n}\n" for n in range(12))
    batch = await run(store, file_of(tmp_path, "name,phone\n" + rows))
    assert [found.added for found in await store.outbound.imports.batches(WINTER)] == [12]
    found = await store.outbound.lists.claim(WINTER, NOON, 4)
    await store.outbound.lists.settle([dialled(each, Outcome.BUSY, NOON) for each in found[:3]])
    undone = await store.outbound.imports.undo(batch.id, at=NOON, by="bob")
    assert (undone.removed, undone.remained) == (9, 3)
    assert undone.why == "2 were dialled, 1 in the dialer's hands now"
    (after,) = await store.outbound.imports.batches(WINTER)
    assert (after.state, after.remaining) == (BatchState.UNDONE, 3)
    assert (await store.outbound.campaigns.penetration(WINTER)).total == 4
    again = await run(store, file_of(tmp_path, "name,phone\n" + rows))
    assert (again.added, again.duplicates) == (9, 3)
    with pytest.raises(NotStored):
        await store.outbound.imports.undo(99, at=NOON, by="bob")


async def test_who_was_only_shown_to_an_agent_is_taken_back_as_well(
    store: Store, tmp_path: Path
) -> None:
    await given(store, [new_york(99)])
    rows = "".join(f"P{n},{2125550100 + n}\n" for n in range(4))
    batch = await run(store, file_of(tmp_path, "name,phone\n" + rows))
    listed = {f"+1{2125550100 + n}" for n in range(4)}
    claimed = await store.outbound.lists.claim(WINTER, NOON, 5)
    shown, tried, *_ = mine = [each for each in claimed if each.number in listed]
    assert len(mine) == 4
    await store.outbound.lists.settle(
        [
            dialled(shown, Outcome.AGENT_GONE, NOON, caller_id="", reason="not-now"),
            dialled(tried, Outcome.CONGESTED, NOON, trunk="carrier"),
        ]
    )
    undone = await store.outbound.imports.undo(batch.id, at=NOON, by="bob")
    assert (undone.removed, undone.remained) == (1, 3)
    assert undone.why == "1 was dialled, 2 in the dialer's hands now"


async def test_a_file_that_breaks_off_leaves_what_was_read_and_says_so(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_store.outbound.list_file._AT_ONCE", 4)
    monkeypatch.setattr("crm_store.outbound.csv_sheet.MOST_ROWS", 62)
    await given(store)
    rows = "".join(f"P{n},{2125550100 + n}\n" for n in range(70))
    with pytest.raises(BadRecord, match="more than 62 rows"):
        await run(store, file_of(tmp_path, "name,phone\n" + rows))
    (batch,) = await store.outbound.imports.batches()
    assert (batch.state, batch.added) == (BatchState.FAILED, 60)
    assert "more than 62 rows" in batch.note
    assert (await store.outbound.imports.undo(batch.id, at=NOON, by="ann")).removed == 60


async def test_a_national_list_replaces_the_one_before(store: Store, tmp_path: Path) -> None:
    await given(store, [new_york(1)], [new_york(2)], [new_york(3)])
    lists = store.outbound.do_not_call
    errors = tmp_path / "errors.csv"
    first = await lists.run(
        file_of(tmp_path, "212,5550101\n212,5550102\n212,12\n"),
        by="ann",
        at=NOON,
        national=True,
        errors=errors,
    )
    assert (first.campaign, first.added, first.refused) == (None, 2, 1)
    assert "3,there is no number,212,12" in errors.read_text(encoding="utf-8-sig")
    found = await store.outbound.lists.claim(WINTER, NOON, 9)
    assert [candidate.number for candidate in found] == [new_york(3)]
    second = file_of(tmp_path, "phone\n2125550102\n2125550109\n")
    await lists.run(second, by="ann", at=NOON, national=True)
    found = await store.outbound.lists.claim(WINTER, NOON + 1.0, 9)
    assert [candidate.number for candidate in found] == [new_york(1)]
    assert await lists.counts() == {"centre": 0, "national": 2}
    assert all(each.is_national for each in await store.outbound.imports.batches())
    assert [each.number for each in await lists.page(national=True)] == [new_york(2), new_york(9)]
    own = await lists.run(file_of(tmp_path, "2125550101\n"), by="ann", at=NOON)
    assert (own.added, own.duplicates) == (1, 0)
    (entry,) = await lists.page()
    assert (entry.number, entry.reason, entry.batch) == (
        new_york(1),
        "imported from list.csv",
        own.id,
    )


@pytest.mark.parametrize("text", ["phone\n", "phone\njunk\n", "phone\n2125550101\n"])
async def test_a_national_list_that_was_cut_short_takes_nobody_off(
    store: Store, tmp_path: Path, text: str
) -> None:
    lists = store.outbound.do_not_call
    whole = "phone\n2125550101\n2125550102\n"
    await lists.run(file_of(tmp_path, whole), by="ann", at=NOON, national=True)
    done = await lists.run(file_of(tmp_path, text), by="ann", at=NOON, national=True)
    assert "had 2 numbers" in done.note
    assert done.state is BatchState.FAILED  # whoever waits for it must not believe it
    assert (await lists.counts())["national"] == 2
    done = await lists.run(
        file_of(tmp_path, text), by="ann", at=NOON, national=True, may_shrink=True
    )
    assert done.state is BatchState.DONE
    assert "of the list before are on it no more" in done.note
    assert (await lists.counts())["national"] == text.count("2125550101")


async def test_a_do_not_call_file_without_numbers_is_told_by_what_that_command_knows(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(BadRecord, match=r"head the one that does `phone`\. It has: name, city, x"):
        await store.outbound.do_not_call.run(
            file_of(tmp_path, "name,city,x\nAnn,Bath,y\n"), by="ann", at=NOON
        )


async def test_a_list_gives_records_to_agents_who_exist_alone(store: Store, tmp_path: Path) -> None:
    await given(store)
    file = file_of(tmp_path, "phone,agent\n2125550101,1001\n2125550102,9999\n2125550103,\n")
    shown = await store.outbound.imports.preview(WINTER, file, agents={"1001"})
    assert [each.code for row in shown.rows for each in row.problems] == ["unknown-agent"]
    done = await store.outbound.imports.run(WINTER, file, by="ann", at=NOON, agents={"1001"})
    assert (done.added, done.refused) == (2, 1)


async def test_refused_rows_that_were_mended_are_read_as_the_list_that_they_are_of(
    store: Store, tmp_path: Path
) -> None:
    await given(store)
    errors = tmp_path / "errors.csv"
    text = "who,phone,Door,city\nAnn,2125550101,2125550111,Bath\nBob,12,x,York\n"
    told = {"who": Target.NAME, "Door": Target.PHONE}
    first = await run(store, file_of(tmp_path, text), mapping=told, errors=errors)
    refused = errors.read_text(encoding="utf-8-sig")
    assert f"row of import {first.id},import reason,who,phone,Door,city" in refused
    errors.write_text(refused.replace("12,x", "2125550102,2125550112", 1), encoding="utf-8")
    shown = await store.outbound.imports.preview(WINTER, errors)
    assert [(each.name, each.numbers, dict(each.facts)) for each in shown.rows] == [
        ("Bob", (new_york(2), new_york(12)), {"city": "York"})
    ]
    assert (await run(store, errors)).added == 1
    again = await run(store, errors, mapping={"city": Target.NAME, "who": Target.FACT})
    assert again.duplicates == 1  # what is told now counts before


async def test_a_row_with_too_many_cells_has_its_reason_below_that_heading(
    store: Store, tmp_path: Path
) -> None:
    await given(store)
    errors = tmp_path / "errors.csv"
    text = "name,phone\nAnn,2125550101\nBob,2125550102,x,y,z\nCy,2125550103\n"
    first = await run(store, file_of(tmp_path, text), errors=errors)
    with errors.open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row[f"row of import {first.id}"], row["name"]) == ("3", "Bob")
    assert row["import reason"] == "5 cells, but 2 columns"
    mended = errors.read_text(encoding="utf-8-sig").replace(",x,y,z", "")
    errors.write_text(mended, encoding="utf-8")
    assert (await run(store, errors)).added == 1


@pytest.mark.parametrize("region", ["ZZ", "USA", "england"])
async def test_numbers_are_read_as_of_a_country_that_there_is(
    store: Store, tmp_path: Path, region: str
) -> None:
    await given(store)
    with pytest.raises(BadRecord, match="is no country: give two letters"):
        await run(store, file_of(tmp_path, LIST), region=region)
    with pytest.raises(BadRecord, match="is no country"):
        await store.outbound.do_not_call.run(
            file_of(tmp_path, "2125550101\n"), by="ann", at=NOON, region=region
        )
