"""SRTP against user agents of others: tones both ways, over hold, transfer, and a crash of the call agent.

A phone with `required` neither sends nor takes sound in clear: what it hears was encrypted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.kit.hearing import (
    AGENT_HZ,
    CALLER_HZ,
    OTHER_HZ,
    stereo,
    until_each_hears,
    until_heard,
    was_heard,
)
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

STRICT, STRICT_TOO, MILD, MILD_TOO = "1001", "1002", "1011", "1012"
"""Phones whose calls are offered nothing but SRTP, and SRTP for those who know it."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    config = folder / "lab.toml"
    phones = 'numbers = "1001-1050"\npassword = "lab-{number}"\nsrtp = "optional"'
    strict = phones.replace("1050", "1009").replace("optional", "required")
    text = (ROOT / "config" / "lab.toml").read_text()
    assert phones in text
    mild = phones.replace("1001", "1010")
    config.write_text(text.replace(phones, f"{strict}\n\n[[phones]]\n{mild}"))
    async with Lab(folder, config=config, tolerates=("gateway", "media gateway")) as running:
        yield running


async def talk(lab: Lab, caller: Phone, agent: Phone, number: str) -> tuple[str, str]:
    """The caller talks to the agent of `number`, and both are heard; the call as either names it."""
    await agent.register_to(lab.host, lab.sip_port, number, f"lab-{number}")
    await lab.agent_is(number, "available")
    caller.hum(CALLER_HZ)
    agent.hum(AGENT_HZ)
    call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
    ring = await agent.answer_next()
    await caller.established(call)
    await until_each_hears((caller, call, AGENT_HZ), (agent, ring.call, CALLER_HZ))
    return call, ring.call


@pytest.mark.parametrize(
    ("caller_is", "caller_srtp", "agent_is", "agent_srtp"),
    [
        ("pjsua2", "required", "baresip", "required"),
        ("baresip", "required", "pjsua2", "off"),
        ("pjsua2", "optional", "baresip", "optional"),
    ],
)
async def test_tones_both_ways_recorded_and_held(
    lab: Lab, caller_is: str, caller_srtp: str, agent_is: str, agent_srtp: str
) -> None:
    before = len(await lab.recordings(0))
    number = STRICT if agent_srtp == "required" else MILD
    async with (
        Phone(caller_is, number="+12025550117", srtp=caller_srtp) as caller,
        Phone(agent_is, srtp=agent_srtp) as agent,
    ):
        call, own = await talk(lab, caller, agent, number)
        agent.process.hold(own)
        await lab.agent_is(number, "held")
        agent.process.resume(own)
        await lab.agent_is(number, "talking")
        await until_each_hears((caller, call, AGENT_HZ), (agent, own, CALLER_HZ))
        await caller.hang_up(call)
    await lab.is_quiet()
    row = (await lab.recordings(before + 1))[-1]
    left, right = stereo(Path(row["path"]))
    was_heard(left, CALLER_HZ)
    was_heard(right, AGENT_HZ)


@pytest.mark.parametrize(("caller_is", "agent_is"), [("baresip", "pjsua2"), ("pjsua2", "baresip")])
async def test_who_insists_on_encryption_is_reached_where_it_is_left_open(
    lab: Lab, caller_is: str, agent_is: str
) -> None:
    """It refuses the first INVITE, best effort as that is, and takes the second."""
    async with (
        Phone(caller_is, number="+12025550117", srtp="off") as caller,
        Phone(agent_is, srtp="required") as agent,
    ):
        call, _ = await talk(lab, caller, agent, MILD)
        await caller.hang_up(call)
    await lab.is_quiet()


