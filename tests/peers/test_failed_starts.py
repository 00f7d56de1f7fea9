"""A start that fails between a crash and the start that succeeds: whoever talks goes on talking."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, hears, listen, until_heard
from tests.kit.lab import Lab, edited
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow]


async def test_a_start_whose_sip_port_is_taken_leaves_the_calls_to_the_next(
    tmp_path: Path,
) -> None:
    # Two starts on a busy machine may take longer than a gateway waits by default.
    config = edited(tmp_path, address='"127.0.0.1"\nlinger_s = 180')
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Phone("pjsua2") as agent,
        Lab(tmp_path, config=config, tolerates=("gateway", "sip.port")) as lab,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        # An answer may leave a moment before the gateway has read of the leg.
        await until_heard(caller, call, AGENT_HZ)

        lab.kill()
        await lab.stop()
        with socket.socket() as other:  # over TCP: a BYE could still be sent over UDP
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind((lab.host, lab.sip_port))
            other.listen()
            with pytest.raises(AssertionError, match=r"sip\.port: .* in use"):
                await lab.start()
        assert "1 calls of an earlier process are left alone" in lab.log.read_text()
        await until_heard(caller, call, AGENT_HZ)

        await lab.start()
        lab.expects_crash = False
        await lab.agent_is("1001", "talking")
        heard, heard_too = await asyncio.gather(listen(caller, call), listen(agent, ring.call))
        hears(heard, AGENT_HZ)
        hears(heard_too, CALLER_HZ)
        await agent.hang_up(ring.call)
        await caller.closed(call)
        await lab.is_quiet()
        await lab.rows_are("select result, reason from interaction", ("answered", "agent-hung-up"))
