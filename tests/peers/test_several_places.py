"""An agent with two phones: both ring, one answers, the other is told that it was answered elsewhere."""

from __future__ import annotations

import asyncio

import pytest

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, hears, listen
from tests.kit.lab import Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(("first", "other"), [("baresip", "pjsua2"), ("pjsua2", "baresip")])
async def test_both_phones_of_an_agent_ring_and_one_talks(lab: Lab, first: str, other: str) -> None:
    async with Phone("baresip") as caller, Phone(first) as desk, Phone(other) as room:
        await desk.register_to(lab.host, lab.sip_port, "1004", "lab-1004")
        await room.register_to(lab.host, lab.sip_port, "1004", "lab-1004")
        await lab.agent_is("1004", "available")
        caller.hum(CALLER_HZ)
        room.hum(AGENT_HZ)
        call = await caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
        rung, ring = await asyncio.gather(desk.incoming(10.0), room.incoming(10.0))
        room.process.answer(ring.call)
        await room.established(ring.call)
        await caller.established(call)
        await desk.closed(rung.call)
        await lab.agent_is("1004", "talking")
        hears(await listen(caller, call), AGENT_HZ)
        hears(await listen(room, ring.call), CALLER_HZ)
        await caller.hang_up(call)
        await room.closed(ring.call)
        await lab.is_quiet()
        await lab.agent_is("1004", "available")
