"""A phone over TCP: registered while its connection stands, and not a moment longer."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kit.lab import Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("backend", ["baresip", "pjsua2"])
async def test_a_tcp_phone_talks_and_is_unreachable_once_its_connection_is_gone(
    lab: Lab, backend: str
) -> None:
    async with Phone("baresip", number="+12025550118") as caller:
        agent = Phone(backend)
        await agent.__aenter__()
        try:
            await agent.register_to(
                lab.host, lab.sip_port, "1003", "lab-1003", transport="tcp", expires_s=600
            )
            await lab.agent_is("1003", "available")
            call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
            ring = await agent.answer_next()
            await caller.established(call)
            await agent.hang_up(ring.call)
            await caller.closed(call)
            await lab.agent_is("1003", "available")
        finally:
            os.kill(agent.process.pid, signal.SIGKILL)  # its own child; the connection just ends
            await agent.__aexit__(None, None, None)
        await lab.agent_is("1003", "logged-out")
