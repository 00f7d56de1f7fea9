"""The call agent is killed under calls over TLS and WebSocket: phones come back, and the calls go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.peers.test_call_agent_restarts import TOLERATED, restart
from tests.peers.test_secure_phones import heard, port_of

pytestmark = [pytest.mark.peer, pytest.mark.slow]


@pytest.mark.parametrize("transport", ["tls", "wss"])
async def test_a_phone_that_comes_back_by_another_connection_goes_on_with_its_call(
    tmp_path: Path, transport: str
) -> None:
    trusted = tmp_path / "data" / "tls" / "ca.pem"
    srtp = "dtls" if transport == "wss" else "off"
    async with (
        Lab(tmp_path, secure=True, tolerates=TOLERATED) as lab,
        Phone("baresip", number="+12025550118") as caller,
        Phone("baresip", ca_file=trusted, srtp=srtp) as agent,
    ):
        await agent.register_to(
            lab.host, port_of(lab, transport), "1003", "lab-1003",
            transport=transport, expires_s=60, timeout_s=15,
        )  # fmt: skip
        await lab.agent_is("1003", "available")
        call = await caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next(15.0)
        await caller.established(call, 10.0)
        agent.hum(1000.0)
        caller.hum(440.0)
        await asyncio.gather(heard(agent, ring.call, 440.0), heard(caller, call, 1000.0))

        await restart(lab)
        await asyncio.gather(heard(agent, ring.call, 440.0), heard(caller, call, 1000.0))

        async def is_back() -> bool:
            return bool((await lab.status())["sip"].get("register_200"))

        await lab.until(is_back, 90.0, "the phone did not register again")
        await caller.hang_up(call)  # we say BYE to the agent, over its new connection
        await agent.closed(ring.call, 10.0)
        await lab.agent_is("1003", "available", 15.0)
