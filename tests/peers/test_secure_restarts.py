"""The call agent is killed under calls over TLS and WebSocket: phones come back, and the calls go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.kit.hearing import until_loudest
from tests.kit.lab import Lab, edited
from tests.kit.phone import Phone
from tests.peers.test_call_agent_restarts import TOLERATED, restart
from tests.peers.test_secure_phones import port_of

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.mark.parametrize("transport", ["tls", "wss"])
async def test_a_phone_that_comes_back_by_another_connection_goes_on_with_its_call(
    tmp_path: Path, transport: str
) -> None:
    trusted = tmp_path / "data" / "tls" / "ca.pem"
    srtp = "dtls" if transport == "wss" else "off"
    config = edited(tmp_path, realm='"switchroom"\nleast_expires_s = 10')  # it comes back soon
    async with (
        Lab(tmp_path, config=config, secure=True, tolerates=TOLERATED) as lab,
        Phone("baresip", number="+12025550118") as caller,
        Phone("baresip", ca_file=trusted, srtp=srtp) as agent,
    ):
        port = port_of(lab, transport)
        await agent.register_to(
            lab.host, port, "1003", "lab-1003", transport=transport, expires_s=10
        )
        await lab.agent_is("1003", "available")
        call = await caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        agent.hum(1000.0)
        caller.hum(440.0)
        await asyncio.gather(
            until_loudest(agent, ring.call, 440.0), until_loudest(caller, call, 1000.0)
        )

        await restart(lab)
        await asyncio.gather(
            until_loudest(agent, ring.call, 440.0), until_loudest(caller, call, 1000.0)
        )

        async def is_back() -> bool:
            return bool((await lab.status())["sip"].get("register_200"))

        await lab.until(is_back, message="the phone did not register again")
        await caller.hang_up(call)  # we say BYE to the agent, over its new connection
        await agent.closed(ring.call)
        await lab.agent_is("1003", "available")
