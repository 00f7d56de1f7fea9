"""What `/readyz` says of a node whose sound or address is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

import cti.listening
from tests.kit.node import running_node
from tests.kit.patience import PATIENCE_S


async def test_calls_are_not_promised_without_an_address_or_a_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_node(tmp_path) as node:
        assert node._health() == (True, "calls are accepted")
        with monkeypatch.context() as gone:
            gone.setattr(cti.listening, "is_ours", lambda address: False)
            assert node._health() == (False, "127.0.0.1 is no address of this machine any more")
        assert node._health()[0], "it came back"

        pid = node._switching.gateways.pids["local-1"]
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            while node._health()[0]:  # noqa: ASYNC110 - nobody is told of what a probe would ask
                await asyncio.sleep(0.005)
        assert node._health() == (False, "no media gateway is connected")
