"""A new version that cannot go on with an older one's calls: they are ended, and nobody sits in silence."""

from __future__ import annotations

import asyncio
import struct
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from cti.journal_records import VERSION
from cti.takeover import FILE
from switch.journal.format import MAGIC, make_header, read
from tests.kit.lab import Lab
from tests.kit.scene import Scene

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
        AsyncExitStack() as phones,
        Lab(tmp_path, tolerates=("gateway", "journal of calls")) as lab,
    ):
        scene = Scene(lab, phones)
        customer, agent = await scene.talk()
        other = await scene.phone("baresip", "1031")
        direct = await scene.phone("pjsua2", "1030")
        there = f"sip:1031@{lab.host}:{lab.sip_port}"
        direct.call = await direct.phone.call_until_it_rings(there)
        await other.answer()
        await direct.phone.established(direct.call)

        lab.kill()
        await lab.stop()
        lab.expects_crash = False
        of_another_version(lab.data / FILE)
        await lab.start()
        async with asyncio.timeout(5.0):
            for party in (customer, agent, direct, other):
                await party.ended()
        await lab.is_quiet()

        async def kept() -> bool:
            found = lab.query("select result, reason from interaction where ended_at is not null")
            return ("failed", "call-agent-lost") in found

        await lab.until(kept, message="the history lacks the end of the talk")
        assert (await lab.recordings(1))[-1]["error"] is None
        newcomer = await scene.phone("pjsua2", "1002")
        await lab.agent_is("1002", "available")
        queue = f"sip:4001@{lab.host}:{lab.sip_port}"
        customer.call = await customer.phone.call_until_it_rings(queue)
        await newcomer.answer()
        await customer.phone.established(customer.call)
        await scene.hear(_12025550103="1002", _1002="12025550103")
        await scene.leave()
