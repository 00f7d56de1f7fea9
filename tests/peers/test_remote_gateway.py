"""A media gateway that is commanded over TCP: its calls outlive a broken line and the call agent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from cti.ranges import port_shares
from tests.kit.gateways import Pair, across, are_up, gateways, have
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, hears, stereo
from tests.kit.lab import ROOT, Lab, edited
from tests.kit.ports import free_port, rtp_ports

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


class Line:
    """The network between the two: passes octets on, until it is cut."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = free_port()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, back}
        with contextlib.suppress(OSError):
            async with asyncio.TaskGroup() as both:
                both.create_task(_carry(reader, back))
                both.create_task(_carry(there, writer))
        self._writers -= {writer, back}


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


class Place:
    """The lab with a gateway of its own and one beyond a line."""

    def __init__(self, lab: Lab, line: Line, recordings: Path) -> None:
        self.lab, self.line, self.recordings = lab, line, recordings


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("lab")
    secret = folder / "hall.secret"
    secret.touch(mode=0o600)
    secret.write_text("5" * 64)
    low, high = (int(port) for port in rtp_ports().split("-"))
    near, far = port_shares(low, high, 2)
    port = free_port()
    line = Line(port)
    config = edited(folder)
    with config.open("a") as file:
        file.write(
            f'\n[[gateways]]\nname = "hall"\naddress = "tcp://127.0.0.1:{line.port}"\n'
            f'secret_file = "{secret}"\n'
        )
    log = (folder / "hall.log").open("wb")
    hall = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cti.cli.main", "gateway"),
        *("--listen", f"tcp://127.0.0.1:{port}", "--secret-file", str(secret)),
        *("--recordings", str(folder / "hall"), "--rtp-ports", f"{far[0]}-{far[1]}"),
        stdout=log,
        stderr=log,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    await line.mend()
    try:
        options = ("--rtp-ports", f"{near[0]}-{near[1]}")
        async with Lab(folder, *options, config=config, tolerates=("gateway",)) as lab:
            await are_up(lab)
            yield Place(lab, line, folder / "hall")
    finally:
        with contextlib.suppress(ProcessLookupError):
            hall.terminate()
        await hall.wait()
        await line.cut()
        log.close()
    said = (folder / "hall.log").read_text()
    assert "Traceback" not in said, said[-4000:]
    assert "5555" not in said


async def test_its_calls_outlive_a_broken_line_and_the_call_agent(place: Place) -> None:
    lab = place.lab
    before = len(await lab.recordings(0))
    async with AsyncExitStack() as phones:
        first = await Pair(lab, "1001").talk(phones)
        second = await Pair(lab, "1002").talk(phones)
        await have(lab, 2, 2)

        await place.line.cut()

        async def is_away() -> bool:
            return bool((await gateways(lab))["hall"]["state"] == "away")

        await lab.until(is_away, message="the broken line was not noticed")
        await second.sounds()
        await first.hang_up()
        await lab.agent_is("1001", "available")
        await first.again()
        assert (await gateways(lab))["local-1"]["legs"] == 2
        await place.line.mend()
        await are_up(lab)
        await second.sounds()

        await lab.restart()
        await are_up(lab)
        await first.sounds()
        await second.sounds()
        await second.hang_up()
        await first.hang_up()
    await lab.is_quiet()
    rows = await lab.recordings(before + 3)
    (row,) = [row for row in rows[before:] if not Path(row["path"]).exists()]
    path = place.recordings / Path(row["path"]).relative_to(lab.data / "recordings")
    assert row["error"] is None
    left, right = stereo(path)
    hears(left[4000:12_000], CALLER_HZ)
    hears(right[4000:12_000], AGENT_HZ)


async def test_the_recording_of_a_call_that_was_given_up_is_whole_when_its_gateway_is_back(
    place: Place,
) -> None:
    lab = place.lab
    await are_up(lab)
    before = len(await lab.recordings(0))
    async with AsyncExitStack() as phones:
        near = await Pair(lab, "1001").talk(phones)
        far = await Pair(lab, "1002").talk(phones)
        await have(lab, 2, 2)
        await place.line.cut()
        await far.ended()
        await near.sounds()
        await place.line.mend()
        await are_up(lab)
        await near.hang_up()
    await lab.is_quiet()
    rows = (await lab.recordings(before + 2))[before:]
    assert [(row["error"], len(row["sha256"])) for row in rows] == [(None, 64)] * 2
    (row,) = [row for row in rows if not Path(row["path"]).exists()]
    assert (place.recordings / Path(row["path"]).relative_to(lab.data / "recordings")).exists()


async def test_who_waits_at_a_gateway_out_of_reach_has_an_agent_when_it_is_back(
    place: Place,
) -> None:
    lab = place.lab
    await are_up(lab)
    async with AsyncExitStack() as phones:
        near = await Pair(lab, "1001").talk(phones)
        far = Pair(lab, "1002")
        for phone in (far.caller, far.agent):
            await phones.enter_async_context(phone)
        far.caller.hum(CALLER_HZ)
        far.agent.hum(AGENT_HZ)
        far.call = await far.caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        await have(lab, 2, 1)
        await place.line.cut()
        await far.agent.register_to(lab.host, lab.sip_port, "1002", "lab-1002")

        async def was_offered() -> bool:
            return bool(lab.query("select 1 from timeline where data like '%no-media%'"))

        await lab.until(was_offered, message="nobody was offered while the line was broken")
        await place.line.mend()
        far.ring = (await far.agent.answer_next()).call
        await far.caller.established(far.call)
        await far.sounds()
        await far.hang_up()
        await near.hang_up()
    await lab.is_quiet()


async def test_what_crosses_a_network_is_encrypted_and_heard(place: Place) -> None:
    await are_up(place.lab)
    async with AsyncExitStack() as phones:
        await across(place.lab, phones)
    await place.lab.is_quiet()
