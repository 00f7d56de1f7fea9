"""Either side hangs up, at every step: no leg, no reserved agent, no open file is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.kit.lab import Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

AGENT = "1001"


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["baresip", "pjsua2"])
async def caller(request: pytest.FixtureRequest) -> AsyncIterator[Phone]:
    async with Phone(request.param, number="+12025550117") as phone:
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def agent(lab: Lab) -> AsyncIterator[Phone]:
    async with Phone("baresip") as phone:
        await phone.register_to(lab.host, lab.sip_port, AGENT, f"lab-{AGENT}")
        await lab.agent_is(AGENT, "available")
        yield phone


async def dial(lab: Lab, caller: Phone, number: str) -> str:
    to = f"sip:{number}@{lab.host}:{lab.sip_port}"
    return await (caller.call_until_it_rings(to) if number == "4001" else caller.call(to))


async def last(lab: Lab) -> tuple[str, str]:
    """Result and reason of the interaction that ended last, once all is written."""
    rows: list[tuple[str, str]] = []

    async def kept() -> bool:
        if (await lab.status())["history"]["pending"]:
            return False
        rows[:] = lab.query(
            "select result, reason from interaction where ended_at is not null"
            " order by started_at desc limit 1"
        )
        open_ones = lab.query("select count(*) from interaction where ended_at is null")
        return open_ones == [(0,)]

    await lab.until(kept)
    return rows[0]


async def test_in_the_menu(lab: Lab, caller: Phone) -> None:
    call = await dial(lab, caller, "4000")
    await caller.established(call)
    await asyncio.sleep(0.3)
    await caller.hang_up(call)
    await lab.is_quiet()
    assert await last(lab) == ("menu", "caller-hung-up")
    files = await lab.open_files()
    for digits in ("", "1", "9"):
        call = await dial(lab, caller, "4000")
        await caller.established(call)
        if digits:
            caller.press(call, digits)  # and away while the key is still down
        await caller.hang_up(call)
    await lab.is_quiet()
    await lab.files_are_as(files)


async def test_waiting(lab: Lab, caller: Phone) -> None:
    call = await dial(lab, caller, "4001")
    await caller.ringing(call)
    files = await lab.open_files()
    await caller.hang_up(call)  # before the second after which it would be answered
    await lab.is_quiet()
    assert await last(lab) == ("abandoned", "caller-cancelled")

    call = await dial(lab, caller, "4001")
    await caller.established(call)
    await asyncio.sleep(0.3)  # music
    await caller.hang_up(call)
    await lab.is_quiet()
    assert await last(lab) == ("abandoned", "caller-hung-up")
    await lab.files_are_as(files)


async def test_while_the_agent_rings(lab: Lab, caller: Phone, agent: Phone) -> None:
    files = await lab.open_files()
    call = await dial(lab, caller, "4001")
    ring = await agent.incoming()
    await lab.agent_is(AGENT, "ringing")
    await caller.hang_up(call)
    await agent.closed(ring.call)
    await lab.is_quiet()
    await lab.agent_is(AGENT, "available")
    assert await last(lab) == ("abandoned", "caller-cancelled")
    await lab.files_are_as(files)


async def test_in_the_instant_of_the_answer(lab: Lab, caller: Phone, agent: Phone) -> None:
    files = await lab.open_files()
    for wait_s in (0.0, 0.0, 0.005, 0.01, 0.02, 0.04):
        call = await dial(lab, caller, "4001")
        ring = await agent.incoming()
        agent.process.answer(ring.call)
        await asyncio.sleep(wait_s)
        await caller.hang_up(call)
        await agent.closed(ring.call)
        await lab.agent_is(AGENT, "available")
    await lab.is_quiet()
    await lab.files_are_as(files)


async def test_agent_goes_in_the_instant_of_its_answer(
    lab: Lab, caller: Phone, agent: Phone
) -> None:
    files = await lab.open_files()
    for wait_s in (0.04, 0.01, 0.0, 0.0):
        recordings = len(await lab.recordings(0))
        call = await dial(lab, caller, "4001")
        ring = await agent.incoming()
        agent.process.answer(ring.call)
        await asyncio.sleep(wait_s)
        agent.process.hang_up(ring.call)
        closed = asyncio.create_task(caller.closed(call))
        await agent.closed(ring.call)
        await asyncio.wait([closed], timeout=0.5)
        if not closed.done():  # it hung up before its answer was out: the caller waits on
            await caller.hang_up(call)
        await closed
        await lab.is_quiet()
        if (await last(lab))[0] == "answered":
            rows = await lab.recordings(recordings + 1)
            assert [row["error"] for row in rows[recordings:]] == [None]
            await lab.agent_is(AGENT, "available")
        else:
            await lab.agent_is(AGENT, "not-ready")  # who refuses is not called again at once
            break
    await lab.files_are_as(files)


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("by_agent", [False, True])
async def test_in_the_talk(
    lab: Lab, caller: Phone, agent: Phone, held: bool, by_agent: bool
) -> None:
    files = await lab.open_files()
    recordings = len(await lab.recordings(0))
    call = await dial(lab, caller, "4001")
    ring = await agent.answer_next()
    await caller.established(call)
    await lab.agent_is(AGENT, "talking")
    if held:
        await asyncio.sleep(0.3)  # baresip takes back a hold that follows its answer at once
        agent.process.hold(ring.call)
        await lab.agent_is(AGENT, "held")
    if by_agent:
        await agent.hang_up(ring.call)
        await caller.closed(call)
    else:
        await caller.hang_up(call)
        await agent.closed(ring.call)
    await lab.is_quiet()
    await lab.agent_is(AGENT, "available")
    assert await last(lab) == ("answered", "agent-hung-up" if by_agent else "caller-hung-up")
    row = (await lab.recordings(recordings + 1))[-1]
    assert row["error"] is None
    await lab.files_are_as(files)


async def test_both_hang_up_at_once(lab: Lab, caller: Phone, agent: Phone) -> None:
    files = await lab.open_files()
    for _ in range(3):
        call = await dial(lab, caller, "4001")
        ring = await agent.answer_next()
        await caller.established(call)
        caller.process.hang_up(call)
        agent.process.hang_up(ring.call)
        await caller.closed(call)
        await agent.closed(ring.call)
        await lab.agent_is(AGENT, "available")
    await lab.is_quiet()
    await lab.files_are_as(files)
