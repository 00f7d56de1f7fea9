"""An agent who cannot take the call: the caller keeps its place and goes to the next."""

from __future__ import annotations

import asyncio
import time

import pytest

from cti.schema import EventType
from tests.kit.desk import Desk
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, until_each_hears, until_heard
from tests.kit.lab import Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

EDITED = {"ring_timeout_s": 2}


async def agent_phone(lab: Lab, phone: Phone, number: str) -> None:
    await phone.register_to(lab.host, lab.sip_port, number, f"lab-{number}")
    await lab.agent_is(number, "available")


async def dial(lab: Lab, caller: Phone) -> str:
    return await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")


async def hang_up(lab: Lab, caller: Phone, call: str) -> None:
    await caller.hang_up(call)
    await lab.is_quiet()


async def test_who_rejects_is_not_ready_and_the_next_one_rings(lab: Lab) -> None:
    async with (
        Phone("pjsua2", number="+12025550117") as caller,
        Phone("baresip") as first,
        Phone("baresip") as second,
    ):
        await agent_phone(lab, first, "1001")
        await agent_phone(lab, second, "1002")
        call = await dial(lab, caller)
        ring = await first.incoming()
        first.process.reject(ring.call)
        await first.closed(ring.call)
        ring = await second.answer_next()
        await caller.established(call)
        view = await lab.agent("1001")
        assert (view["state"], view["reason"]) == ("not-ready", "rejected")
        second.hum(AGENT_HZ)
        await until_heard(caller, call, AGENT_HZ)
        await second.hang_up(ring.call)
        await caller.closed(call)
        await lab.is_quiet()
        await lab.agent_is("1002", "available")


async def test_who_does_not_answer_is_not_ready_and_the_caller_keeps_its_place(lab: Lab) -> None:
    async with (
        Phone("baresip", number="+12025550103") as one,
        Phone("baresip", number="+12025550104") as two,
        Phone("baresip") as first,
        Desk(lab, "super", backend=None) as watcher,
    ):
        await agent_phone(lab, first, "1003")
        dialled = time.monotonic()
        call_one = await dial(lab, one)
        ring = await first.incoming()
        call_two = await dial(lab, two)
        closed = await first.closed(ring.call)
        waited_s = time.monotonic() - dialled
        assert closed.status in (0, 200, 487)
        assert waited_s > 1.9
        await lab.agent_is("1003", "not-ready")
        assert (await lab.agent("1003"))["reason"] == "no-answer"
        diverted = await watcher.event(EventType.DIVERTED)
        assert diverted.data.failure == "no-answer"
        # From its 180 on, which a busy machine sends late; to the millisecond in `tests/acd`.
        assert 0.0 < diverted.data.rang_s < waited_s
        await one.established(call_one)
        await two.established(call_two)
        # another agent comes: the first caller is still the first
        async with Phone("pjsua2") as second:
            second.hum(AGENT_HZ)
            one.hum(CALLER_HZ)
            await second.register_to(lab.host, lab.sip_port, "1004", "lab-1004")
            ring = await second.answer_next()
            assert ring.from_number.endswith("2025550103")
            await until_each_hears((one, call_one, AGENT_HZ), (second, ring.call, CALLER_HZ))
            await one.hang_up(call_one)
            await second.closed(ring.call)
            ring = await second.answer_next()
            assert ring.from_number.endswith("2025550104")
            await hang_up(lab, two, call_two)


async def test_who_was_not_ready_takes_calls_again_when_it_says_so(lab: Lab) -> None:
    async with Desk(lab, "1007") as desk, Phone("baresip", number="+12025550103") as caller:
        await desk.ready()
        call = await dial(lab, caller)
        ring = await desk.phone.incoming()
        desk.phone.process.reject(ring.call)
        await lab.agent_is("1007", "not-ready")
        mark = desk.mark()
        await desk.api.set_state("available")
        await desk.pop(after=mark)  # the same caller still waits
        await desk.phone.answer_next()
        await hang_up(lab, caller, call)


async def test_phone_unregisters_while_its_agent_waits(lab: Lab) -> None:
    async with Phone("baresip", number="+12025550103") as caller:
        async with Phone("baresip") as agent:
            await agent_phone(lab, agent, "1008")
        await lab.agent_is("1008", "logged-out")
        call = await dial(lab, caller)
        await caller.established(call)  # music: nobody is there
        await hang_up(lab, caller, call)


async def test_phone_unregisters_while_it_rings(lab: Lab) -> None:
    async with Phone("baresip", number="+12025550103") as caller, Phone("pjsua2") as agent:
        await agent_phone(lab, agent, "1009")
        call = await dial(lab, caller)
        ring = await agent.incoming()
        agent.process.unregister()
        await agent.closed(ring.call)
        await lab.agent_is("1009", "logged-out")
        await caller.established(call)
        await hang_up(lab, caller, call)
        assert (await lab.agent("1009"))["state"] == "logged-out"


async def test_phone_unregisters_while_it_talks(lab: Lab) -> None:
    async with Phone("baresip", number="+12025550103") as caller, Phone("pjsua2") as agent:
        await agent_phone(lab, agent, "1010")
        agent.hum(AGENT_HZ)
        call = await dial(lab, caller)
        ring = await agent.answer_next()
        await caller.established(call)
        agent.process.unregister()
        await asyncio.sleep(0.3)
        await until_heard(caller, call, AGENT_HZ)
        await lab.agent_is("1010", "talking")
        await agent.hang_up(ring.call)
        await caller.closed(call)
        await lab.is_quiet()
        await lab.agent_is("1010", "logged-out")


async def test_phone_dies_while_it_rings_and_the_caller_goes_to_the_next(lab: Lab) -> None:
    async with Phone("baresip", number="+12025550103") as caller, Phone("pjsua2") as second:
        second.hum(AGENT_HZ)
        async with Phone("baresip") as first:
            await agent_phone(lab, first, "1012")
            call = await dial(lab, caller)
            await first.incoming()
            await agent_phone(lab, second, "1013")
            first.kill()
        ring = await second.answer_next()
        await caller.established(call)
        await until_heard(caller, call, AGENT_HZ)
        assert (await lab.agent("1012"))["reason"] == "no-answer"
        await second.hang_up(ring.call)
        await caller.closed(call)


async def test_phone_dies_while_it_talks_and_is_hung_up_for_it(lab: Lab) -> None:
    """A phone that vanishes without a word: its RTP stops. Here the caller hangs up first."""
    async with Phone("baresip", number="+12025550103") as caller:
        agent = Phone("baresip")
        await agent.__aenter__()
        await agent_phone(lab, agent, "1011")
        call = await dial(lab, caller)
        await agent.answer_next()
        await caller.established(call)
        agent.kill()
        await agent.__aexit__(None, None, None)
        await caller.hang_up(call)
        # the BYE to the dead phone times out; the agent is free of the call at once
        await lab.agent_is("1011", "available")
