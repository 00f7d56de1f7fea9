"""The call agent is killed while a phone over TCP talks: sound goes on, and the call is steered again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, until_each_hears, until_heard
from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.peers.test_call_agent_restarts import TOLERATED

pytestmark = [pytest.mark.peer, pytest.mark.slow]


async def test_a_phone_over_tcp_holds_resumes_and_hangs_up_on_a_new_connection(
    tmp_path: Path,
) -> None:
    async with (
        Phone("baresip", number="+12025550118") as caller,
        Phone("pjsua2") as agent,
        Lab(tmp_path, tolerates=TOLERATED) as lab,
    ):
        await agent.register_to(
            lab.host, lab.sip_port, "1003", "lab-1003", transport="tcp", expires_s=600
        )
        await lab.agent_is("1003", "available")
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        await lab.agent_is("1003", "talking")

        await lab.restart()

        await until_each_hears((caller, call, AGENT_HZ), (agent, ring.call, CALLER_HZ))
        agent.process.hold(ring.call)
        await lab.agent_is("1003", "held")
        agent.process.resume(ring.call)
        await lab.agent_is("1003", "talking")
        await until_heard(caller, call, AGENT_HZ)
        # The other side hangs up: the server reaches the phone where it has come back.
        await caller.hang_up(call)
        await agent.closed(ring.call)
        await lab.is_quiet()
