"""What `/readyz` says of a node whose sound or address is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest

import cti.listening
from cti.app import Node
from cti.paths import shipped
from cti.settings import load
from tests.kit.ports import free_port, rtp_ports


async def test_calls_are_not_promised_without_an_address_or_a_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    try:
        assert node._health() == (True, "calls are accepted")
        with monkeypatch.context() as gone:
            gone.setattr(cti.listening, "is_ours", lambda address: False)
            assert node._health() == (False, "127.0.0.1 is no address of this machine any more")
        assert node._health()[0], "it came back"

        pid = node._switching.gateways.pids["local-1"]
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while node._health()[0]:  # noqa: ASYNC110 - nobody is told of what a probe would ask
                await asyncio.sleep(0.005)
        assert node._health() == (False, "no media gateway is connected")
    finally:
        node.stop(at_once=True)
        await served