async def test_keys_outlive_the_call_agent(lab: Lab) -> None:
    """They and the rollover counters are the gateway's, and the journal knows what was agreed."""
    async with (
        Phone("baresip", number="+12025550117", srtp="required") as caller,
        Phone("pjsua2", srtp="required") as agent,
    ):
        call, own = await talk(lab, caller, agent, STRICT)
        lab.kill()
        await lab.stop()
        lab.expects_crash = False
        await until_heard(caller, call, AGENT_HZ)
        await lab.start()
        await lab.agent_is(STRICT, "talking")
        await until_each_hears((caller, call, AGENT_HZ), (agent, own, CALLER_HZ))
        agent.process.hold(own)  # negotiated by the process that took the call up
        await lab.agent_is(STRICT, "held")
        agent.process.resume(own)
        await lab.agent_is(STRICT, "talking")
        await until_each_hears((caller, call, AGENT_HZ), (agent, own, CALLER_HZ))
        await agent.hang_up(own)
    await lab.is_quiet()


async def test_a_transfer_leaves_nobody_in_clear(lab: Lab) -> None:
    """All three insist on SRTP: who comes in agrees on keys of its own."""
    async with (
        Phone("baresip", number="+12025550117", srtp="required") as caller,
        Phone("baresip", srtp="required") as agent,
        Phone("pjsua2", srtp="required") as colleague,
    ):
        colleague.hum(OTHER_HZ)
        call, own = await talk(lab, caller, agent, STRICT)
        await colleague.register_to(lab.host, lab.sip_port, STRICT_TOO, f"lab-{STRICT_TOO}")
        await lab.agent_is(STRICT_TOO, "available")
        agent.process.transfer(own, STRICT_TOO)
        ring = await colleague.answer_next()
        await agent.closed(own)
        await until_each_hears((caller, call, OTHER_HZ), (colleague, ring.call, CALLER_HZ))
        await caller.hang_up(call)
        await colleague.closed(ring.call)
    await lab.is_quiet()


async def test_keys_by_dtls_outlive_the_call_agent_and_either_end_hangs_up(lab: Lab) -> None:
    """Without ICE: the handshake goes where SDP says. The other ends of the calls are plain."""
    async with (
        Phone("baresip", number="+12025550117", srtp="dtls") as caller,
        Phone("baresip") as agent,
        Phone("baresip", number="+12025550118", srtp="dtls") as other,
        Phone("pjsua2") as colleague,
    ):
        call, own = await talk(lab, caller, agent, MILD)
        others, colleagues = await talk(lab, other, colleague, MILD_TOO)
        lab.kill()
        await lab.stop()
        lab.expects_crash = False
        await until_heard(caller, call, AGENT_HZ)
        await lab.start()
        await lab.agent_is(MILD, "talking")
        await lab.agent_is(MILD_TOO, "talking")
        await until_each_hears(
            (caller, call, AGENT_HZ),
            (agent, own, CALLER_HZ),
            (other, others, AGENT_HZ),
            (colleague, colleagues, CALLER_HZ),
        )
        await caller.hang_up(call)
        await agent.closed(own)
        await colleague.hang_up(colleagues)
        await other.closed(others)
    await lab.is_quiet()


async def test_who_asks_for_what_is_switched_off_is_refused(lab: Lab, tmp_path: Path) -> None:
    """488, with a warning that says why; the one who tolerates it talks in clear."""
    config = tmp_path / "off.toml"
    config.write_text(lab.config.read_text().replace('srtp = "optional"', 'srtp = "off"'))
    async with (
        Lab(tmp_path, config=config) as plain,
        Phone("baresip", number="+12025550117", srtp="required") as strict,
        Phone("pjsua2", number="+12025550118", srtp="optional") as mild,
    ):
        call = await strict.call(f"sip:4002@{plain.host}:{plain.sip_port}")
        assert (await strict.closed(call)).status == 488
        mild.hum(CALLER_HZ)
        call = await mild.call(f"sip:4002@{plain.host}:{plain.sip_port}")
        await mild.established(call)
        await until_heard(mild, call, CALLER_HZ)
        await mild.hang_up(call)
        await asyncio.sleep(0)
