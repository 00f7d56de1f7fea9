from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm_store import database
from crm_store.database import Database
from crm_store.history import HistorySettings, HistoryWriter
from crm_store.journal import Journal
from crm_store.rows import (
    DispositionRow,
    HistoryRow,
    InteractionRow,
    NoteRow,
    RecordingFileRow,
    RecordingRow,
    TimelineRow,
)
from crm_store.schema_version import upgrade
from crm_store.store import Store
from tests.crm_store.postgres import Postgres
from tests.kit.patience import PATIENCE_S

QUICK = HistorySettings(linger_s=0.005, retry_first_s=0.02, retry_max_s=0.1, close_s=3.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that waits for a locked database for a moment only."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.1)


def line(seq: int, id_: str = "i1", **data: Any) -> TimelineRow:
    return TimelineRow(interaction_id=id_, seq=seq, at=1000.0 + seq, type="Queued", data=data)


def every_kind(number: int) -> list[HistoryRow]:
    id_ = f"i{number}"
    return [
        InteractionRow(
            interaction_id=id_, started=1000.0, revision=1, caller_number="+12025550101"
        ),
        line(1, id_, step=1),
        line(2, id_, step=2),
        NoteRow(note_id=f"n{number}", interaction_id=id_, at=1001.0, author="1001", text="note"),
        DispositionRow(
            disposition_id=f"d{number}", interaction_id=id_, at=1002.0, author="1001", code="sold"
        ),
        RecordingRow(recording_id=f"r{number}", interaction_id=id_, started=1000.0, path="x"),
        InteractionRow(
            interaction_id=id_, started=1000.0, revision=9, ended=1003.0, result="answered"
        ),
    ]


async def opened(url: str, folder: Path, settings: HistorySettings = QUICK) -> Store:
    return await Store.open(url, data_dir=folder, history=settings)


async def until(condition: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - another thread's work
            await asyncio.sleep(0.005)


async def seqs(store: Store, id_: str = "i1") -> list[int]:
    found = await store.get_interaction(id_)
    assert found is not None
    return [entry.seq for entry in found.timeline]


def start(store: Store, id_: str = "i1") -> None:
    store.history.append(InteractionRow(interaction_id=id_, started=1000.0, revision=1))


# --- writing ------------------------------------------------------------------------------------


async def test_rows_of_all_kinds_are_written_in_batches(url: str, tmp_path: Path) -> None:
    store = await opened(url, tmp_path)
    for number in range(30):
        for row in every_kind(number):
            store.history.append(row)
    assert store.history.pending == 210
    await store.history.flush()
    counters = store.history.counters
    assert (counters.written, counters.failed, counters.spilled) == (210, 0, 0)
    for number in (0, 29):
        found = await store.get_interaction(f"i{number}")
        assert found is not None
        assert (found.result, found.ended, found.disposition) == ("answered", 1003.0, "sold")
        assert found.caller_number == "+12025550101"
        assert (len(found.timeline), len(found.notes), len(found.recordings)) == (2, 1, 1)
    await store.close()


async def test_writing_everything_twice_changes_nothing(url: str, tmp_path: Path) -> None:
    store = await opened(url, tmp_path)
    for row in every_kind(1):
        store.history.append(row)
    await store.history.flush()
    once = await store.get_interaction("i1")
    for row in [*every_kind(1), *every_kind(1)]:
        store.history.append(row)
        await store.history.flush()
    assert await store.get_interaction("i1") == once
    await store.close()


async def test_later_rows_win_whatever_columns_they_have(url: str, tmp_path: Path) -> None:
    store = await opened(url, tmp_path)
    rows = [
        InteractionRow(interaction_id="i1", started=1.0, revision=1, queue="sales"),
        InteractionRow(interaction_id="i1", started=1.0, revision=2, agent_id="1001"),
        InteractionRow(interaction_id="i1", started=1.0, revision=3, queue="support"),
        InteractionRow(interaction_id="i1", started=1.0, revision=4, waited_s=3.0),
    ]
    for batch in (rows, rows[:1], rows[1:2]):  # the older ones come again, as from a journal
        for row in batch:
            store.history.append(row)
        await store.history.flush()
    found = await store.get_interaction("i1")
    assert found is not None
    assert (found.queue, found.agent_id, found.waited_s) == ("support", "1001", 3.0)
    await store.close()


async def test_older_rows_fill_what_is_empty_and_replace_nothing(url: str, tmp_path: Path) -> None:
    store = await opened(url, tmp_path)
    newest = InteractionRow(interaction_id="i1", started=1.0, revision=5, talked_s=0.0, queue="b")
    older = InteractionRow(
        interaction_id="i1", started=1.0, revision=4, queue="a", facts={"vip": "yes"}, waited_s=2.0
    )
    back_to_none = InteractionRow(interaction_id="i1", started=1.0, revision=6, waited_s=0.0)
    for row in (newest, older, back_to_none):  # in batches of their own
        store.history.append(row)
        await store.history.flush()
    found = await store.get_interaction("i1")
    assert found is not None
    assert (found.queue, found.facts, found.waited_s) == ("b", {"vip": "yes"}, 0.0)
    await store.close()


async def test_a_file_that_was_found_replaces_nothing_but_what_is_said_of_the_file(
    url: str, tmp_path: Path
) -> None:
    store = await opened(url, tmp_path)
    call = InteractionRow(
        interaction_id="i1", started=1.0, revision=1, agent_id="1001", caller_number="1"
    )
    lost = RecordingRow(
        recording_id="r1",
        interaction_id="i1",
        started=2.0,
        path="x",
        agent_id="1002",
        customer_id="c1",
        caller_number="2",
        queue="sales",
        error="gateway-lost",
    )
    files = [
        RecordingFileRow(
            recording_id=id_,
            interaction_id=interaction,
            started=3.0,
            path=f"{id_}\0.wav",
            duration_s=1.5,
            octets=2**40,
            sha256="ab",
        )
        for id_, interaction in (("r1", "i1"), ("r2", "i1"), ("r3", "i0"))
    ]
    store.history.append(call)
    store.history.append(lost)
    for row in files:
        store.history.append(row)
    await store.history.flush()
    for row in files:  # as from a journal
        store.history.append(row)
    await store.history.flush()
    rows = [await store.get_recording(each.recording_id) for each in files]
    assert store.history.counters.refused == 0
    await store.close()
    found = [row for row in rows if row is not None]
    assert [(row.agent_id, row.customer_id, row.queue) for row in found] == [
        ("1002", "c1", "sales"),
        ("1001", None, None),
        (None, None, None),
    ]
    assert [(row.caller_number, row.started) for row in found] == [
        ("2", 2.0),
        ("1", 3.0),
        ("", 3.0),
    ]
    assert {(row.duration_s, row.octets, row.sha256, row.error) for row in found} == {
        (1.5, 2**40, "ab", None)
    }


async def test_the_newest_disposition_stays_when_an_older_one_is_replayed(
    url: str, tmp_path: Path
) -> None:
    store = await opened(url, tmp_path)
    start(store)
    for id_, at, code in (("d1", 10.0, "call-back"), ("d2", 20.0, "sold"), ("d0", 5.0, "wrong")):
        store.history.append(
            DispositionRow(disposition_id=id_, interaction_id="i1", at=at, author="1001", code=code)
        )
        await store.history.flush()
    found = await store.get_interaction("i1")
    assert found is not None
    assert found.disposition == "sold"
    assert [entry.code for entry in found.dispositions] == ["wrong", "call-back", "sold"]
    await store.close()


async def test_rows_that_a_database_refuses_are_repaired(url: str, tmp_path: Path) -> None:
    store = await opened(url, tmp_path)
    start(store)
    store.history.append(
        InteractionRow(
            interaction_id="i2",
            started=1.0,
            revision=1,
            caller_name="\0nul \ud800 " + "x" * 300,
            caller_number="y" * 500,
        )
    )
    store.history.append(line(1, name="a\0b", half="\ud800", odd={1, 2}, thing=object))
    store.history.append(line(2))
    await store.history.flush()
    assert await seqs(store) == [1, 2]
    found = await store.get_interaction("i2")
    assert found is not None
    assert "nul" in found.caller_name
    assert store.history.counters.refused == 0
    await store.close()


async def test_a_hopeless_row_is_set_aside_and_stops_nobody(url: str, tmp_path: Path) -> None:
    store = await opened(url, tmp_path)
    start(store)
    store.history.append(line(1))
    store.history.append(line(2**70))
    store.history.append(line(3))
    await store.history.flush()
    assert await seqs(store) == [1, 3]
    assert store.history.counters.refused == 1
    await store.close()


def test_appending_costs_microseconds(tmp_path: Path) -> None:
    async def measure() -> float:
        writer = HistoryWriter(Database(f"sqlite:///{tmp_path}/a.db"), tmp_path)
        row = line(1)
        best = 1.0
        for _ in range(5):
            began = time.perf_counter()
            for _ in range(1000):
                writer.append(row)
            best = min(best, (time.perf_counter() - began) / 1000)
        return best

    assert asyncio.run(measure()) < 20e-6


# --- the database is away -----------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
async def test_a_locked_database_delays_history_and_loses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    store = await opened(url, tmp_path)
    start(store)
    await store.history.flush()
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for seq in range(1, 200):
        store.history.append(line(seq))
    began = time.perf_counter()
    found = await store.get_interaction("i1")
    assert found is not None, "reading goes on"
    assert time.perf_counter() - began < 1.0
    await until(lambda: store.history.counters.spilled > 0)
    assert "locked" in store.trouble
    assert (tmp_path / "history.jsonl").exists()
    for seq in range(200, 300):
        store.history.append(line(seq))
    other.execute("ROLLBACK")
    other.close()
    await store.history.flush()
    assert await seqs(store) == list(range(1, 300))
    assert store.trouble == ""
    assert not (tmp_path / "history.jsonl").exists()
    await store.close()


async def test_a_file_that_is_moved_away_and_back_loses_nothing(tmp_path: Path) -> None:
    file, away = tmp_path / "a.db", tmp_path / "away.db"
    store = await opened(f"sqlite:///{file}", tmp_path)
    start(store)
    store.history.append(line(1))
    await store.history.flush()
    file.rename(away)
    for seq in range(2, 50):
        store.history.append(line(seq))
    await until(lambda: store.history.counters.failed > 1)
    assert not file.exists(), "nothing is made up in its place"
    away.rename(file)
    await store.history.flush()
    assert await seqs(store) == list(range(1, 50))
    await store.close()


async def test_a_deleted_file_is_made_anew_at_the_next_start_with_what_waits(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.db"
    store = await opened(f"sqlite:///{file}", tmp_path)
    await store.history.flush()
    for path in tmp_path.glob("a.db*"):
        path.unlink()
    start(store)
    for seq in range(1, 50):
        store.history.append(line(seq))
    await until(lambda: store.history.counters.failed > 0)
    await store.close()
    store = await opened(f"sqlite:///{file}", tmp_path)
    assert store.history.counters.replayed == 50
    await store.history.flush()
    assert await seqs(store) == list(range(1, 50))
    await store.close()


async def test_a_stopped_postgres_delays_history_and_loses_nothing(
    postgres: Postgres, tmp_path: Path
) -> None:
    store = await opened(postgres.new_database(), tmp_path)
    start(store)
    store.history.append(line(1))
    await store.history.flush()
    await asyncio.to_thread(postgres.stop)
    try:
        for seq in range(2, 100):
            store.history.append(line(seq))
        await until(lambda: store.history.counters.failed > 1)
    finally:
        await asyncio.to_thread(postgres.start)
    store.history.append(line(100))
    await store.history.flush()
    assert await seqs(store) == list(range(1, 101))
    await store.close()


@pytest.mark.usefixtures("impatient")
async def test_what_waits_at_the_end_is_replayed_at_the_next_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    store = await opened(url, tmp_path)
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    start(store)
    for seq in range(1, 20):
        store.history.append(line(seq))
    began = time.perf_counter()
    await store.close()
    assert time.perf_counter() - began < 5.0
    other.execute("ROLLBACK")
    other.close()
    for _ in range(2):  # the second start finds nothing more to do
        store = await opened(url, tmp_path)
        await store.history.flush()
        assert await seqs(store) == list(range(1, 20))
        await store.close()
    assert not (tmp_path / "history.jsonl").exists()


async def test_more_rows_than_memory_takes_go_to_disk_in_order(tmp_path: Path) -> None:
    settings = HistorySettings(
        linger_s=0.005, retry_first_s=0.02, retry_max_s=0.05, memory_rows=100, batch_rows=64
    )
    url = f"sqlite:///{tmp_path}/a.db"
    store = await opened(url, tmp_path, settings)
    start(store)
    for seq in range(1, 1000):
        store.history.append(line(seq))
        if seq % 100 == 0:
            await asyncio.sleep(0.003)
    await store.history.flush()
    assert store.history.counters.spilled > 0
    assert await seqs(store) == list(range(1, 1000))
    await store.close()


async def test_with_neither_database_nor_disk_memory_stays_bounded(tmp_path: Path) -> None:
    settings = HistorySettings(
        linger_s=0.005, retry_first_s=0.02, retry_max_s=0.05, memory_limit_rows=100, close_s=0.2
    )
    store = await opened(f"sqlite:///{tmp_path}/a.db", tmp_path, settings)
    (tmp_path / "history.jsonl").mkdir()  # no file can be written there
    (tmp_path / "a.db").rename(tmp_path / "away.db")
    for seq in range(500):
        store.history.append(line(seq))
    await until(lambda: store.history.counters.failed > 0)
    assert store.history.counters.dropped >= 400
    (tmp_path / "away.db").rename(tmp_path / "a.db")
    await store.history.flush()
    await store.close()


async def test_a_journal_that_vanishes_does_not_end_history(tmp_path: Path) -> None:
    file, away = tmp_path / "a.db", tmp_path / "away.db"
    store = await opened(f"sqlite:///{file}", tmp_path)
    file.rename(away)
    start(store)
    await until(lambda: store.history.counters.spilled > 0)
    (tmp_path / "history.jsonl").unlink()
    away.rename(file)
    start(store, "i2")
    await until(lambda: store.history.pending == 0)
    assert await store.interaction_agent("i2") is None
    await store.close()


async def test_a_crash_leaves_a_journal_that_is_replayed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    await upgrade(url)
    journal = Journal(tmp_path / "history.jsonl")
    journal.append([row for number in range(3) for row in every_kind(number)])
    with (tmp_path / "history.jsonl").open("ab") as file:
        file.write(b'not json\n["unknown",{}]\n["note",{"note_id":1}]\n["timeline",{"inter')
    store = await opened(url, tmp_path)
    await store.history.flush()
    for number in range(3):
        found = await store.get_interaction(f"i{number}")
        assert found is not None
        assert found.result == "answered"
    assert store.history.counters.written == 21
    await store.close()


# --- the journal --------------------------------------------------------------------------------


def drain(journal: Journal, portion: int) -> list[HistoryRow]:
    rows: list[HistoryRow] = []
    while journal.waiting:
        rows += journal.take(portion)
        journal.taken()
    return rows


@pytest.mark.parametrize("portion", [1, 2, 7, 100])
def test_a_journal_gives_back_what_it_took_in_order(tmp_path: Path, portion: int) -> None:
    journal = Journal(tmp_path / "j" / "history.jsonl")
    rows = [row for number in range(4) for row in every_kind(number)]
    journal.append(rows[:10])
    journal.append(rows[10:])
    assert drain(journal, portion) == rows
    assert not journal.path.exists()


def test_older_rows_go_before_what_waits(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "history.jsonl")
    journal.append([line(1), line(5)])
    assert journal.take(1) == [line(1)]
    journal.taken()
    journal.prepend([line(3), line(4)])
    journal.append([line(6)])
    assert drain(journal, 2) == [line(3), line(4), line(5), line(6)]


def test_a_line_that_a_crash_cut_short_does_not_spoil_the_next(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "history.jsonl")
    journal.append([line(1)])
    with journal.path.open("ab") as file:
        file.write(b'["timeline",{"inter')
    again = Journal(journal.path)
    again.open()
    again.append([line(2)])
    assert drain(again, 10) == [line(1), line(2)]
    assert again.bad_lines == 1


def test_a_full_disk_leaves_no_half_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "history.jsonl")
    journal.append([line(1)])
    real = os.write

    def full(descriptor: int, data: bytes | memoryview) -> int:
        if len(data) > 10:
            return real(descriptor, data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, contextlib.suppress(OSError):
        patch.setattr(os, "write", full)
        journal.append([line(2)])
    assert journal.waiting == 1
    journal.append([line(3)])
    assert drain(journal, 10) == [line(1), line(3)]
