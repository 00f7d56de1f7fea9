"""Codecs beyond G.711 against user agents of others, where no G.711 is spoken: tones both ways, recorded.

And what the records of their calls say of the quality.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, listen, stereo, until_each_hears, was_heard
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio]


@pytest.mark.parametrize(
    ("site", "trunk", "caller_is", "agent_is"),
    [
        ("G722", "G722", "pjsua2", "pjsua2"),
        ("G722", "opus", "baresip", "pjsua2"),
        ("PCMU", "opus", "baresip", "baresip"),
    ],
)
async def test_tones_both_ways_and_recorded(
    tmp_path: Path, site: str, trunk: str, caller_is: str, agent_is: str
) -> None:
    """The caller comes in on a trunk that has one codec, the agent's phone is given one other."""
    config = tmp_path / "lab.toml"
    text = (ROOT / "config" / "lab.toml").read_text()
    for heading, codec in (("[media]\n", site), ('[[trunks]]\nname = "lab"\n', trunk)):
        assert heading in text
        text = text.replace(heading, f'{heading}codecs = ["{codec}"]\n')
    config.write_text(text)
    async with (
        Lab(tmp_path, config=config) as lab,
        Phone(caller_is, number="+12025550117") as caller,
        Phone(agent_is) as agent,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        # With Opus baresip plays a mono file as if it were stereo: an octave higher.
        caller.hum(CALLER_HZ / 2 if trunk == "opus" else CALLER_HZ)
        agent.hum(AGENT_HZ)
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        await until_each_hears((caller, call, AGENT_HZ), (agent, ring.call, CALLER_HZ))
        await listen(caller, call)  # in less than a second nobody judges the quality
        await caller.hang_up(call)
        await lab.is_quiet()
        row = (await lab.recordings(1))[-1]
        left, right = stereo(Path(row["path"]))
        was_heard(left, CALLER_HZ)
        was_heard(right, AGENT_HZ)
        await told_with_quality(lab, row["interaction_id"], {site.lower(), trunk.lower()})


async def told_with_quality(lab: Lab, interaction: str, codecs: set[str]) -> None:
    """The record of each leg has its codec, and how it sounded by the packets of the phones."""
    legs: list[dict[str, Any]] = []

    async def written() -> bool:
        found = (await lab.get("/api/v1/calls?limit=20"))["legs"]
        legs[:] = [leg for leg in found if leg["interaction_id"] == interaction]
        return len(legs) == 2

    await lab.until(written, message="the legs left no records of the interaction")
    assert {leg["codec"].lower() for leg in legs} == codecs
    for leg in legs:
        assert 1.0 < leg["mos"] <= 4.5
        assert leg["jitter_ms"] is not None
        assert leg["packets_received"] > 50
        assert leg["recording_id"]
        assert (leg["result"], bool(leg["reason"])) == ("completed", True)
