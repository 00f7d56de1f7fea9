"""What agents do with their phones alone: two at a time, and the transfer key; tones prove who hears whom."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.kit.hearing import (
    AGENT_HZ,
    CALLER_HZ,
    HEARD,
    OTHER_HZ,
    listen,
    stereo,
    until_each_hears,
    until_heard,
    was_heard,
)
from tests.kit.lab import Lab
from tests.kit.phone import Phone, tone_levels

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

RINGBACK_HZ = (440.0, 480.0)


async def queue_call(lab: Lab, caller: Phone, agent: Phone, number: str) -> tuple[str, str]:
    """The caller talks to the agent of `number`, out of a recorded queue."""
    await agent.register_to(lab.host, lab.sip_port, number, f"lab-{number}")
    await lab.agent_is(number, "available")
    call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
    ring = await agent.answer_next()
    await caller.established(call)
    await lab.agent_is(number, "talking")
    return call, ring.call


async def hears_ringback(phone: Phone, call: str) -> None:
    """Two seconds of tone and four of silence: heard within one period of it."""
    for _ in range(8):
        if max(tone_levels(await listen(phone, call), RINGBACK_HZ)) > HEARD / 4:
            return
    raise AssertionError("who is transferred should hear ringing")


async def test_a_blind_transfer_takes_the_customer_and_the_recording_along(lab: Lab) -> None:
    before = len(await lab.recordings(0))
    async with (
        Phone("baresip", number="+12025550131") as caller,
        Phone("baresip") as agent,
        Phone("pjsua2") as colleague,
    ):
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        colleague.hum(OTHER_HZ)
        call, own = await queue_call(lab, caller, agent, "1005")
        await colleague.register_to(lab.host, lab.sip_port, "1030", "lab-1030")
        await lab.agent_is("1030", "available")
        agent.process.transfer(own, "1030")
        ring = await colleague.incoming()
        await hears_ringback(caller, call)
        colleague.process.answer(ring.call)
        await colleague.established(ring.call)
        await agent.closed(own)
        await lab.agent_is("1005", "available")
        await lab.agent_is("1030", "talking")
        await until_each_hears((caller, call, OTHER_HZ), (colleague, ring.call, CALLER_HZ))
        await caller.hang_up(call)
        await colleague.closed(ring.call)
        await lab.is_quiet()
    row = (await lab.recordings(before + 1))[-1]
    assert len(await lab.recordings(0)) == before + 1, "it was never interrupted"
    left, right = stereo(Path(row["path"]))
    was_heard(left, CALLER_HZ)
    was_heard(right, AGENT_HZ)
    was_heard(right, OTHER_HZ)


async def test_a_colleague_declines_and_another_is_asked_first(lab: Lab) -> None:
    """A refusal changes nothing; then the agent asks on a second line, and connects the two."""
    before = len(await lab.recordings(0))
    async with (
        Phone("baresip", number="+12025550132") as caller,
        Phone("pjsua2") as agent,
        Phone("baresip") as colleague,
    ):
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        colleague.hum(OTHER_HZ)
        call, own = await queue_call(lab, caller, agent, "1006")
        await colleague.register_to(lab.host, lab.sip_port, "1031", "lab-1031")
        await lab.agent_is("1031", "available")
        agent.process.transfer(own, "1031")
        ring = await colleague.incoming()
        colleague.process.reject(ring.call)
        await colleague.closed(ring.call)
        await until_heard(caller, call, AGENT_HZ)
        await lab.agent_is("1006", "talking")

        agent.process.hold(own)
        await lab.agent_is("1006", "held")
        asked = await agent.call("1031")
        ring = await colleague.answer_next()
        await agent.established(asked)
        agent.process.connect(own, asked)
        await agent.closed(own)
        await agent.closed(asked)
        await until_each_hears((caller, call, OTHER_HZ), (colleague, ring.call, CALLER_HZ))
        await lab.agent_is("1006", "available")
        await colleague.hang_up(ring.call)
        await caller.closed(call)
        await lab.is_quiet()
    row = (await lab.recordings(before + 1))[-1]
    assert len(await lab.recordings(0)) == before + 1, "neither the refusal nor the hold ended it"
    left, right = stereo(Path(row["path"]))
    was_heard(left, CALLER_HZ)
    was_heard(right, AGENT_HZ)
    was_heard(right, OTHER_HZ)


async def test_a_customer_takes_the_place_in_line_that_its_agent_waits_in(lab: Lab) -> None:
    """The agent dials the queue on a second line, hears its music, and connects the two."""
    async with Phone("baresip", number="+12025550133") as caller, Phone("pjsua2") as agent:
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        call, own = await queue_call(lab, caller, agent, "1007")
        agent.process.hold(own)
        await lab.agent_is("1007", "held")
        waiting = await agent.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        await agent.established(waiting)  # with music: nobody is free
        agent.process.connect(own, waiting)
        await asyncio.gather(agent.closed(own), agent.closed(waiting))
        ring = await agent.answer_next()  # who is free now, and the first in line is the customer
        await until_each_hears((caller, call, AGENT_HZ), (agent, ring.call, CALLER_HZ))
        await caller.hang_up(call)
        await agent.closed(ring.call)
        await lab.is_quiet()


async def test_both_phones_of_an_agent_ring_and_one_talks(lab: Lab) -> None:
    async with Phone("baresip") as caller, Phone("baresip") as desk, Phone("pjsua2") as room:
        await desk.register_to(lab.host, lab.sip_port, "1004", "lab-1004")
        await room.register_to(lab.host, lab.sip_port, "1004", "lab-1004")
        await lab.agent_is("1004", "available")
        caller.hum(CALLER_HZ)
        room.hum(AGENT_HZ)
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        rung, ring = await asyncio.gather(desk.incoming(), room.incoming())
        room.process.answer(ring.call)
        await room.established(ring.call)
        await caller.established(call)
        await desk.closed(rung.call)
        await lab.agent_is("1004", "talking")
        await until_each_hears((caller, call, AGENT_HZ), (room, ring.call, CALLER_HZ))
        await caller.hang_up(call)
        await room.closed(ring.call)
        await lab.is_quiet()
        await lab.agent_is("1004", "available")
