from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import TextClause, insert, text

from acd.dialer.compliance_places import place_of
from crm_store.database import Database
from crm_store.errors import BadRecord, StoreUnavailable
from crm_store.migrating import config_of
from crm_store.models.tables import PLACE
from crm_store.outbound.places import PlaceBook
from crm_store.schema_version import check, newest_version, upgrade
from crm_store.store import Store


async def test_an_empty_database_is_brought_up_to_date_and_stays_so(empty_url: str) -> None:
    first = await upgrade(empty_url)
    assert first.is_current, first.differences
    assert (await upgrade(empty_url)).is_current
    assert (await check(empty_url)).is_current


async def test_the_newest_version_by_name_is_the_newest_by_content(empty_url: str) -> None:
    assert (await upgrade(empty_url)).current == newest_version()


def test_a_database_that_is_up_to_date_needs_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    asyncio.run(upgrade(url))
    program = (
        "import asyncio, sys; from crm_store.schema_version import bring_up_to_date; "
        f"asyncio.run(bring_up_to_date({url!r})); print('alembic' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


async def test_customers_of_the_first_version_are_found_by_name_after_the_upgrade(
    empty_url: str, tmp_path: Path
) -> None:
    database = Database(empty_url)
    database.create_file()
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config_of(sync), "0001"))
        rows = [
            {"id": f"c-{n:04}", "name": f"Zoë {n}", "company": "Süd" if n else "东方花园"}
            for n in range(1_203)
        ]
        await connection.execute(
            text(
                "INSERT INTO customer VALUES (:id, 'person', :name, :company, :name, '', '', '', "
                "NULL, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')"
            ),
            rows,
        )
    await database.close()
    assert (await upgrade(empty_url)).is_current
    store = await Store.open(empty_url, data_dir=None)
    try:
        assert [c.name for c in await store.find_by_name("sud zoe 1202")] == ["Zoë 1202"]
        assert [c.name for c in await store.find_by_name("花园")] == ["Zoë 0"]
    finally:
        await store.close()


async def test_places_of_former_versions_have_one_region(empty_url: str) -> None:
    database = Database(empty_url)
    database.create_file()
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config_of(sync), "0006"))
        await connection.execute(
            text(
                "INSERT INTO outbound_place (region, zones) "
                "VALUES ('US-FL', 'America/New_York'), ('', 'America/New_York')"
            )
        )
    await database.close()
    assert (await upgrade(empty_url)).is_current
    database = Database(empty_url)
    florida, both = place_of("+13055550100"), place_of("+13055550100", region="US-TX")
    try:
        ids = await database.work(lambda connection: PlaceBook().ids(connection, (florida, both)))
        places = await database.look(
            lambda connection: PlaceBook().places(connection, (1, 2, ids[both]))
        )
        await database.work(
            lambda connection: connection.execute(
                insert(PLACE).values(region="GB-ABC GB-ABD US-FL US-TX", zones="")
            )
        )
    finally:
        await database.close()
    assert ids[florida] == 1, "it is the one that was there"
    assert [places[each].regions for each in (1, 2, ids[both])] == [
        ("US-FL",),
        (),
        ("US-FL", "US-TX"),
    ]


FLORIDA, NEW_YORK, TORONTO = "+13055550100", "+12125550100", "+14165550100"
BATCHES = (
    (1, 1, '{"State": "region"}'),
    (2, 1, '{"Tel": "phone"}'),
    (3, 1, None),  # a copy of a list
    (4, None, None),  # do-not-call lists
    (5, None, None),
)
LISTED = (
    (1, 1, FLORIDA, 1),
    (2, 1, NEW_YORK, 2),
    (3, 1, TORONTO, 2),
    (4, 2, FLORIDA, 1),
    (5, 3, FLORIDA, 1),
)
"""Record, import, number, place."""


