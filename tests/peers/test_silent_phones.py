"""Phones without microphone and tone send their silence, call after call.

A leg that sends nothing is taken for dead: the server would cut the talk.
"""

from __future__ import annotations

import pytest

from tests.kit.lab import Lab
from tests.kit.phone import Phone
from tests.kit.raw_sip import RawSip, sdp, status

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

AGENT = "1001"
ENOUGH = 75
"""Packets: 1.5 s. PJSIP stops its clock a second after a call when nothing needs it."""


async def packets(lab: Lab) -> int:
    """How many RTP packets the gateway has received, as it counted within the last second.

    It has said nothing yet in the first second of its life, when it has received none either.
    """
    return int((await lab.status())["gateway"].get("packets_received", 0))


async def hears_the_agent(lab: Lab, call: str) -> None:
    """Nobody else sends: the caller's user agent has no sound at all."""
    before = await packets(lab)

    async def grew() -> bool:
        return await packets(lab) >= before + ENOUGH

    await lab.until(grew, message=f"the agent's phone sends nothing {call}")


async def hang_up(agent: Phone, ring: str, caller: RawSip) -> None:
    """The agent ends the call; the caller obeys."""
    await agent.hang_up(ring)
    bye = await caller.receive()
    assert bye.startswith("BYE "), bye
    kept = ("Via", "From", "To", "Call-ID", "CSeq")
    lines = [line for line in bye.split("\r\n") if line.partition(":")[0] in kept]
    caller.send("\r\n".join(["SIP/2.0 200 OK", *lines, "", ""]).encode())


@pytest.mark.parametrize("backend", ["baresip", "pjsua2"])
async def test_silence_is_sent_in_every_call_and_after_a_hold(lab: Lab, backend: str) -> None:
    async with Phone(backend) as agent:
        await agent.register_to(lab.host, lab.sip_port, AGENT, f"lab-{AGENT}")
        for call in ("in the first call", "in the second call"):
            await lab.agent_is(AGENT, "available")
            async with RawSip(lab.host, lab.sip_port) as caller:
                caller.send(caller.invite("4001", sdp(caller.host, 40_000)))
                ring = await agent.answer_next()
                answer = await caller.final()
                assert status(answer) == 200, answer
                caller.acknowledge("4001", answer)
                await lab.agent_is(AGENT, "talking")
                await hears_the_agent(lab, call)
                if call == "in the second call":
                    agent.process.hold(ring.call)
                    await lab.agent_is(AGENT, "held")
                    agent.process.resume(ring.call)
                    await lab.agent_is(AGENT, "talking")
                    await hears_the_agent(lab, "after a hold")
                await hang_up(agent, ring.call, caller)
            await lab.is_quiet()
