"""Calls that are parked, fetched and picked up by the keys of phones; tones prove who hears whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cti.desk.agent.phone_keeper import is_answered_at_once
from tests.kit.hearing import (
    AGENT_HZ,
    CALLER_HZ,
    OTHER_HZ,
    UNHEARD,
    hears,
    listen,
    stereo,
    until_each_hears,
    until_heard,
)
from tests.kit.lab import Lab
from tests.kit.phone import Phone, tone_levels

pytestmark = [pytest.mark.peer, pytest.mark.slow]

TOLERATED = ("gateway", "media gateway")


async def parked(lab: Lab, count: int = 1) -> list[dict[str, Any]]:
    """The places that are taken, once there are so many."""
    found: list[dict[str, Any]] = []

    async def holds() -> bool:
        found[:] = await lab.get("/api/v1/parked")
        return len(found) == count

    await lab.until(holds, message="the places are not as they should be")
    return found


async def hears_music(phone: Phone, call: str) -> None:
    """Something, and none of the two who talked to it, once what was played out before is over."""
    for tries_left in reversed(range(8)):
        pcm = await listen(phone, call)
        is_loud = bool(np.abs(pcm).max() > UNHEARD)
        if is_loud and max(tone_levels(pcm, (AGENT_HZ, OTHER_HZ))) < UNHEARD:
            return
        assert tries_left, "no music is heard, or somebody who is gone"


async def talk(lab: Lab, caller: Phone, agent: Phone) -> tuple[str, str]:
    """The caller talks to agent 1001, out of a recorded queue."""
    call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
    ring = await agent.answer_next()
    await caller.established(call)
    await lab.agent_is("1001", "talking")
    await until_heard(caller, call, AGENT_HZ)  # baresip takes back a hold that follows its answer
    return call, ring.call


async def test_park_by_code_and_by_transfer_fetch_and_pick_up(tmp_path: Path) -> None:
    """Parked by the code, fetched; parked by a transfer, the call agent killed, fetched all the same."""
    async with (
        Phone("pjsua2", number="+12025550141") as caller,
        Phone("baresip") as agent,
        Phone("pjsua2") as colleague,
        Lab(tmp_path, tolerates=TOLERATED) as lab,
    ):
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        colleague.hum(OTHER_HZ)
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        call, own = await talk(lab, caller, agent)

        agent.process.hold(own)
        await lab.agent_is("1001", "held")
        teller = await agent.call("*68")
        await agent.closed(own)
        (place,) = await parked(lab)
        assert (place["slot"], place["by"], place["state"]) == ("701", "1001", "parked")
        await agent.closed(teller)  # the place was said
        await hears_music(caller, call)

        await colleague.register_to(lab.host, lab.sip_port, "1002", "lab-1002")
        await lab.agent_is("1002", "available")
        fetched = await colleague.call("701")
        await colleague.established(fetched)
        await lab.agent_is("1002", "talking")
        await until_each_hears((caller, call, OTHER_HZ), (colleague, fetched, CALLER_HZ))

        colleague.process.transfer(fetched, "705")
        await colleague.closed(fetched)
        (place,) = await parked(lab)
        assert (place["slot"], place["by"]) == ("705", "1002")
        await lab.restart()
        (place,) = await parked(lab)
        assert place["slot"] == "705"
        await hears_music(caller, call)
        reply = await lab.post("/api/v1/parked/705/fetch", {}, "1001")
        assert reply.status_code == 202, reply.text
        ring = await agent.answer_next()
        assert is_answered_at_once(ring), "its agent has asked for it"
        fetched = ring.call
        await lab.agent_is("1001", "talking")
        await until_each_hears((caller, call, AGENT_HZ), (agent, fetched, CALLER_HZ))
        talk_id = (await lab.get("/api/v1/snapshot", "1001"))["interactions"][0]["interaction_id"]
        reply = await lab.post(f"/api/v1/interactions/{talk_id}/park", {"slot": "720"}, "1001")
        assert reply.json() == {"slot": "720"}
        await agent.closed(fetched)
        await hears_music(caller, call)
        await caller.hang_up(call)
        await parked(lab, 0)

        await lab.agent_is("1001", "available")
        row = (await lab.recordings(1))[-1]
        left, right = stereo(Path(row["path"]))
        hears(left[-12_000:-4_000], CALLER_HZ)
        assert max(tone_levels(right[-8_000:-2_000], (AGENT_HZ, OTHER_HZ))) < UNHEARD

        async with Phone("baresip", number="+12025550142") as another:
            another.hum(CALLER_HZ)
            call = await another.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
            rings = await _who_rings(lab)
            chosen, other = (agent, colleague) if rings == "1001" else (colleague, agent)
            ring = await chosen.incoming()
            taken = await other.call(f"*8{rings}")
            await other.established(taken)
            await another.established(call)
            await chosen.closed(ring.call)
            pitch = OTHER_HZ if other is colleague else AGENT_HZ
            await until_heard(another, call, pitch)
            await another.hang_up(call)
            await other.closed(taken)
        await lab.is_quiet()


async def _who_rings(lab: Lab) -> str:
    """The agent at whose phone the caller rings."""
    found = ""

    async def holds() -> bool:
        nonlocal found
        for number in ("1001", "1002"):
            if (await lab.agent(number))["state"] == "ringing":
                found = number
        return bool(found)

    await lab.until(holds, message="nobody rings")
    return found
