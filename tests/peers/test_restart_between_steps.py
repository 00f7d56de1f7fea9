"""The call agent is killed while calls are between two steps: the step that comes next still comes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.kit.hearing import AGENT_HZ, CALLER_HZ, OTHER_HZ, UNHEARD, hears, listen
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone, tone_levels

pytestmark = [pytest.mark.peer, pytest.mark.slow]

NUMBER = "+12025550117"
SALES, TRANSFERRED = "4001", "4900"
"""The lab's number of the queue, and one of ours whose flow transfers to phone 1026."""


def with_a_transfer(folder: Path) -> Path:
    """The lab, with an entry whose flow connects to a phone."""
    flows = folder / "flows"
    flows.mkdir()
    transfer = '{verb: transfer, number: "1026"}'
    (flows / "transfer.yaml").write_text(f"start: to\nnodes:\n  to: {transfer}\n")
    text = (ROOT / "config" / "lab.toml").read_text()
    text = text.replace("\n[site]\n", f'\n[site]\nflows = "{flows}"\n', 1)
    text += f'\n[[entries]]\nnumber = "{TRANSFERRED}"\nflow = "transfer"\n'
    path = folder / "transfer.toml"
    path.write_text(text)
    return path


async def test_held_transferred_ringing_and_hanging_up(tmp_path: Path) -> None:
    async with (
        Phone("baresip", number=NUMBER) as caller,
        Phone("pjsua2") as agent,
        Phone("baresip") as target,
        Phone("baresip") as leaver,
        Lab(tmp_path, config=with_a_transfer(tmp_path), tolerates=("gateway",)) as lab,
    ):

        async def dial(number: str) -> str:
            return await caller.call_until_it_rings(f"sip:{number}@{lab.host}:{lab.sip_port}")

        async def talking(phone: Phone, number: str) -> tuple[str, str]:
            """A talk with the agent of this number, over `sales`: both names of the call."""
            await phone.register_to(lab.host, lab.sip_port, number, f"lab-{number}")
            await lab.agent_is(number, "available")
            call = await dial(SALES)
            ring = await phone.answer_next()
            await caller.established(call)
            return call, ring.call

        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        target.hum(OTHER_HZ)
        leaver.hum(AGENT_HZ)
        # A caller of 1001 is on hold, one of 1002 is about to hang up,
        held, holding = await talking(agent, "1001")
        agent.process.hold(holding)
        await lab.agent_is("1001", "held")
        leaving, left = await talking(leaver, "1002")
        # one is being transferred to a phone that rings,
        await target.register_to(lab.host, lab.sip_port, "1026", "lab-1026")
        transferred = await dial(TRANSFERRED)
        transfer = await target.incoming()
        # and one rings at the queue: nobody is free, music will come in a second.
        ringing = await dial(SALES)

        lab.kill()
        caller.process.hang_up(leaving)  # nobody is there to take the BYE: it is sent again
        await lab.stop()
        lab.expects_crash = False
        await lab.start()

        # First those who ring: the time for that is limited. Whoever rang at the queue gets the agent
        # whose caller has hung up.
        target.process.answer(transfer.call)
        await caller.closed(leaving)
        await leaver.closed(left)
        next_one = await leaver.answer_next()
        await caller.established(ringing)
        await target.established(transfer.call)
        await caller.established(transferred)
        heard, heard_too, rang = await asyncio.gather(
            listen(caller, transferred),
            listen(target, transfer.call),
            listen(leaver, next_one.call),
        )
        hears(heard, OTHER_HZ)
        hears(heard_too, CALLER_HZ)
        hears(rang, CALLER_HZ)

        assert (await lab.agent("1001"))["state"] == "held"
        music = await listen(caller, held)
        assert np.abs(music.astype(float)).mean() > 50, "who is held should hear music"
        assert tone_levels(music, [AGENT_HZ])[0] < UNHEARD
        agent.process.resume(holding)
        await lab.agent_is("1001", "talking")
        heard, heard_too = await asyncio.gather(listen(caller, held), listen(agent, holding))
        hears(heard, AGENT_HZ)
        hears(heard_too, CALLER_HZ)

        for call in (held, transferred, ringing):
            await caller.hang_up(call)
        await leaver.closed(next_one.call)
        await lab.is_quiet()
        answered = ("answered", "caller-hung-up")
        await lab.rows_are(
            "select result, reason from interaction order by started_at",
            answered,
            answered,
            ("direct", "caller-hung-up"),
            answered,
        )
