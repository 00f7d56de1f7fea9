"""A process dies: what goes on, what ends, and what is whole afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import time
from pathlib import Path

import pytest

from cti.takeover import FILE
from tests.kit import counted_party
from tests.kit.counted_party import CountedParty
from tests.kit.counted_sound import (
    PIECE_S,
    longest_hole_s,
    longest_stall_s,
    recorded,
)
from tests.kit.hearing import (
    AGENT_HZ,
    CALLER_HZ,
    hears,
    listen,
    stereo,
    until_each_hears,
    until_heard,
)
from tests.kit.lab import Lab, edited
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LAB = {"tolerates": ("media gateway", "gateway")}
ON_ITS_WAY_S = 0.1
"""In sockets, in the ring of the leg, in the tick that was never made."""
LAST_S = 0.25
"""As much before the end, and how late a gateway on a busy machine may be; a block is 0.7 s."""


async def talk(lab: Lab, caller: Phone, agent: Phone) -> tuple[str, str]:
    """Let the two talk over `sales`, each humming; gives the names of both calls."""
    caller.hum(CALLER_HZ)
    agent.hum(AGENT_HZ)
    call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
    try:
        ring = await agent.answer_next()
    except TimeoutError:
        status = await lab.status()
        raise AssertionError(
            f"the call did not reach the agent: {list(caller.process._kept)}, refused"
            f" {status['refused']}, requests {status['sip']['requests']}, {await lab.agent('1001')}"
        ) from None
    await caller.established(call)
    return call, ring.call


def ended(pid: int) -> bool:
    """Whether a process that is not our child is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


async def test_a_killed_gateway_ends_its_calls_and_another_takes_the_next(lab: Lab) -> None:
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Phone("pjsua2") as agent,
        CountedParty(lab, "+12025550118") as another,
        CountedParty(lab, "1002") as colleague,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        call, leg = await talk(lab, caller, agent)
        await colleague.register()
        await lab.agent_is("1002", "available")
        await counted_party.talk(another, "4001", colleague)
        await asyncio.sleep(3.0)
        gateway = lab.gateway_pid
        killed = time.monotonic()
        os.kill(gateway, signal.SIGKILL)
        said = [2 * len(party.sound.said_at) for party in (another, colleague)]
        await asyncio.gather(
            caller.closed(call), agent.closed(leg), another.ended(), colleague.ended()
        )
        assert time.monotonic() - killed < 1.0
        await lab.agent_is("1001", "available")

        rows = {row["agent_id"]: row for row in await lab.recordings(2)}
        for row in rows.values():
            assert (row["error"], row["queue"]) == (None, "sales"), row
            path = Path(row["path"])
            assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
            left, right = stereo(path)
            assert row["duration_s"] == pytest.approx(len(left) / 8000, abs=0.01)
        left, right = stereo(Path(rows["1001"]["path"]))
        hears(left[4000:12_000], CALLER_HZ)
        hears(right[4000:12_000], AGENT_HZ)
        for channel, (party, pieces) in enumerate(zip((another, colleague), said, strict=True)):
            kept = recorded(Path(rows["1002"]["path"]), channel)
            newest = max(piece for piece in kept if piece is not None)
            assert (pieces - newest) * PIECE_S < LAST_S + longest_stall_s(party.sound)
            assert longest_hole_s(kept) < ON_ITS_WAY_S + longest_stall_s(party.sound)

        metrics = await lab.metrics()
        assert "switchroom_gateway_losses_total 1.0" in metrics
        assert "switchroom_recordings_broken_total 0.0" in metrics, "they are whole"

        ended_alike = [("gateway-lost",)] * 2
        await lab.rows_are(
            "select reason from interaction where ended_at is not null", *ended_alike
        )

        await lab.takes_calls()
        call, leg = await talk(lab, caller, agent)
        assert lab.gateway_pid != gateway
        await until_each_hears((caller, call, AGENT_HZ), (agent, leg, CALLER_HZ))
        await caller.hang_up(call)
        await agent.closed(leg)
        await lab.is_quiet()
        await lab.agent_is("1001", "available")


async def test_a_call_in_the_instant_of_the_loss_is_refused_or_ended(lab: Lab) -> None:
    async with Phone("baresip", number="+12025550117") as caller:
        os.kill(lab.gateway_pid, signal.SIGKILL)
        call = await caller.call(f"sip:4003@{lab.host}:{lab.sip_port}")
        closed = asyncio.create_task(caller.closed(call, 40.0))
        await asyncio.sleep(1.5)
        if closed.done():
            assert closed.result().status in (200, 503)
        else:  # the new gateway was there before the INVITE
            await caller.hang_up(call)
            await closed

        await lab.takes_calls()
        call = await caller.call(f"sip:4003@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        await caller.hang_up(call)
        await lab.is_quiet()


async def test_sound_outlives_the_call_agent_and_the_gateway_ends_by_itself(
    tmp_path: Path,
) -> None:
    config = edited(tmp_path, address='"127.0.0.1"\nlinger_s = 4')
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Phone("pjsua2") as agent,
        Lab(tmp_path, config=config) as lab,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        call, leg = await talk(lab, caller, agent)
        await until_heard(caller, call, AGENT_HZ)
        gateway = lab.gateway_pid
        lab.kill()
        died = time.monotonic()
        heard, heard_too = await asyncio.gather(listen(caller, call), listen(agent, leg))
        hears(heard, AGENT_HZ)
        hears(heard_too, CALLER_HZ)
        assert not ended(gateway)

        async def gone() -> bool:
            return ended(gateway)

        await lab.until(gone, message="the gateway lingers")
        assert 3.0 < time.monotonic() - died < 7.0
        (whole,) = (lab.data / "recordings").rglob("*.wav")
        left, right = stereo(whole)
        hears(left[4000:12_000], CALLER_HZ)
        hears(right[4000:12_000], AGENT_HZ)


async def test_without_its_journal_a_server_still_goes_on_with_the_gateway_that_lingers(
    tmp_path: Path,
) -> None:
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Phone("baresip") as agent,
        Lab(tmp_path, tolerates=("gateway",)) as lab,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001", expires_s=60)
        await lab.agent_is("1001", "available")
        call, _ = await talk(lab, caller, agent)
        await asyncio.sleep(1.5)
        gateway = lab.gateway_pid
        lab.kill()
        await lab.stop()
        lab.expects_crash = False
        (lab.data / FILE).unlink()
        await lab.start()
        row = (await lab.recordings(1))[-1]  # closed by the old gateway for the new call agent
        assert (row["error"], row["agent_id"]) == (None, "1001")
        assert row["duration_s"] > 1.0
        caller.process.hang_up(call)
        await caller.closed(call, 40.0)
        call = await caller.call(f"sip:4003@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        await caller.hang_up(call)
        await lab.is_quiet()
        assert await lab.stop() == 0

        async def gone() -> bool:
            return ended(gateway)

        await lab.until(gone, message="the old gateway is left behind")
