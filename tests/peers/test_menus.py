"""The menus of the lab, as callers meet them."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from cti.schema import EventType
from tests.kit.desk import Desk
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, HEARD, listen, until_each_hears
from tests.kit.lab import Lab
from tests.kit.phone import Phone, tone_levels

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(
    ("backend", "number", "digit", "queue", "agent"),
    [("pjsua2", "4010", "1", "sales", "1001"), ("baresip", "4010", "2", "support", "1026")],
)
async def test_chinese_menu(
    lab: Lab, backend: str, number: str, digit: str, queue: str, agent: str
) -> None:
    async with (
        Phone(backend, number="+12025550102") as caller,
        Phone("baresip") as phone,
        Desk(lab, "super", backend=None) as watcher,
    ):
        await phone.register_to(lab.host, lab.sip_port, agent, f"lab-{agent}")
        await lab.agent_is(agent, "available")
        caller.hum(CALLER_HZ)
        phone.hum(AGENT_HZ)
        call = await caller.call(f"sip:{number}@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        speech = await listen(caller, call)
        assert np.abs(speech.astype(float)).mean() > 50, "the prompt should be heard"
        caller.press(call, digit)  # barges in
        ring = await phone.answer_next()
        queued = await watcher.event(EventType.QUEUED)
        assert queued.data.queue == queue
        steps = [seen.data.flow for seen in watcher.all(EventType.FLOW_STEP)]
        assert set(steps) == {"main-menu-zh"}
        await until_each_hears((caller, call, AGENT_HZ), (phone, ring.call, CALLER_HZ))
        await caller.hang_up(call)
        await phone.closed(ring.call)
        await lab.is_quiet()


async def test_echo_by_digit_nine(lab: Lab) -> None:
    async with Phone("baresip") as caller:
        caller.hum(CALLER_HZ)
        call = await caller.call(f"sip:4000@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        await asyncio.sleep(0.3)
        caller.press(call, "9")

        async def echoes() -> bool:
            return tone_levels(await caller.hear(call, 0.5), [CALLER_HZ])[0] > HEARD

        await lab.until(echoes, message="no echo came")
        await caller.hang_up(call)
        await lab.is_quiet()


async def test_load_menu_leads_to_a_recorded_call_with_a_load_agent(lab: Lab) -> None:
    """4103: one prompt, one digit, then an agent with a static binding, here a phone at its port."""
    before = len(await lab.recordings(0))
    async with Phone("pjsua2", number="+12025550117") as caller:
        agent = LoadAgent(lab)
        async with agent.phone:
            caller.hum(CALLER_HZ)
            agent.phone.hum(AGENT_HZ)
            call = await caller.call(f"sip:4103@{lab.host}:{lab.sip_port}")
            await caller.established(call)
            caller.press(call, "7")  # nothing lies there: asked again
            await asyncio.sleep(0.5)
            caller.press(call, "1")
            ring = await agent.phone.answer_next()
            await until_each_hears((caller, call, AGENT_HZ), (agent.phone, ring.call, CALLER_HZ))
            await caller.hang_up(call)
            await agent.phone.closed(ring.call)
            await lab.is_quiet()
    row = (await lab.recordings(before + 1))[-1]
    assert (row["queue"], row["error"]) == ("load", None)
    assert 2000 <= int(row["agent_id"]) <= 5999


async def test_a_load_agent_that_does_not_answer_is_tried_again(lab: Lab) -> None:
    """Nobody listens at the load agents' port: the caller waits, and nothing is left behind."""
    async with Phone("baresip", number="+12025550117") as caller:
        call = await caller.call(f"sip:4101@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        agent = LoadAgent(lab)
        async with agent.phone:
            await agent.phone.answer_next()
            await caller.hang_up(call)
            await lab.is_quiet()


class LoadAgent:
    """A phone at the port of all agents of queue `load`."""

    def __init__(self, lab: Lab) -> None:
        self.phone = Phone("baresip", port=lab.agent_port)
