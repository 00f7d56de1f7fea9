"""What goes wrong beside the calls is logged, and the node goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cti import side_tasks
from switch.gateway.protocol import RecordingFinished
from switch.ids import RecordingId
from tests.kit.node import running_node
from tests.kit.patience import PATIENCE_S


async def test_a_recording_that_cannot_be_indexed_does_not_end_the_node(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost = RecordingFinished(
        recording=RecordingId("of-another-life"),
        path=str(tmp_path / "gone.wav"),
        duration_ms=10**400,  # no moment is so long ago
        octets=0,
        sha256="",
    )
    async with running_node(tmp_path) as node:
        node._gateway_event("local-1", lost)
        async with asyncio.timeout(PATIENCE_S):
            while "failed" not in caplog.text:  # noqa: ASYNC110 - a log line
                await asyncio.sleep(0.01)


async def test_a_step_of_the_way_down_that_fails_or_hangs_keeps_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails() -> None:
        raise RuntimeError("a fault")

    async def times_out() -> None:
        raise TimeoutError("of its own")

    async def hangs() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(side_tasks, "_STOP_S", 0.05)
    await side_tasks.bounded("the store", fails)
    await side_tasks.bounded("the trunks", times_out)
    await side_tasks.bounded("the calls", hangs)
    said = [(each.getMessage(), each.exc_info is not None) for each in caplog.records]
    assert said == [
        ("stopping: the store failed; the next step", True),
        ("stopping: the trunks failed; the next step", True),
        ("stopping: the calls is not done after 0.05 s; the next step", False),
    ]


async def test_a_task_beside_the_calls_that_fails_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def count_something() -> None:
        raise RuntimeError("a fault")

    await side_tasks.alone(count_something())
    (said,) = caplog.records
    assert "count_something failed; the calls go on without it" in said.getMessage()
    assert said.exc_info is not None