async def with_former_lists(url: str) -> None:
    """A database of 0008 with lists of before 0007, whose places have the list's region alone."""
    database = Database(url)
    database.create_file()
    mapping = ":mapping" if database.is_sqlite else "CAST(:mapping AS json)"
    batch = text(
        "INSERT INTO outbound_batch (id, campaign_id, mapping, file, state, at, by, rows, added,"
        f" duplicates, refused, blocked, note) VALUES (:id, :campaign, {mapping}, '', 'done', 0, '',"
        " 0, 0, 0, 0, 0, '')"
    )
    record = text(
        "INSERT INTO outbound_record (id, campaign_id, batch_id, name, facts, priority, stage,"
        " place_id, rank, position, number, is_promised, attempts, counts, last_outcome,"
        " last_disposition) VALUES (:id, 1, :batch, '', '{}', 0, 'ready', :place, :id, 0, :number,"
        " false, 0, '{}', '', '')"
    )
    number = text("INSERT INTO outbound_number VALUES (:id, 0, 1, :number, :place, false)")
    places = "INSERT INTO outbound_place (region, zones) VALUES ('US-TX', 'A/B'), ('CA', 'A/B')"
    banned = (
        "INSERT INTO do_not_call (number, scope, reason, source, by, added_at, batch_id)"
        " VALUES ('+12025550100', 'national', '', '', '', 0, 4),"
        " ('+12025550100', 'centre', '', '', '', 0, 5)"
    )
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config_of(sync), "0008"))
        await connection.execute(text(places))
        for id_, campaign, columns in BATCHES:
            row = {"id": id_, "campaign": campaign, "mapping": columns}
            await connection.execute(batch, row)
        for id_, import_, value, place in LISTED:
            row = {"id": id_, "batch": import_, "number": value, "place": place}
            await connection.execute(record, row)
            await connection.execute(number, {k: v for k, v in row.items() if k != "batch"})
        await connection.execute(text(banned))
    await database.close()


@pytest.mark.parametrize(
    ("table", "column"), [("outbound_record", "id"), ("outbound_number", "record_id")]
)
async def test_numbers_of_former_lists_get_their_own_region_beside_that_of_the_list(
    empty_url: str, table: str, column: str
) -> None:
    await with_former_lists(empty_url)
    assert (await upgrade(empty_url)).is_current
    regions = text(
        f"SELECT region, zones FROM {table} AS t JOIN outbound_place AS p ON p.id = t.place_id"
        f" ORDER BY t.{column}"
    )
    assert await found(empty_url, regions) == [
        ("US-FL US-TX", "A/B"),
        ("US-NY US-CA", "A/B"),
        ("CA", "A/B"),
        ("US-TX", "A/B"),
        ("US-FL US-TX", "A/B"),
    ]


async def test_the_import_that_the_national_list_is_from_is_known(empty_url: str) -> None:
    await with_former_lists(empty_url)
    assert (await upgrade(empty_url)).is_current
    national = text("SELECT id FROM outbound_batch WHERE is_national")
    assert await found(empty_url, national) == [(4,)]


async def found(empty_url: str, query: TextClause) -> list[tuple[Any, ...]]:
    database = Database(empty_url)
    try:
        rows = await database.look(lambda connection: connection.execute(query).all())
    finally:
        await database.close()
    return [tuple(row) for row in rows]


async def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/a.db"
    store = await Store.open(url, data_dir=None)
    connection = sqlite3.connect(tmp_path / "new" / "a.db")
    try:
        connection.execute("BEGIN IMMEDIATE")  # the other files are there while it is in use
        files = sorted((tmp_path / "new").iterdir())
        assert [file.name for file in files if file.stat().st_mode & 0o077] == []
        assert {"a.db", "a.db-wal", "a.db-shm"} <= {file.name for file in files}
    finally:
        connection.close()
        await store.close()
    assert (tmp_path / "new").stat().st_mode & 0o027 == 0


async def test_check_tells_what_is_missing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    (tmp_path / "a.db").touch()
    report = await check(url)
    assert (report.current, report.is_current) == (None, False)
    await upgrade(url)
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("ALTER TABLE note DROP COLUMN author")
    connection.close()
    report = await check(url)
    assert not report.is_current
    assert "author" in " ".join(report.differences)


async def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    await upgrade(url)
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreUnavailable, match="newer"):
        await upgrade(url)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "://"])
async def test_addresses_that_cannot_be_used_are_refused(url: str) -> None:
    with pytest.raises(BadRecord):
        await upgrade(url)


async def test_a_database_that_cannot_be_reached_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await upgrade(f"postgresql://postgres@/none?host={tmp_path}")
    with pytest.raises(StoreUnavailable):
        await check(f"sqlite:///{tmp_path}/missing.db")
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        await upgrade(f"sqlite:///{tmp_path}/file/x.db")


def test_migrations_are_found_from_another_folder(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    program = (
        "import asyncio; from crm_store.schema_version import upgrade; "
        "assert asyncio.run(upgrade('sqlite:///x.db')).is_current"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        check=True,
        timeout=60,
    )
    assert (tmp_path / "x.db").exists()
