"""What a gateway tells of a recording that it had lost is heard from the loss on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from crm_store.store import Store
from cti import left_behind
from cti.left_behind import LeftBehind
from recordings.recover import Recovered
from switch.calls.events import RecordingClosed
from switch.gateway.protocol import RecordingFinished
from tests.cti.test_recovery import LOST


async def test_what_is_told_while_files_of_a_crash_are_still_finished_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = asyncio.Event()

    async def slow(folder: Path) -> list[Recovered]:
        await disk.wait()
        return []

    monkeypatch.setattr(left_behind, "finish_left_behind", slow)
    store = await Store.open(f"sqlite:///{tmp_path}/switchroom.db", data_dir=tmp_path)
    whole = RecordingFinished(
        recording=LOST.recording,
        path=f"{LOST.path}.wav",
        duration_ms=1500,
        octets=24_000,
        sha256="0" * 64,
    )
    booked: list[RecordingClosed] = []
    async with asyncio.TaskGroup() as tasks:
        recordings = LeftBehind(tmp_path, tasks, asyncio.Event(), lambda: 2e9)
        recordings.use(store)
        resolving = recordings.resolve(LOST, booked.append)
        recordings.told(whole)  # in the same turn as the loss
        tasks.create_task(resolving)
        disk.set()
    await store.close()
    assert [(each.error, each.octets) for each in booked] == [(None, 24_000)]
