"""Two media gateways: calls stay together, outlive the death of the other one, and meet across them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.kit.gateways import Pair, across, are_up, gateways, have
from tests.kit.hearing import CALLER_HZ, OTHER_HZ, hears, stereo
from tests.kit.lab import ROOT, Lab

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LAB = {"tolerates": ("media gateway", "gateway")}
EDITED = {"ports": '"16000-31999"\ngateways = 2'}


async def test_each_call_has_a_gateway_and_dies_with_that_one_alone(lab: Lab) -> None:
    async with AsyncExitStack() as phones:
        first = await Pair(lab, "1001").talk(phones)
        second = await Pair(lab, "1002").talk(phones)
        await have(lab, 2, 2)

        await lab.restart()
        await have(lab, 2, 2)
        await first.sounds()
        await second.sounds()

        pids = {name: each["pid"] for name, each in (await gateways(lab)).items()}
        os.kill(pids["local-1"], signal.SIGKILL)
        await first.ended()
        await second.sounds()
        await are_up(lab)
        after = {name: each["pid"] for name, each in (await gateways(lab)).items()}
        assert after["local-1"] != pids["local-1"]
        assert after["local-2"] == pids["local-2"]
        await lab.agent_is("1001", "available")
        await first.again()
        await have(lab, 2, 2)
        await second.hang_up()
        await first.hang_up()
    await lab.is_quiet()


async def test_an_attended_transfer_across_gateways_is_heard_and_recorded(lab: Lab) -> None:
    await are_up(lab)
    before = len(await lab.recordings(0))
    async with AsyncExitStack() as phones:
        await across(lab, phones)
    await lab.is_quiet()
    row = (await lab.recordings(before + 1))[-1]
    left, right = stereo(Path(row["path"]))
    end = slice(-9_000, -3_000)
    hears(left[end], CALLER_HZ)
    hears(right[end], OTHER_HZ)


async def command(lab: Lab, *words: str) -> str:
    """Run `switchroom gateway` as an administrator; gives what it says."""
    password = lab.data / "password"
    password.write_text("desk-admin\n")
    where = ("--server", lab.url, "--login", "admin", "--password-file", str(password))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cti.cli.main", "gateway", *words, *where),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    said, _ = await process.communicate()
    return said.decode()


async def test_a_gateway_that_is_drained_finishes_its_calls_over_a_restart(lab: Lab) -> None:
    await are_up(lab)
    async with AsyncExitStack() as phones:
        first = await Pair(lab, "1003").talk(phones)
        await have(lab, 2, 0)
        assert (await lab.post("/api/v1/gateways/local-1/drain", login="super")).status_code == 403
        assert (await lab.post("/api/v1/gateways/hall/drain", login="admin")).status_code == 404
        reply = await lab.post("/api/v1/gateways/local-1/drain", login="admin")
        assert (reply.json()["state"], reply.json()["legs"]) == ("draining", 2)
        second = await Pair(lab, "1004").talk(phones)
        third = await Pair(lab, "1005").talk(phones)
        await have(lab, 2, 4)
        await lab.restart()
        assert (await gateways(lab))["local-1"]["state"] == "draining"
        await first.sounds()
        await first.hang_up()
        await second.hang_up()
        await have(lab, 0, 2)
        await lab.post("/api/v1/gateways/local-2/drain", login="admin")
        refused = await third.caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
        await third.caller.closed(refused)
        assert await command(lab, "undrain", "local-2") == "local-2 takes new calls again.\n"
        reply = await lab.post("/api/v1/gateways/local-1/undrain", login="admin")
        assert reply.json()["state"] == "up"
        await lab.agent_is("1003", "available")
        await first.again()  # its agent has been idle for longest
        await have(lab, 2, 2)
        await first.hang_up()
        await third.hang_up()
    await lab.is_quiet()
