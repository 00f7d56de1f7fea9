"""The server is told to stop while people talk, wait and call: who may finish, and what the rest hear."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, hears, listen
from tests.kit.lab import Lab, edited
from tests.kit.phone import Phone, tone_levels
from tests.kit.raw_sip import RawSip, sdp, status

pytestmark = [pytest.mark.peer, pytest.mark.slow]

STOPPING = 'SIP;cause=503;text="The server is stopping"'


async def talk(lab: Lab, caller: Phone, agent: Phone) -> tuple[str, str]:
    """Let the two talk over `sales`, each humming; gives the names of both calls."""
    await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
    await lab.agent_is("1001", "available")
    caller.hum(CALLER_HZ)
    agent.hum(AGENT_HZ)
    call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
    ring = await agent.answer_next()
    await caller.established(call)
    return call, ring.call


async def is_draining(lab: Lab) -> str:
    """Wait until the server says that it is stopping; gives the reason in its words."""
    said: dict[str, str] = {}

    async def holds() -> bool:
        async with httpx.AsyncClient(timeout=30.0, verify=False) as client:
            reply = await client.get(f"{lab.url}/readyz")
        said.update(reply.json())
        return reply.status_code == 503 and said["status"] == "draining"

    await lab.until(holds)
    return said["reason"]


async def wait_in_queue(lab: Lab, waiting: RawSip) -> str:
    """Call `support`, where nobody is; gives the 200, once it came: music plays from now on."""
    number = "4001"
    waiting.send(waiting.invite(number, sdp(waiting.host, 40_000)))
    answer = await waiting.final()
    assert status(answer) == 200, answer
    waiting.acknowledge(number, answer)
    return answer


async def test_a_talk_goes_on_and_ends_by_itself_while_nothing_new_is_taken(
    tmp_path: Path,
) -> None:
    config = edited(tmp_path, drain_s="60")
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Phone("pjsua2") as agent,
        Lab(tmp_path, config=config) as lab,
    ):
        call, leg = await talk(lab, caller, agent)
        lab.terminate()
        assert await is_draining(lab) == "draining: 1 call left"
        snapshot = await lab.get("/api/v1/snapshot")
        assert (snapshot["server"]["stopping"], snapshot["server"]["calls_left"]) == (True, 1)
        assert snapshot["server"]["stops_at"] > time.time() + 20

        async with RawSip(lab.host, lab.sip_port) as stranger:
            stranger.send(stranger.invite("4001", sdp(stranger.host, 40_000)))
            refused = await stranger.final()
            assert status(refused) == 503
            assert "\nRetry-After: " in refused
            stranger.acknowledge("4001", refused)
            stranger.send(stranger.request("OPTIONS"))
            assert status(await stranger.final()) == 503
        async with Phone("baresip") as other:
            await other.register_to(lab.host, lab.sip_port, "1002", "lab-1002")
        dialled = await lab.post("/api/v1/agents/me/dial", {"number": "1002"}, "1001")
        assert (dialled.status_code, "stopping" in dialled.text) == (409, True)

        heard, heard_too = await asyncio.gather(listen(caller, call), listen(agent, leg))
        hears(heard, AGENT_HZ)
        hears(heard_too, CALLER_HZ)
        await caller.hang_up(call)
        await agent.closed(leg)
        assert await lab.ended(40.0) == 0
        text = lab.log.read_text()
        assert "stopping: 1 call left, at most" in text
        assert "stopping: 0 calls left" in text
        assert lab.query("select result, reason from interaction") == [
            ("answered", "caller-hung-up")
        ]


async def test_when_time_is_up_everybody_hears_why_and_the_server_ends(tmp_path: Path) -> None:
    config = edited(tmp_path, drain_s="1")
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Phone("pjsua2") as agent,
        Lab(tmp_path, config=config) as lab,
        RawSip(lab.host, lab.sip_port, "+12025550118") as waiting,
    ):
        call, leg = await talk(lab, caller, agent)
        await wait_in_queue(lab, waiting)
        lab.terminate()
        began = time.monotonic()
        await is_draining(lab)

        async def is_said() -> bool:
            return "2 calls are told and ended" in lab.log.read_text()

        await lab.until(is_said)
        assert time.monotonic() - began > 0.9
        heard, heard_too = await asyncio.gather(listen(caller, call), listen(agent, leg))
        for pcm, tone in ((heard, AGENT_HZ), (heard_too, CALLER_HZ)):
            assert tone_levels(pcm, [tone])[0] < 500, "they are no longer connected"
            assert np.abs(pcm).max() > 1000, "something is said"
        # The first two seconds were listened to; the announcement takes six.
        bye = await waiting.receive()
        assert bye.startswith("BYE ")
        reason = re.search(r"\nReason: ([^\r]+)", bye)
        assert reason is not None
        assert reason[1] == STOPPING
        waiting.send(_ok(bye))
        await caller.closed(call)
        await agent.closed(leg)
        assert await lab.ended(40.0) == 0
        assert sorted(lab.query("select result, reason from interaction")) == [
            ("answered", "shutdown"),
            ("failed", "shutdown"),
        ]
        assert [row["error"] for row in await lab.recordings(1)] == [None]


async def test_a_second_signal_ends_everything_at_once(tmp_path: Path) -> None:
    config = edited(tmp_path, drain_s="60")
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Lab(tmp_path, config=config) as lab,
    ):
        await lab.is_quiet()  # a start on a busy machine may count as overload at first
        call = await caller.call(f"sip:4002@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        lab.terminate()
        await is_draining(lab)
        lab.terminate()
        await caller.closed(call)
        assert await lab.ended(40.0) == 0


def _ok(request: str) -> bytes:
    """200 to a request."""
    kept = ("Via", "From", "To", "Call-ID", "CSeq")
    lines = [line for line in request.split("\r\n") if line.partition(":")[0] in kept]
    return "\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0", "", ""]).encode()
