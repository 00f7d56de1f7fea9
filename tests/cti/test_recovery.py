"""What a crash left behind comes into the index with all that is known of its interaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from crm_store.errors import StoreUnavailable
from crm_store.facts import InteractionFacts, RecordingFacts
from crm_store.rows import InteractionRow, RecordingRow
from crm_store.store import Store
from cti.recovery import RecordingRecovery
from recordings.outcome import Outcome
from recordings.recover import Recovered
from recordings.sidecar import sidecar_path
from switch.calls.captures import GATEWAY_LOST
from switch.calls.events import RecordingClosed
from switch.ids import CallId, RecordingId
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


async def nothing(wanted: str) -> None:
    """The store knows nothing."""


def recovering(
    rows: list[RecordingRow],
    *,
    interaction: Callable[[str], Awaitable[InteractionFacts | None]] = nothing,
    recording: Callable[[str], Awaitable[RecordingFacts | None]] = nothing,
) -> RecordingRecovery:
    return RecordingRecovery(
        append=rows.append,
        interaction=interaction,
        recording=recording,
        wall=lambda: 2e9,
        stopping=asyncio.Event(),
    )


async def test_a_recovered_recording_is_that_of_its_caller_agent_and_queue(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/switchroom.db", data_dir=tmp_path)
    try:
        store.history.append(
            InteractionRow(
                interaction_id="i-1",
                started=1e9,
                revision=1,
                caller_number="+12025550109",
                agent_id="1001",
                queue="sales",
            )
        )
        await store.history.flush()
        rows: list[RecordingRow] = []
        recovery = recovering(rows, interaction=store.get_interaction)
        await recovery.index([FOUND])
    finally:
        await store.close()
    (row,) = rows
    assert (row.caller_number, row.agent_id, row.queue) == ("+12025550109", "1001", "sales")
    assert (row.recording_id, row.interaction_id, row.duration_s) == ("r-1", "i-1", 1.5)


async def test_a_store_that_is_away_keeps_no_recording_out_of_the_index() -> None:
    async def away(interaction: str) -> InteractionFacts | None:
        raise StoreUnavailable(f"no {interaction}")

    rows: list[RecordingRow] = []
    recovery = recovering(rows, interaction=away)
    await recovery.index([FOUND])
    assert [(row.interaction_id, row.caller_number) for row in rows] == [("i-1", "")]


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
    await recovering([]).resolve(closed, told.append)
    (found,) = told
    assert (found.error, found.sha256) == (None, outcome.sha256)
    assert (found.path, found.duration_ms) == (outcome.path, outcome.duration_ms)


async def test_a_recording_on_another_machine_is_whole_when_its_gateway_says_so() -> None:
    recovery = recovering([])
    told: list[RecordingClosed] = []
    recovery.told(FOUND.outcome)  # of others nothing is kept
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(recovery.resolve(LOST, told.append))
        await asyncio.sleep(0)
        assert told == []
        recovery.told(FOUND.outcome)
    (found,) = told
    assert (found.error, found.duration_ms, found.octets) == (None, 1500, 24_000)


async def test_one_that_was_given_up_is_booked_anew_when_its_gateway_is_back() -> None:
    began = RecordingFacts(
        recording_id="r-1",
        interaction_id="i-1",
        agent_id="1001",
        customer_id=None,
        caller_number="",
        queue="sales",
        started=1e9,
        duration_s=9.0,
        octets=0,
        sha256="",
        path=FOUND.outcome.path,
        error=GATEWAY_LOST,
    )

    async def given_up(wanted: str) -> RecordingFacts | None:
        return began if wanted == "r-1" else None

    rows: list[RecordingRow] = []
    await recovering(rows, recording=given_up).index_file(FOUND.outcome)
    await recovering(rows).index_file(FOUND.outcome)
    assert [(row.error, row.octets) for row in rows] == [(None, 24_000)] * 2
    assert [row.started for row in rows] == [1e9, 2e9 - 1.5]
