"""A phone is killed at each stage of a call: its call ends, and whoever it was with is told or goes on.

What notices is the silence: RTP for whom sound is expected, else what is asked and not answered. A phone
that rings and dies is in `test_offers.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.kit.hearing import (
    AGENT_HZ,
    CALLER_HZ,
    OTHER_HZ,
    stereo,
    until_each_hears,
    until_heard,
    was_heard,
)
from tests.kit.lab import Lab, edited
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SILENT_S = 4
EDITED = {"address": f'"127.0.0.1"\nrtp_timeout_s = {SILENT_S}', "ring_timeout_s": 2}
NUMBER = "+12025550117"
CALLERS_LEGS = "select result, reason, ended_by from call_leg where direction = 'in'"
RESULTS = "select result, reason from interaction order by started_at"


async def agent(lab: Lab, phone: Phone, number: str) -> None:
    """The phone registers, and its agent is available."""
    await phone.register_to(lab.host, lab.sip_port, number, f"lab-{number}")
    await lab.agent_is(number, "available")


async def dial(lab: Lab, caller: Phone) -> str:
    return await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")


async def talk(lab: Lab, caller: Phone, phone: Phone, pitch: float) -> tuple[str, str]:
    """The caller talks to the one agent who is free, and hears it: the names of both calls."""
    phone.hum(pitch)
    call = await dial(lab, caller)
    ring = await phone.answer_next()
    await caller.established(call)
    await until_heard(caller, call, pitch)  # baresip takes back a hold that follows its answer
    return call, ring.call


async def no_call_is_left(lab: Lab) -> None:
    """Nothing but what is still sent to dead phones, for 32 s (RFC 3261, Timer F)."""
    status: dict[str, Any] = {}

    async def holds() -> bool:
        status.update(await lab.status())
        gateway = status["gateway"] or {"legs": -1, "recordings": -1}
        left = [status[each] for each in ("legs", "calls", "contacts")]
        return [*left, gateway["legs"], gateway["recordings"]] == [0] * 5

    await lab.until(holds, message="something was left behind")


async def recordings_are_whole(lab: Lab, count: int) -> list[Path]:
    """The last ones, in the order in which they began."""
    rows = (await lab.recordings(count))[-count:]
    for row in rows:
        assert row["error"] is None, row
        assert hashlib.sha256(Path(row["path"]).read_bytes()).hexdigest() == row["sha256"]
    return [Path(row["path"]) for row in rows]


async def test_a_caller_dies_in_the_talk_on_hold_in_line_and_in_the_menu(lab: Lab) -> None:
    files = await lab.open_files()
    async with (
        Phone("baresip", number=NUMBER) as caller,
        Phone("pjsua2") as first,
        Phone("baresip") as second,
    ):
        caller.hum(CALLER_HZ)
        await agent(lab, first, "1001")
        _, talking = await talk(lab, caller, first, AGENT_HZ)
        await agent(lab, second, "1002")
        _, holding = await talk(lab, caller, second, OTHER_HZ)
        second.process.hold(holding)
        await lab.agent_is("1002", "held")
        await caller.established(await dial(lab, caller))
        await caller.established(await caller.call(f"sip:4000@{lab.host}:{lab.sip_port}"))
        caller.kill()
        await asyncio.gather(first.closed(talking), second.closed(holding))
        await no_call_is_left(lab)
        for number in ("1001", "1002"):
            await lab.agent_is(number, "available")
    silent = "rtp-timeout"
    ends = [("answered", silent)] * 2 + [("failed", silent)] * 2
    await lab.rows_are(RESULTS, *ends)
    await lab.rows_are(CALLERS_LEGS, *[("failed", silent, "us")] * 4)
    await lab.files_are_as(files)
    left, right = stereo((await recordings_are_whole(lab, 2))[0])
    was_heard(left, CALLER_HZ)
    was_heard(right, AGENT_HZ)


async def test_a_customer_outlives_the_phones_of_its_agent_and_of_the_target_of_a_transfer(
    lab: Lab,
) -> None:
    before = len(lab.query(RESULTS)), len(await lab.recordings(0))
    async with (
        Phone("pjsua2", number=NUMBER) as caller,
        Phone("baresip") as first,
        Phone("baresip") as second,
        Phone("baresip") as target,
        Phone("baresip") as spare,
    ):
        caller.hum(CALLER_HZ)
        await agent(lab, first, "1003")
        call, _ = await talk(lab, caller, first, AGENT_HZ)
        await agent(lab, second, "1004")
        second.hum(OTHER_HZ)
        first.kill()
        ring = await second.answer_next()
        await until_each_hears((caller, call, OTHER_HZ), (second, ring.call, CALLER_HZ))
        view = await lab.agent("1003")
        assert (view["state"], view["reason"]) == ("not-ready", "phone-unreachable")

        await agent(lab, target, "1035")
        where = f"/api/v1/interactions/{ring.headers['X-Interaction-Id']}/transfer"
        assert (await lab.post(where, {"number": "1035"}, "1004")).status_code == 202
        await target.incoming()
        target.kill()
        await second.closed(ring.call)
        ring = await second.answer_next()
        await until_each_hears((caller, call, OTHER_HZ), (second, ring.call, CALLER_HZ))
        await agent(lab, spare, "1003")  # available again, though the lost binding lives on
        await second.hang_up(ring.call)
        await caller.closed(call)
        await no_call_is_left(lab)
        await lab.agent_is("1004", "available")
    assert lab.query(RESULTS)[before[0] :] == [("answered", "agent-hung-up")]
    assert len(await lab.recordings(before[1] + 1)) == before[1] + 1, (
        "one contact has one recording"
    )
    (path,) = await recordings_are_whole(lab, 1)
    left, right = stereo(path)
    was_heard(left, CALLER_HZ)
    was_heard(right[: len(right) // 2], AGENT_HZ)
    was_heard(right[len(right) // 2 :], OTHER_HZ)


async def test_a_caller_dies_while_it_rings(lab: Lab) -> None:
    """One hears it ring at the queue, one at an agent, who answers a phone that is not there."""
    before = len(lab.query(RESULTS))
    async with Phone("baresip") as first:
        async with Phone("baresip", number=NUMBER) as caller:
            await dial(lab, caller)
            caller.kill()
        await no_call_is_left(lab)
        async with Phone("baresip", number=NUMBER) as caller:
            await agent(lab, first, "1005")
            await dial(lab, caller)
            ring = await first.incoming()
            caller.kill()
        first.process.answer(ring.call)
        await first.closed(ring.call)
        await lab.agent_is("1005", "available")
        await no_call_is_left(lab)
    ends = lab.query(RESULTS)[before:]
    assert ends == [("failed", "rtp-timeout"), ("answered", "rtp-timeout")]


@pytest.mark.long
async def test_an_agent_dies_on_hold_and_its_customer_goes_to_the_next(tmp_path: Path) -> None:
    """No sound is expected of a phone that holds: it is missed when the session is to be refreshed."""
    config = edited(tmp_path, realm='"switchroom"\nsession_interval_s = 90')
    async with (
        Phone("pjsua2", number=NUMBER) as caller,
        Phone("baresip") as first,
        Phone("baresip") as second,
        Lab(tmp_path, config=config) as lab,
    ):
        caller.hum(CALLER_HZ)
        await agent(lab, first, "1001")
        call, holding = await talk(lab, caller, first, AGENT_HZ)
        first.process.hold(holding)
        await lab.agent_is("1001", "held")
        await agent(lab, second, "1002")
        second.hum(OTHER_HZ)
        first.kill()
        ring = await second.answer_next(100.0)
        await until_each_hears((caller, call, OTHER_HZ), (second, ring.call, CALLER_HZ))
        await caller.hang_up(call)
        await second.closed(ring.call)
        await lab.is_quiet(40.0)
