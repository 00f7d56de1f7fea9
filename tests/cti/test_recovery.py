"""What a crash left behind comes into the index with all that is known of its interaction."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crm_store import database
from crm_store.rows import HistoryRow, InteractionRow, RecordingFileRow, RecordingRow
from crm_store.store import Store
from cti import recovery as module
from cti.recovery import RecordingRecovery
from recordings.outcome import Outcome
from recordings.recover import Recovered
from recordings.sidecar import sidecar_path
from switch.calls.captures import GATEWAY_LOST
from switch.calls.events import RecordingClosed
from switch.ids import CallId, RecordingId
from tests.kit.patience import PATIENCE_S
from tests.recordings.test_finish import finished

FOUND = Recovered(
    outcome=Outcome(
        recording=RecordingId("r-1"),
        path="/data/recordings/i-1-r-1.wav",
        duration_ms=1500,
        octets=24_000,
        sha256="0" * 64,
        error=None,
    ),
    started_at=1e9,
)


LOST = RecordingClosed(
    recording=FOUND.outcome.recording,
    call=CallId("c-1"),
    at=5.0,
    path=FOUND.outcome.path.removesuffix(".wav"),
    duration_ms=9000,
    octets=0,
    sha256="",
    error=GATEWAY_LOST,
)


CALL = InteractionRow(
    interaction_id="i-1",
    started=1e9,
    revision=1,
    caller_number="+12025550109",
    agent_id="1001",
    queue="sales",
)
GIVEN_UP = RecordingRow(
    recording_id="r-1",
    interaction_id="i-1",
    agent_id="1002",
    customer_id="c-7",
    caller_number="+12025550110",
    queue="support",
    started=1.5e9,
    duration_s=9.0,
    path=FOUND.outcome.path,
    error=GATEWAY_LOST,
)
"""What was booked when it was lost: 1002 had the call when it began, and gave it to 1001."""


def unheard(row: HistoryRow) -> None:
    raise AssertionError(f"{row} is for nobody")


def recovering(append: Callable[[RecordingFileRow], None]) -> RecordingRecovery:
    return RecordingRecovery(append=append, wall=lambda: 2e9, stopping=asyncio.Event())


async def opened(folder: Path) -> Store:
    return await Store.open(f"sqlite:///{folder}/switchroom.db", data_dir=folder)


async def test_a_recovered_recording_is_that_of_its_caller_agent_and_queue(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    try:
        store.history.append(CALL)
        recovering(store.history.append).index([FOUND])
        await store.history.flush()
        row = await store.get_recording("r-1")
    finally:
        await store.close()
    assert row is not None
    assert (row.caller_number, row.agent_id, row.queue) == ("+12025550109", "1001", "sales")
    assert (row.recording_id, row.interaction_id, row.duration_s) == ("r-1", "i-1", 1.5)


async def test_a_recording_of_an_unknown_interaction_is_in_the_index(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    try:
        recovering(store.history.append).index([FOUND])
        await store.history.flush()
        row = await store.get_recording("r-1")
    finally:
        await store.close()
    assert row is not None
    assert (row.interaction_id, row.caller_number, row.started) == ("i-1", "", 1e9)


async def test_a_store_that_is_away_keeps_no_recording_out_of_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.1)
    store = await opened(tmp_path)
    other = sqlite3.connect(tmp_path / "switchroom.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        store.history.append(CALL)
        recovering(store.history.append).index([FOUND])
        async with asyncio.timeout(PATIENCE_S):
            while not store.trouble:  # noqa: ASYNC110 - another thread's work
                await asyncio.sleep(0.005)
        other.execute("ROLLBACK")
        await store.history.flush()
        row = await store.get_recording("r-1")
    finally:
        other.close()
        await store.close()
    assert row is not None
    assert (row.caller_number, row.agent_id, row.queue) == ("+12025550109", "1001", "sales")


async def test_a_recording_that_ended_while_its_gateway_was_away_is_booked_whole(
    tmp_path: Path,
) -> None:
    outcome = finished(tmp_path)
    sidecar_path(Path(outcome.path)).unlink()  # even so
    closed = RecordingClosed(
        recording=outcome.recording,
        call=CallId("c-1"),
        at=5.0,
        path=outcome.path.removesuffix(".wav"),
        duration_ms=9000,
        octets=0,
        sha256="",
        error=GATEWAY_LOST,
    )

    told: list[RecordingClosed] = []
    recovery = recovering(unheard)
    recovery.expect(closed.recording)
    await recovery.resolve(closed, told.append)
    (found,) = told
    assert (found.error, found.sha256) == (None, outcome.sha256)
    assert (found.path, found.duration_ms) == (outcome.path, outcome.duration_ms)


async def test_a_recording_on_another_machine_is_whole_when_its_gateway_says_so() -> None:
    recovery = recovering(unheard)
    told: list[RecordingClosed] = []
    recovery.told(FOUND.outcome)  # of others nothing is kept
    recovery.expect(LOST.recording)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(recovery.resolve(LOST, told.append))
        await asyncio.sleep(0)
        assert told == []
        recovery.told(FOUND.outcome)
    (found,) = told
    assert (found.error, found.duration_ms, found.octets) == (None, 1500, 24_000)


@pytest.mark.parametrize("is_stopping", [False, True])
async def test_what_is_told_after_the_last_look_counts(
    monkeypatch: pytest.MonkeyPatch, is_stopping: bool
) -> None:
    monkeypatch.setattr(module, "_LOOK_FOR_S", module._LOOK_EVERY_S)
    stopping = asyncio.Event()
    recovery = RecordingRecovery(append=unheard, wall=lambda: 2e9, stopping=stopping)
    told: list[RecordingClosed] = []
    recovery.expect(LOST.recording)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(recovery.resolve(LOST, told.append))
        await asyncio.sleep(0)  # it looks
        recovery.told(FOUND.outcome)
        if is_stopping:
            stopping.set()
    assert [(found.error, found.octets) for found in told] == [(None, 24_000)]


async def test_one_that_was_given_up_is_booked_anew_when_its_gateway_is_back(
    tmp_path: Path,
) -> None:
    outcome = FOUND.outcome
    unknown = replace(outcome, recording=RecordingId("r-2"), path="/data/recordings/i-1-r-2.wav")
    store = await opened(tmp_path)
    try:
        store.history.append(CALL)
        store.history.append(GIVEN_UP)
        recovery = recovering(store.history.append)
        await recovery.index_file(outcome)  # in one batch with what it belongs to, and after it
        await store.history.flush()
        await recovery.index_file(outcome)
        await recovery.index_file(unknown)
        await store.history.flush()
        known, new = [await store.get_recording(each) for each in ("r-1", "r-2")]
    finally:
        await store.close()
    assert known is not None
    assert new is not None
    assert [(row.error, row.octets) for row in (known, new)] == [(None, 24_000)] * 2
    assert [row.started for row in (known, new)] == [1.5e9, 2e9 - 1.5]
    assert (known.agent_id, known.customer_id) == ("1002", "c-7")
    assert (known.caller_number, known.queue) == ("+12025550110", "support")
    assert (new.agent_id, new.caller_number) == ("1001", "+12025550109")
