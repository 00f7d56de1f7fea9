"""A new version that cannot go on with an older one's calls: they are ended, and nobody sits in silence."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import msgspec
import pytest

from cti.journal_records import VERSION
from cti.takeover import FILE
from switch.journal.format import MAGIC, make_header, read
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, until_each_hears
from tests.kit.lab import Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow]


def of_another_version(journal: Path) -> None:
    """Let a journal say that another version wrote it."""
    header, octets = read(journal).header, journal.read_bytes()
    assert header is not None
    (length,) = struct.unpack_from("<I", octets, len(MAGIC))
    frames = octets[len(MAGIC) + 8 + length :]
    older = msgspec.structs.replace(header, version=VERSION - 1)
    journal.write_bytes(make_header(older) + frames)


async def test_calls_of_another_version_are_hung_up_and_have_their_end(tmp_path: Path) -> None:
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Phone("pjsua2") as agent,
        Phone("baresip") as bystander,
        Phone("pjsua2") as other,
        Phone("pjsua2") as newcomer,
        Lab(tmp_path, tolerates=("gateway", "journal of calls")) as lab,
    ):
        for phone, number in ((agent, "1001"), (bystander, "1030"), (other, "1031")):
            await phone.register_to(lab.host, lab.sip_port, number, f"lab-{number}")
        await lab.agent_is("1001", "available")
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        await until_each_hears((caller, call, AGENT_HZ), (agent, ring.call, CALLER_HZ))
        direct = await bystander.call_until_it_rings(f"sip:1031@{lab.host}:{lab.sip_port}")
        other_ring = await other.answer_next()
        await bystander.established(direct)

        lab.kill()
        await lab.stop()
        lab.expects_crash = False
        of_another_version(lab.data / FILE)
        await lab.start()
        async with asyncio.timeout(5.0):
            await caller.closed(call)
            await agent.closed(ring.call)
            await bystander.closed(direct)
            await other.closed(other_ring.call)
        await lab.is_quiet()

        async def kept() -> bool:
            found = lab.query("select result, reason from interaction where ended_at is not null")
            return ("failed", "call-agent-lost") in found

        await lab.until(kept, message="the history lacks the end of the talk")
        assert (await lab.recordings(1))[-1]["path"]
        newcomer.hum(AGENT_HZ)
        await newcomer.register_to(lab.host, lab.sip_port, "1002", "lab-1002")
        await lab.agent_is("1002", "available")
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await newcomer.answer_next()
        await until_each_hears((caller, call, AGENT_HZ), (newcomer, ring.call, CALLER_HZ))
        await caller.hang_up(call)
        await newcomer.closed(ring.call)
