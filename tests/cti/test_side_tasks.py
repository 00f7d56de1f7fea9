"""What goes wrong beside the calls is logged, and the node goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from cti.app import Node
from cti.paths import shipped
from cti.settings import load
from switch.gateway.protocol import RecordingFinished
from switch.ids import RecordingId
from tests.kit.patience import PATIENCE_S
from tests.kit.ports import free_port, rtp_ports


async def test_a_recording_that_cannot_be_indexed_does_not_end_the_node(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replace = msgspec.structs.replace
    settings = load(shipped("lab.toml"))
    settings = replace(
        settings,
        data=replace(settings.data, folder=str(tmp_path)),
        media=replace(settings.media, ports=rtp_ports()),
        sip=replace(settings.sip, port=free_port(), tls_port=0, ws_port=0, wss_port=0),
        api=replace(settings.api, port=free_port()),
    )
    node = Node(settings)
    served = asyncio.create_task(node.serve())
    ready = asyncio.create_task(node.wait_ready())
    await asyncio.wait((served, ready), return_when=asyncio.FIRST_COMPLETED)
    assert ready.done()
    assert not served.done()
    node._gateway_event(
        "local-1",
        RecordingFinished(
            recording=RecordingId("of-another-life"),
            path=str(tmp_path / "gone.wav"),
            duration_ms=0,
            octets=0,
            sha256="",
        ),
    )
    async with asyncio.timeout(PATIENCE_S):
        while "failed" not in caplog.text and not served.done():  # noqa: ASYNC110 - a log line
            await asyncio.sleep(0.01)
    assert not served.done()
    node.stop()
    await served
