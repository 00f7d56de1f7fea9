"""The media gateway is killed at each step of a call: what both parties see, who is called back."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, hears, listen, stereo, until_heard, was_heard
from tests.kit.lab import Lab, edited
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, sdp, status

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

NUMBER = "+12025550117"
TOLD_S = 1.0
"""From the death of the gateway to the end at both parties; hundredths of a second on a quiet machine."""
LOST = 'SIP;cause=503;text="The media gateway was lost"'


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """A server that calls back through `out` whoever is cut off in a queue."""
    folder = tmp_path_factory.mktemp("lab")
    config = edited(
        folder,
        service_level_s="20\ncall_back_when_lost = true\ncall_back_pause_s = 1",
        callers='["1001-1010"]\ncall_backs = true',
        wrap_up_s="0",
    )
    async with Lab(folder, config=config, tolerates=("media gateway", "gateway")) as running:
        yield running


async def call_backs(lab: Lab, interaction: str, state: str) -> list[tuple[str, str]]:
    """The steps told in the timeline of the interaction that was cut off, once `state` is there."""
    steps: list[tuple[str, str]] = []

    async def holds() -> bool:
        found: dict[str, Any] = await lab.get(f"/api/v1/interactions/{interaction}")
        lines = [line["data"] for line in found["timeline"] if line["type"] == "CallBack"]
        steps[:] = [(line["state"], line["reason"]) for line in lines]
        return state in [step for step, _ in steps]

    await lab.until(holds, message=f"no call-back was {state}: {steps}")
    return steps


async def the_last(lab: Lab, count: int) -> tuple[str, str, str]:
    """Id, result and reason of the last of `count` interactions, once it is over."""
    rows: list[tuple[Any, ...]] = []

    async def holds() -> bool:
        rows[:] = lab.query(
            "select id, result, reason from interaction where ended_at is not null"
            " order by started_at"
        )
        return len(rows) >= count

    await lab.until(holds, message="the history never had it")
    last = rows[-1]
    return last[0], last[1], last[2]


async def finished(lab: Lab) -> int:
    """Interactions that are over, once all are: history is written behind the calls."""
    await lab.rows_are("select count(*) from interaction where ended_at is null", (0,))
    return int(lab.query("select count(*) from interaction")[0][0])


async def test_in_the_menu_the_call_ends_and_nobody_is_called_back(lab: Lab) -> None:
    before = await finished(lab)
    async with Phone("baresip", number=NUMBER) as caller:
        call = await caller.call(f"sip:4000@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        killed = await lab.kill_gateway()
        await caller.closed(call)
        assert time.monotonic() - killed < TOLD_S
    last, result, reason = await the_last(lab, before + 1)
    assert (result, reason) == ("failed", "gateway-lost")
    await lab.takes_calls()
    detail = await lab.get(f"/api/v1/interactions/{last}")
    assert "CallBack" not in [line["type"] for line in detail["timeline"]]
    await lab.is_quiet()


async def test_in_the_queue_a_withheld_number_hears_why_and_is_not_dialled(lab: Lab) -> None:
    """One waits with music, one still hears it ring."""
    before = await finished(lab)
    async with (
        RawSip(lab.host, lab.sip_port, "anonymous") as caller,
        RawSip(lab.host, lab.sip_port, "anonymous") as ringer,
    ):
        caller.send(caller.invite("4001", sdp(caller.host, 40_000)))
        answer = await caller.final()
        assert status(answer) == 200, answer
        caller.acknowledge("4001", answer)
        ringer.send(ringer.invite("4001", sdp(ringer.host, 40_002)))
        while status(await ringer.receive()) != 180:
            pass
        killed = await lab.kill_gateway()
        refusal = await ringer.final()
        # On a slow machine its music may have come first.
        assert status(refusal) in (503, 200)
        assert status(refusal) == 200 or "\nRetry-After: " in refusal
        ringer.acknowledge("4001", refusal)
        bye = await caller.receive()
        assert time.monotonic() - killed < TOLD_S
        assert bye.startswith("BYE ")
        reason = re.search(r"\nReason: ([^\r]+)", bye)
        assert reason is not None
        assert reason[1] == LOST
        kept = ("Via", "From", "To", "Call-ID", "CSeq")
        lines = [line for line in bye.split("\r\n") if line.partition(":")[0] in kept]
        caller.send("\r\n".join(["SIP/2.0 200 OK", *lines, "", ""]).encode())
    last, *_ = await the_last(lab, before + 2)
    assert await call_backs(lab, last, "not-possible") == [("not-possible", "no-number")]
    await lab.takes_calls()
    await lab.is_quiet()


async def test_while_it_rings_the_agent_is_free_again_and_the_caller_called_back(lab: Lab) -> None:
    """The caller is busy at first; called again it gets the agent whose phone had rung."""
    before = await finished(lab)
    async with (
        Phone("baresip", number=NUMBER) as caller,
        Phone("baresip", number=NUMBER, port=lab.out_port) as carrier,
        Phone("pjsua2") as agent,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.incoming()
        killed = await lab.kill_gateway()
        await asyncio.gather(caller.closed(call), agent.closed(ring.call))
        assert time.monotonic() - killed < TOLD_S
        await lab.agent_is("1001", "available")
        last, *_ = await the_last(lab, before + 1)
        await lab.takes_calls()
        back = await carrier.incoming()
        carrier.process.reject(back.call, 486)
        assert ("failed", "busy") in await call_backs(lab, last, "failed")
        back = await carrier.answer_next()
        ring = await agent.answer_next()
        await carrier.hang_up(back.call)
        await agent.closed(ring.call)
    await lab.is_quiet()


@pytest.mark.parametrize("held", [False, True])
async def test_who_talked_is_called_back_and_talks_to_the_agent_again(lab: Lab, held: bool) -> None:
    recorded, before = len(await lab.recordings(0)), await finished(lab)
    async with (
        Phone("baresip", number=NUMBER) as caller,
        Phone("baresip", number=NUMBER, port=lab.out_port) as carrier,
        Phone("pjsua2") as agent,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        for phone, tone in ((caller, CALLER_HZ), (carrier, CALLER_HZ), (agent, AGENT_HZ)):
            phone.hum(tone)
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        await until_heard(caller, call, AGENT_HZ)
        await asyncio.sleep(1.5)  # sound for the recording: what is older than a second is safe
        if held:
            agent.process.hold(ring.call)
            await lab.agent_is("1001", "held")
        killed = await lab.kill_gateway()
        await asyncio.gather(caller.closed(call), agent.closed(ring.call))
        assert time.monotonic() - killed < TOLD_S
        await lab.agent_is("1001", "available")

        await lab.takes_calls()  # each one that was killed makes the next one wait for longer
        back = await carrier.answer_next()
        assert back.from_number.endswith("4001"), "it shows the number that was dialled"
        ring = await agent.answer_next()
        heard, heard_too = await asyncio.gather(
            listen(carrier, back.call), listen(agent, ring.call)
        )
        hears(heard, AGENT_HZ)
        hears(heard_too, CALLER_HZ)

        row = (await lab.recordings(recorded + 1))[recorded]
        assert row["error"] is None, row
        path = Path(row["path"])
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        left, right = stereo(path)
        was_heard(left, CALLER_HZ)
        was_heard(right, AGENT_HZ)
        await carrier.hang_up(back.call)
        await agent.closed(ring.call)
    again, result, _ = await the_last(lab, before + 2)
    assert result == "answered"
    first = lab.query("select id, reason from interaction order by started_at")[before]
    assert first[1] == "gateway-lost"
    steps = await call_backs(lab, first[0], "answered")
    assert [step for step, _ in steps] == ["planned", "dialled", "answered"]
    detail = await lab.get(f"/api/v1/interactions/{again}")
    assert detail["direction"] == "outbound"
    assert detail["timeline"][0]["data"]["call_back_of"] == first[0]
    await lab.is_quiet()


async def test_who_waited_when_the_server_died_as_a_whole_is_called_back_by_the_next(
    lab: Lab,
) -> None:
    before = await finished(lab)
    async with (
        Phone("baresip", number=NUMBER) as caller,
        Phone("baresip", number=NUMBER, port=lab.out_port) as carrier,
    ):
        await lab.takes_calls()  # the gateways that were killed before have made it wait
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        await lab.kill_gateway()
        await lab.restart()
        await caller.closed(call)
        last, result, reason = await the_last(lab, before + 1)
        assert (result, reason) == ("failed", "gateway-lost")
        await lab.takes_calls()
        back = await carrier.incoming()
        await call_backs(lab, last, "dialled")
        await lab.restart()  # the third server finds a phone that rings, and whom it rings for
        carrier.process.answer(back.call)
        await carrier.established(back.call)
        steps = await call_backs(lab, last, "answered")
        assert [step for step, _ in steps] == ["planned", "dialled", "answered"]
        await carrier.hang_up(back.call)
    await lab.is_quiet()
