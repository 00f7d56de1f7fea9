"""Consultation, conference and supervision with real phones: each hums, and the others are measured."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from cti.schema import EventType
from tests.kit.hearing import HEARD, stereo
from tests.kit.lab import Lab
from tests.kit.phone import tone_levels
from tests.kit.scene import Scene

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def recording_of(lab: Lab, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The channels of the last recording, which is one of `count`."""
    rows = await lab.recordings(count)
    assert len(rows) == count, "one contact has one recording"
    return stereo(Path(rows[-1]["path"]))


def has(pcm: np.ndarray, pitch: float) -> bool:
    """Whether a pitch sounds for at least half a second in a row."""
    tenths = [
        tone_levels(pcm[at : at + 4000], [pitch])[0] > HEARD
        for at in range(0, len(pcm) - 4000, 4000)
    ]
    return any(tenths)


async def test_consult_toggle_conference_and_hand_over(lab: Lab) -> None:
    before = len(await lab.recordings(0))
    async with AsyncExitStack() as phones:
        scene = Scene(lab, phones)
        customer, agent = await scene.talk()
        expert = await scene.phone("baresip", "1030")
        await scene.do("consult", {"number": "1030"})
        await expert.answer()
        await scene.hear(_12025550103="music", _1001="1030", _1030="1001")
        await lab.agent_is("1001", "held")
        await scene.do("consult/toggle")
        await scene.hear(_12025550103="1001", _1001="12025550103", _1030="music")
        await scene.do("consult/join")
        await scene.hear(
            _12025550103="1001 1030", _1001="12025550103 1030", _1030="12025550103 1001"
        )
        another = await scene.phone("pjsua2", "1036")
        await scene.do("consult", {"number": "1036"})
        ring = await another.phone.incoming()
        another.phone.process.reject(ring.call)
        await scene.hear(
            _12025550103="1001 1030", _1001="12025550103 1030", _1030="12025550103 1001"
        )
        await agent.phone.hang_up(agent.call)
        agent.call = ""
        await scene.hear(_12025550103="1030", _1030="12025550103")
        await lab.agent_is("1030", "talking")
        await lab.agent_is("1001", "available")
        await scene.leave()
        left, right = await recording_of(lab, before + 1)
        assert has(left, customer.pitch)
        assert not has(left, agent.pitch)
        assert has(right, agent.pitch)
        assert has(right, expert.pitch)
        assert not has(right, customer.pitch)


async def test_five_in_a_conference_hear_all_others_through_a_restart(lab: Lab) -> None:
    async with AsyncExitStack() as phones:
        scene = Scene(lab, phones)
        await scene.talk()
        for number, backend in (("1031", "baresip"), ("1032", "pjsua2"), ("1033", "baresip")):
            party = await scene.phone(backend, number)
            await scene.do("consult", {"number": number})
            await party.answer()
            await scene.do("consult/join")
        names = [party.name.lstrip("+") for party in scene.parties]
        everybody = {
            f"_{name}": " ".join(other for other in names if other != name) for name in names
        }
        await scene.hear(**everybody)
        await lab.restart()
        await scene.hear(**everybody)
        await scene.do("parties/remove", {"number": "1032"})
        gone = scene.parties[3]
        await gone.phone.closed(gone.call)
        gone.call = ""
        names.remove("1032")
        await scene.hear(
            **{f"_{name}": " ".join(other for other in names if other != name) for name in names}
        )
        await scene.leave()


async def test_a_restart_in_a_consultation_and_targets_that_fail(lab: Lab) -> None:
    async with AsyncExitStack() as phones:
        scene = Scene(lab, phones)
        await scene.talk()
        target = await scene.phone("pjsua2", "1034")
        await scene.do("consult", {"number": "1034"})
        ring = await target.phone.incoming()
        target.phone.process.reject(ring.call)
        await lab.agent_is("1001", "talking")
        await scene.hear(_12025550103="1001", _1001="12025550103")
        await scene.do("consult", {"number": "1034"})
        await target.answer()
        await scene.hear(_12025550103="music", _1001="1034", _1034="1001")
        await lab.restart()
        await scene.hear(_12025550103="music", _1001="1034", _1034="1001")
        await target.phone.hang_up(target.call)
        target.call = ""
        await scene.hear(_12025550103="1001", _1001="12025550103")
        await scene.do("consult", {"number": "1034"})
        await target.answer()
        await scene.do("consult/complete")
        agent = scene.parties[0]
        await agent.phone.closed(agent.call)
        agent.call = ""
        await scene.hear(_12025550103="1034", _1034="12025550103")
        await lab.agent_is("1034", "talking")
        await scene.leave()


async def test_a_blind_transfer_to_one_who_refuses_comes_back_first_in_line(lab: Lab) -> None:
    async with AsyncExitStack() as phones:
        scene = Scene(lab, phones)
        customer, agent = await scene.talk()
        target = await scene.phone("baresip", "1035")
        await scene.do("transfer", {"number": "1035"})
        ring = await target.phone.incoming()
        await agent.phone.closed(agent.call)
        target.phone.process.reject(ring.call)
        await agent.answer()  # 1001 is the only one in the queue
        await scene.hear(_12025550103="1001", _1001="12025550103")
        await scene.leave()
        assert customer.call


async def test_monitor_whisper_barge_and_take_over(lab: Lab) -> None:
    before = len(await lab.recordings(0))
    async with AsyncExitStack() as phones:
        scene = Scene(lab, phones)
        customer, agent = await scene.talk()
        boss = await scene.phone("pjsua2", "1040")
        refused = await lab.post(
            f"/api/v1/interactions/{scene.interaction}/supervise", {"role": "monitor"}, "1002"
        )
        assert refused.status_code == 403
        for role, to_customer, to_agent in (
            ("monitor", "1001", "12025550103"),
            ("whisper", "1001", "12025550103 1040"),
            ("barge", "1001 1040", "12025550103 1040"),
            ("monitor", "1001", "12025550103"),
        ):
            await scene.do("supervise", {"role": role, "phone": "1040"}, "super")
            if not boss.call:
                await boss.answer()
            await scene.hear(_12025550103=to_customer, _1001=to_agent, _1040="12025550103 1001")
            ((there,),) = (await lab.get("/api/v1/snapshot"))["supervisions"].values()
            assert there == {
                "by": "super",
                "number": "1040",
                "role": role,
                "state": "attending",
                "reason": "",
            }
            assert not (await lab.get("/api/v1/snapshot", "1001"))["supervisions"]
        await scene.do("supervise", {"role": "take-over", "phone": "1040"}, "super")
        await agent.phone.closed(agent.call)
        agent.call = ""
        await scene.hear(_12025550103="1040", _1040="12025550103")
        await lab.agent_is("1040", "talking")
        await scene.leave()
        left, right = await recording_of(lab, before + 1)
        assert has(left, customer.pitch)
        assert not has(left, boss.pitch)
        assert has(right, agent.pitch)

        async def kept() -> bool:  # history is written behind the calls
            rows = lab.query(
                "select type from timeline where interaction_id = ? order by seq",
                scene.interaction,
            )
            types = [row[0] for row in rows]
            return types.count(EventType.SUPERVISED) >= 6 and EventType.TRANSFERRED in types

        await lab.until(kept, message="the timeline lacks a supervision or the transfer")
