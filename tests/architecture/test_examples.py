"""The examples do what their READMEs say, with real callers and a real agent's phone."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cti.client import ApiClient
from tests.architecture.tree import ROOT
from tests.kit.patience import PATIENCE_S
from tests.kit.phone import Phone
from tests.kit.ports import free_port, rtp_ports

pytestmark = [pytest.mark.slow, pytest.mark.peer]


@asynccontextmanager
async def program(folder: Path, *words: str) -> AsyncIterator[Process]:
    """A Python program that runs in a folder, as a user would start it; ended by Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        cwd=folder,
        env=environment(),
        stdout=PIPE,
        stderr=STDOUT,
        preexec_fn=_heed_interrupts,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 120.0)


def _heed_interrupts() -> None:
    """What a shell starts in the background ignores SIGINT, and so would what these tests start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}


async def output_of(folder: Path, *words: str) -> str:
    """What a program prints; it must succeed."""
    async with program(folder, *words) as process:
        out, _ = await asyncio.wait_for(process.communicate(), 120.0)
    assert process.returncode == 0, out.decode()
    return out.decode()


async def lines_until(process: Process, word: str) -> str:
    """Read what a program prints up to the line with a word."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(120.0):
        while not lines or word not in lines[-1]:
            lines.append((await process.stdout.readline()).decode())
            assert lines[-1], f"ended without {word!r}:\n{''.join(lines)}"
    return "".join(lines)


class Site:
    """An example's folder, copied, with a server that runs in it."""

    def __init__(self, name: str, tmp_path: Path) -> None:
        self.folder = tmp_path / name
        shutil.copytree(ROOT / "examples", tmp_path, dirs_exist_ok=True)
        self.sip_port = free_port()
        self.http_port = free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"

    async def switchroom(self, *words: str) -> str:
        return await output_of(self.folder, "-m", "cti.cli.main", *words)

    @asynccontextmanager
    async def serves(self, *config: str) -> AsyncIterator[None]:
        ports = ["--sip-port", str(self.sip_port), "--http-port", str(self.http_port)]
        ports += ["--tls-port", "0", "--ws-port", "0", "--wss-port", "0"]
        words = [*config, *ports, "--rtp-ports", rtp_ports(), "--data-dir", "data"]
        async with program(self.folder, "-m", "cti.cli.main", "serve", *words) as process:
            await lines_until(process, "ready: SIP")
            yield

    async def call(self, *words: str) -> str:
        script = str(self.folder.parent / "first-site/call.py")
        for _ in range(20):
            told = await output_of(self.folder, script, "--sip-port", str(self.sip_port), *words)
            if "503" not in told:
                return told
            await asyncio.sleep(0.5)  # a server that has just started on a busy machine sheds calls
        raise AssertionError("no call was taken")


async def test_a_first_site(tmp_path: Path) -> None:
    site = Site("first-site", tmp_path)
    assert "2 phones, 2 agents, 1 queue," in await site.switchroom("config", "check", "site.toml")
    store = ["--config", "site.toml", "--database", "sqlite:///data/switchroom.db"]
    (site.folder / "data").mkdir()
    told = await site.switchroom("customers", "import", "customers.csv", *store)
    assert told == "2 added, 0 changed, 0 refused.\n"
    async with site.serves("--config", "site.toml"), Phone("baresip") as phone:
        await phone.register_to("127.0.0.1", site.sip_port, "201", "phone-201")
        calling = asyncio.ensure_future(site.call("--stay", "2"))
        ring = await phone.answer_next()
        assert ring.from_number.endswith("2025550100")
        await phone.closed(ring.call)
        assert "hung up" in await calling
    card = await site.switchroom("customers", "show", "+1 202 555 0100", *store)
    assert "Margaret Hale · gold" in card
    assert "front  answered" in card
    assert len(list(site.folder.glob("data/recordings/**/*.wav"))) == 1


async def facts_of(api: ApiClient, interaction_id: str) -> object:
    """What the caller keyed in, once the history has it: it is written behind the call."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            detail = await api.interaction(interaction_id)
            ends = [entry for entry in detail.timeline if entry.type == "InteractionEnded"]
            if ends:
                return ends[0].data["facts"]
            await asyncio.sleep(0.05)


async def test_a_flow_of_ones_own(tmp_path: Path) -> None:
    site = Site("own-flow", tmp_path)
    async with site.serves("--config", "site.toml"), Phone("baresip") as phone:
        await phone.register_to("127.0.0.1", site.sip_port, "201", "phone-201")
        calling = asyncio.ensure_future(site.call("--digits", "4711", "--stay", "60"))
        ring = await phone.answer_next(90.0)
        async with ApiClient(site.url) as api:
            await api.sign_on("boss", "desk-boss")
            (live,) = (await api.snapshot()).interactions
            await phone.hang_up(ring.call)
            assert "the other side hung up" in await calling
            assert await facts_of(api, live.interaction_id) == {"order": "4711"}


async def test_a_mistake_in_the_flow_is_told_as_the_readme_says(tmp_path: Path) -> None:
    site = Site("own-flow", tmp_path)
    flow = site.folder / "flows/workshop.yaml"
    flow.write_text(flow.read_text().replace("next: confirm", "next: confrm"))
    words = ["-m", "cti.cli.main", "config", "check", "site.toml"]
    async with program(site.folder, *words) as process:
        out, _ = await process.communicate()
    assert process.returncode == 1
    assert out.decode() in (site.folder / "README.md").read_text()


async def test_listening_to_the_events(tmp_path: Path) -> None:
    site = Site("event-stream", tmp_path)
    listen = ("listen.py", "--server", site.url)
    async with site.serves(), program(site.folder, *listen) as listener:
        await lines_until(listener, "3 queues, ")
        await site.call("--dial", "4003", "--stay", "1")
        told = await lines_until(listener, "InteractionEnded")
    kinds = [line.split()[1] for line in told.splitlines()]
    assert kinds[0] == "InteractionStarted"
    assert "FlowStep" in kinds
