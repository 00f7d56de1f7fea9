"""Codecs beyond G.711 against user agents of others, where no G.711 is spoken: tones both ways, recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, hears, stereo
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone
from tests.peers.test_encrypted_calls import until_heard

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio]


@pytest.mark.parametrize(
    ("spoken", "caller_is", "agent_is"),
    [
        (("G722",), "pjsua2", "pjsua2"),
        (("opus", "G722"), "baresip", "pjsua2"),
    ],
)
async def test_tones_both_ways_and_recorded(
    tmp_path: Path, spoken: tuple[str, ...], caller_is: str, agent_is: str
) -> None:
    config = tmp_path / "lab.toml"
    text = (ROOT / "config" / "lab.toml").read_text()
    heading = "[media]\n"
    assert heading in text
    names = ", ".join(f'"{name}"' for name in spoken)
    config.write_text(text.replace(heading, f"{heading}codecs = [{names}]\n"))
    async with (
        Lab(tmp_path, config=config) as lab,
        Phone(caller_is, number="+12025550117") as caller,
        Phone(agent_is) as agent,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        call = await caller.call(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next(10.0)
        await caller.established(call)
        await until_heard(caller, call, AGENT_HZ)
        await until_heard(agent, ring.call, CALLER_HZ)
        await caller.hang_up(call)
        await lab.is_quiet()
        row = (await lab.recordings(1))[-1]
        left, right = stereo(Path(row["path"]))
        middle = slice(4000, 10_000)
        hears(left[middle], CALLER_HZ)
        hears(right[middle], AGENT_HZ)
