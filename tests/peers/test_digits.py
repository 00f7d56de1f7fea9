"""Digits in every way that phones send them, between user agents of others: menus, calls, conferences.

What the desk's phone cannot do, INFO and tones, PJSIP does in a process of its own (`tests.kit.pjsip`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.kit.hearing import HEARD
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone, tone_levels
from tests.kit.pjsip import OneCall, messages
from tests.kit.scene import Scene

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

BY_INFO, BY_TONES = "1049", "1050"
"""Phones whose digits go these ways, says the site."""
FIVE_HZ = (770.0, 1336.0)
"""The tones of a 5 (ITU-T Q.23)."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    text = (ROOT / "config" / "lab.toml").read_text()
    phones = 'numbers = "1001-1050"\npassword = "lab-{number}"\nsrtp'
    assert phones in text
    text = text.replace(phones, phones.replace("1050", "1048"))
    for number, way in ((BY_INFO, "info"), (BY_TONES, "inband")):
        text += f'\n[[phones]]\nnumbers = "{number}"\npassword = "lab-{number}"\ndtmf = "{way}"\n'
    config = folder / "lab.toml"
    config.write_text(text)
    async with Lab(folder, config=config) as running:
        yield running


async def talk(lab: Lab, one: Phone, own: str, two: Phone, number: str) -> tuple[str, str]:
    """Two phones register, and one calls the other; the call as either names it."""
    await one.register_to(lab.host, lab.sip_port, own, f"lab-{own}")
    await two.register_to(lab.host, lab.sip_port, number, f"lab-{number}")
    call = await one.call(number)
    ring = await two.answer_next()
    await one.established(call)
    return call, ring.call


def login(lab: Lab, number: str) -> str:
    return f"{number}:lab-{number}@{lab.host}:{lab.sip_port}"


async def test_keys_cross_a_call_both_ways(lab: Lab) -> None:
    async with Phone("baresip") as one, Phone("pjsua2") as two:
        call, ring = await talk(lab, one, "1010", two, "1011")
        one.press(call, "15#")
        assert await two.digits(ring, 3) == "15#"
        two.press(ring, "*90")
        assert await one.digits(call, 3) == "*90"
        await one.hang_up(call)
        await two.closed(ring)
    await lab.is_quiet()


async def test_a_key_in_a_conference_reaches_everybody_else(lab: Lab) -> None:
    async with AsyncExitStack() as phones:
        scene = Scene(lab, phones)
        customer, _ = await scene.talk()
        expert = await scene.phone("baresip", "1030")
        await scene.do("consult", {"number": "1030"})
        await expert.answer()
        await scene.do("consult/join")
        await scene.hear(
            _12025550103="1001 1030", _1001="12025550103 1030", _1030="12025550103 1001"
        )
        for by, digit in ((customer, "7"), (expert, "3")):
            others = [party for party in scene.parties if party is not by]
            by.phone.press(by.call, digit)
            told = await asyncio.gather(*(each.phone.digits(each.call, 1) for each in others))
            assert told == [digit, digit]
        await scene.leave()


async def test_a_phone_of_info_is_told_digits_so(lab: Lab) -> None:
    async with Phone("baresip") as one, Phone("pjsua2") as two:
        call, ring = await talk(lab, one, "1012", two, BY_INFO)
        one.press(call, "42#")
        assert await two.digits(ring, 3) == "42#"
        (trace,) = await lab.get(f"/api/v1/trace?wanted={BY_INFO}")
        assert trace["ladder"].count("200 OK (INFO)") == 3
        await one.hang_up(call)
        await two.closed(ring)
    await lab.is_quiet()


async def test_a_phone_of_tones_is_told_digits_so(lab: Lab) -> None:
    async with Phone("baresip") as one, Phone("pjsua2") as two:
        call, ring = await talk(lab, one, "1013", two, BY_TONES)

        async def sounds() -> bool:
            one.press(call, "5555")
            return min(tone_levels(await two.hear(ring, 0.6), FIVE_HZ)) > HEARD / 2

        await lab.until(sounds, message="no digit was heard")
        await one.hang_up(call)
        await two.closed(ring)
    await lab.is_quiet()


@pytest.mark.parametrize("way", ["info", "tones"])
async def test_a_menu_is_answered_by_info_and_by_tones(lab: Lab, way: str) -> None:
    """1 leads to the queue of agent 1002."""
    number = {"info": BY_INFO, "tones": BY_TONES}[way]
    async with Phone("baresip") as agent:
        await agent.register_to(lab.host, lab.sip_port, "1002", "lab-1002")
        await lab.agent_is("1002", "available")
        target = f"sip:4000@{lab.host}:{lab.sip_port}"
        caller = await OneCall.start(
            "call", target, login=login(lab, number), talk_s=30.0, keys="1", way=way
        )
        try:
            ring = await agent.answer_next()
            await agent.hang_up(ring.call)
            trace = await caller.over()
        finally:
            await caller.kill()
    assert messages(trace, "RX").count("200/INFO") == (way == "info")
    await lab.is_quiet()
