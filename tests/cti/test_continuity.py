"""What an earlier process left must never keep the next one from starting."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from cti.app import Node
from cti.free_ports import free_port
from cti.paths import shipped
from cti.settings import Settings, load
from cti.takeover import FILE, TakeOver
from tests.kit.lab import rtp_ports


def lab(folder: Path) -> Settings:
    replace = msgspec.structs.replace
    settings = load(shipped("lab.toml"))
    return replace(
        settings,
        data=replace(settings.data, folder=str(folder)),
        media=replace(settings.media, ports=rtp_ports()),
        sip=replace(settings.sip, port=free_port()),
        api=replace(settings.api, port=free_port()),
    )


@pytest.mark.parametrize("step", ["restore", "resume"])
async def test_a_journal_that_makes_the_start_fail_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fails(takeover: TakeOver) -> None:
        raise RuntimeError("a fault while calls are taken up")

    with monkeypatch.context() as patched:
        patched.setattr(TakeOver, step, fails)
        with pytest.raises(ExceptionGroup):
            await Node(lab(tmp_path)).serve()
    assert not (tmp_path / FILE).exists()
    assert (tmp_path / "calls.unusable").exists()

    node = Node(lab(tmp_path))
    served = asyncio.create_task(node.serve())
    ready = asyncio.create_task(node.wait_ready())
    await asyncio.wait((served, ready), return_when=asyncio.FIRST_COMPLETED)
    assert ready.done()
    node.stop()
    await served
