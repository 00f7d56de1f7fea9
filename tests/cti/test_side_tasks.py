"""What goes wrong beside the calls is logged, and the node goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

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
        duration_ms=0,
        octets=0,
        sha256="",
    )
    async with running_node(tmp_path) as node:
        node._gateway_event("local-1", lost)
        async with asyncio.timeout(PATIENCE_S):
            while "failed" not in caplog.text:  # noqa: ASYNC110 - a log line
                await asyncio.sleep(0.01)
