"""The first real call, with two independent user agents over real sockets.

baresip takes the first digest challenge (SHA-256), PJSIP the last (MD5): both orders are proved.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest

from tests.kit.hearing import (
    AGENT_HZ,
    CALLER_HZ,
    HEARD,
    UNHEARD,
    listen,
    stereo,
    until_each_hears,
    until_heard,
    was_heard,
)
from tests.kit.lab import Lab
from tests.kit.phone import Phone, tone_levels

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("backend", ["baresip", "pjsua2"])
async def test_registers_with_the_right_password_only(lab: Lab, backend: str) -> None:
    async with Phone(backend) as phone:
        registered = await phone.register_to(lab.host, lab.sip_port, "1010", "lab-1010")
        assert registered.expires_s > 0
        await lab.agent_is("1010", "available")
    await lab.agent_is("1010", "logged-out")
    async with Phone(backend) as phone:
        with pytest.raises(PermissionError, match=r"40[13]"):
            await phone.register_to(lab.host, lab.sip_port, "1010", "wrong")
    assert (await lab.agent("1010"))["state"] == "logged-out"


@pytest.mark.parametrize(
    ("caller_backend", "agent_backend"), [("baresip", "pjsua2"), ("pjsua2", "baresip")]
)
async def test_menu_digit_queue_agent_and_who_hears_whom(
    lab: Lab, caller_backend: str, agent_backend: str
) -> None:
    before = len(await lab.recordings(0))
    async with (
        Phone(caller_backend, number="+12025550117") as caller,
        Phone(agent_backend) as agent,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        call = await caller.call(f"sip:4000@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        caller.press(call, "1")
        ring = await agent.answer_next()
        answered = time.monotonic()
        assert ring.from_number.endswith("2025550117")
        await lab.agent_is("1001", "talking")
        await until_each_hears((caller, call, AGENT_HZ), (agent, ring.call, CALLER_HZ))

        await hold_and_resume(lab, caller, call, agent, ring.call)

        talked_s = time.monotonic() - answered
        await agent.hang_up(ring.call)
        await caller.closed(call)
        await lab.is_quiet()
        await lab.agent_is("1001", "available")
    await recorded_left_and_right(lab, before, talked_s)


async def hold_and_resume(lab: Lab, caller: Phone, call: str, agent: Phone, leg: str) -> None:
    """The agent's phone holds by re-INVITE: music for the caller, nothing for the agent."""
    agent.process.hold(leg)
    await lab.agent_is("1001", "held")
    music = await listen(caller, call)
    assert np.abs(music.astype(float)).mean() > 50, "the caller should hear music"
    assert tone_levels(music, [AGENT_HZ])[0] < UNHEARD, "and not the agent"
    agent.process.resume(leg)
    await lab.agent_is("1001", "talking")
    await until_each_hears((caller, call, AGENT_HZ), (agent, leg, CALLER_HZ))


async def recorded_left_and_right(lab: Lab, before: int, talked_s: float) -> None:
    """One file for the contact, hold included; customer left, agent right."""
    row = (await lab.recordings(before + 1))[-1]
    assert len(await lab.recordings(0)) == before + 1
    path = Path(row["path"])
    assert row["error"] is None
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
    left, right = stereo(path)
    assert row["duration_s"] == pytest.approx(len(left) / 8000, abs=0.05)
    assert row["duration_s"] > talked_s - 0.3, "the hold belongs to the recording"
    was_heard(left, CALLER_HZ)
    was_heard(right, AGENT_HZ)


async def test_waits_with_music_until_an_agent_comes(lab: Lab) -> None:
    async with Phone("baresip", number="+12025550103") as caller, Phone("baresip") as agent:
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        await caller.ringing(call)
        await caller.established(call)  # after a second, nobody being there
        music = await listen(caller, call)
        assert np.abs(music.astype(float)).mean() > 50
        agent.hum(AGENT_HZ)
        await agent.register_to(lab.host, lab.sip_port, "1002", "lab-1002")
        ring = await agent.answer_next()
        await until_heard(caller, call, AGENT_HZ)
        await caller.hang_up(call)
        await agent.closed(ring.call)
        await lab.is_quiet()


async def test_echo_lets_the_caller_hear_itself(lab: Lab) -> None:
    async with Phone("pjsua2") as caller:
        caller.hum(CALLER_HZ)
        call = await caller.call(f"sip:4002@{lab.host}:{lab.sip_port}")
        await caller.established(call)

        async def echoes() -> bool:
            sound = await caller.hear(call, 0.5)
            return tone_levels(sound, [CALLER_HZ])[0] > HEARD

        await lab.until(echoes, message="no echo came")
        await caller.hang_up(call)
        await lab.is_quiet()


async def test_announcement_plays_and_hangs_up(lab: Lab) -> None:
    async with Phone("baresip") as caller:
        call = await caller.call(f"sip:4003@{lab.host}:{lab.sip_port}")
        await caller.established(call)
        speech = await listen(caller, call)
        assert np.abs(speech.astype(float)).mean() > 50
        await caller.closed(call)
        await lab.is_quiet()


async def test_phones_call_each_other(lab: Lab) -> None:
    async with Phone("baresip") as one, Phone("pjsua2") as two:
        await one.register_to(lab.host, lab.sip_port, "1030", "lab-1030")
        await two.register_to(lab.host, lab.sip_port, "1031", "lab-1031")
        one.hum(CALLER_HZ)
        two.hum(AGENT_HZ)
        call = await one.call("1031")
        ring = await two.answer_next()
        await one.established(call)
        await lab.agent_is("1031", "engaged")
        await until_each_hears((one, call, AGENT_HZ), (two, ring.call, CALLER_HZ))
        await two.hang_up(ring.call)
        await one.closed(call)
        await lab.agent_is("1031", "available")
        await lab.is_quiet()


@pytest.mark.parametrize(("phone", "allowed"), [("1005", True), ("1040", False)])
async def test_only_some_phones_call_out(lab: Lab, phone: str, allowed: bool) -> None:
    async with Phone("baresip") as one:
        await one.register_to(lab.host, lab.sip_port, phone, f"lab-{phone}")
        call = await one.call("+12025550142")
        closed = await one.closed(call, 40.0)
        # nobody listens at the trunk's port: unreachable for those who may, refused for the others
        assert (closed.status == 403) is not allowed, closed


async def test_unknown_numbers_are_not_found(lab: Lab) -> None:
    async with Phone("baresip", number="+12025550199") as caller:
        call = await caller.call(f"sip:4999@{lab.host}:{lab.sip_port}")
        assert (await caller.closed(call)).status == 404
