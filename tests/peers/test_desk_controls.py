"""What an agent does from the desk while it talks, proved by what the others hear."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from cti.client import ApiError
from cti.schema import EventType
from tests.kit.desk import Desk
from tests.kit.hearing import (
    AGENT_HZ,
    CALLER_HZ,
    HEARD,
    UNHEARD,
    hears,
    listen,
    stereo,
    until_each_hears,
    until_heard,
)
from tests.kit.lab import Lab
from tests.kit.phone import Phone, tone_levels

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def connect(lab: Lab, desk: Desk, caller: Phone) -> tuple[str, str, str]:
    """Caller and agent talk; gives the interaction and the names of both calls."""
    mark = desk.mark()
    desk.phone.hum(AGENT_HZ)
    caller.hum(CALLER_HZ)
    call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
    ring = await desk.phone.answer_next()
    await caller.established(call)
    seen = await desk.event(EventType.ESTABLISHED, after=mark)
    assert ring.headers["X-Interaction-Id"] == seen.event.interaction_id
    assert seen.event.interaction_id is not None
    return seen.event.interaction_id, call, ring.call


async def test_hold_resume_and_hang_up(lab: Lab) -> None:
    async with Desk(lab, "1001") as desk, Phone("pjsua2", number="+12025550103") as caller:
        await desk.ready()
        interaction, call, leg = await connect(lab, desk, caller)
        await until_heard(caller, call, AGENT_HZ)
        await desk.api.hold(interaction)
        await desk.event(EventType.HELD)
        await lab.agent_is("1001", "held")
        music = await listen(caller, call)
        assert np.abs(music.astype(float)).mean() > 50, "the caller should hear music"
        assert tone_levels(music, [AGENT_HZ])[0] < UNHEARD, "and not the agent"
        hears(await listen(desk.phone, leg))
        await desk.api.resume(interaction)
        await desk.event(EventType.RETRIEVED)
        await lab.agent_is("1001", "talking")
        await until_each_hears((caller, call, AGENT_HZ), (desk.phone, leg, CALLER_HZ))
        await desk.api.hang_up(interaction)
        await caller.closed(call)
        await desk.phone.closed(leg)
        cleared = await desk.event(EventType.CONNECTION_CLEARED)
        assert (cleared.data.result, cleared.data.reason) == ("answered", "agent-hung-up")
        assert cleared.data.held_s > 1.5
        await lab.agent_is("1001", "wrap-up")
        with pytest.raises(ApiError) as refused:
            await desk.api.hold(interaction)
        assert refused.value.status == 409
        await lab.is_quiet()


async def test_mute_keeps_the_agent_from_caller_and_recording(lab: Lab) -> None:
    before = len(await lab.recordings(0))
    async with Desk(lab, "1001") as desk, Phone("baresip", number="+12025550103") as caller:
        await desk.ready()
        interaction, call, leg = await connect(lab, desk, caller)
        hears(await listen(caller, call), AGENT_HZ)
        await desk.api.mute(interaction, True)
        await desk.event(EventType.MICROPHONE_MUTE, test=lambda view: view.muted)
        hears(await listen(caller, call))
        await until_heard(desk.phone, leg, CALLER_HZ)
        await desk.api.mute(interaction, False)
        await desk.event(EventType.MICROPHONE_MUTE, test=lambda view: not view.muted)
        hears(await listen(caller, call), AGENT_HZ)
        await caller.hang_up(call)
        await desk.phone.closed(leg)
        await desk.api.finish_wrap_up()
    row = (await lab.recordings(before + 1))[-1]
    left, right = stereo(Path(row["path"]))
    spoke = loud_seconds(right, AGENT_HZ)
    assert 0.7 < len(spoke) / 10 < len(right) / 8000 - 0.8, "the muted second is not recorded"
    gap = max(np.diff(spoke)) / 10
    assert gap > 0.8, f"silence of {gap} s on the agent's channel"
    assert tone_levels(left[8000:16_000], [CALLER_HZ])[0] > HEARD


def loud_seconds(pcm: np.ndarray, pitch: float) -> list[int]:
    """The tenths of a second in which a pitch is heard."""
    return [
        tenth
        for tenth in range(len(pcm) // 800)
        if tone_levels(pcm[tenth * 800 : tenth * 800 + 800], [pitch])[0] > HEARD
    ]


async def test_digits_reach_the_caller(lab: Lab) -> None:
    async with Desk(lab, "1001") as desk, Phone("pjsua2", number="+12025550103") as caller:
        await desk.ready()
        interaction, call, leg = await connect(lab, desk, caller)
        await desk.api.digits(interaction, "19*#")
        assert await caller.digits(call, 4) == "19*#"
        await caller.hang_up(call)
        await desk.phone.closed(leg)
        await desk.api.finish_wrap_up()
        await lab.is_quiet()


async def test_dial_rings_the_own_phone_then_the_number(lab: Lab) -> None:
    async with Desk(lab, "1006") as desk, Phone("pjsua2") as colleague:
        await desk.ready()
        await colleague.register_to(lab.host, lab.sip_port, "1031", "lab-1031")
        desk.phone.hum(AGENT_HZ)
        colleague.hum(CALLER_HZ)
        await desk.api.dial("1031")
        own = await desk.phone.answer_next()
        ring = await colleague.answer_next()
        assert ring.from_number.endswith("1006")
        established = await desk.event(EventType.ESTABLISHED)
        await lab.agent_is("1006", "engaged")
        await until_each_hears((desk.phone, own.call, CALLER_HZ), (colleague, ring.call, AGENT_HZ))
        interaction = established.event.interaction_id
        assert interaction is not None
        await desk.api.hold(interaction)
        await desk.event(EventType.HELD)
        music = await listen(colleague, ring.call)
        assert np.abs(music.astype(float)).mean() > 50
        await desk.api.resume(interaction)
        await desk.event(EventType.RETRIEVED)
        await until_heard(colleague, ring.call, AGENT_HZ)
        await desk.api.note(interaction, "Asked about the delivery.")
        await desk.api.hang_up(interaction)
        await colleague.closed(ring.call)
        await desk.phone.closed(own.call)
        await lab.is_quiet()
        await lab.agent_is("1006", "available")

        async def kept() -> bool:
            rows = lab.query(
                "select direction, result, agent_id from interaction where id = ?", interaction
            )
            return rows == [("outbound", "direct", "1006")]

        await lab.until(kept)


async def test_dial_to_a_number_that_does_not_answer_frees_the_agent(lab: Lab) -> None:
    async with Desk(lab, "1006") as desk, Phone("baresip") as colleague:
        await desk.ready()
        await colleague.register_to(lab.host, lab.sip_port, "1031", "lab-1031")
        await desk.api.dial("1031")
        own = await desk.phone.answer_next()
        ring = await colleague.incoming()
        ringback = (await desk.phone.hear(own.call, 1.5))[3200:]
        assert min(tone_levels(ringback, [440.0, 480.0])) > 200, "the agent hears it ring"
        colleague.process.reject(ring.call)
        await desk.phone.closed(own.call)
        await lab.is_quiet()
        await lab.agent_is("1006", "available")
        for number, status in (("9999", 409), ("hello", 422), ("", 422)):
            with pytest.raises(ApiError) as refused:
                await desk.api.dial(number)
            assert refused.value.status in (400, status), refused.value.problem
        await asyncio.sleep(0.1)
        assert (await lab.agent("1006"))["state"] == "available"


async def test_only_the_agent_on_it_commands_an_interaction(lab: Lab) -> None:
    async with (
        Desk(lab, "1001") as desk,
        Desk(lab, "1002", backend=None) as other,
        Phone("baresip", number="+12025550103") as caller,
    ):
        await desk.ready()
        interaction, call, _ = await connect(lab, desk, caller)
        for command in (
            other.api.hold(interaction),
            other.api.hang_up(interaction),
            other.api.mute(interaction, True),
            other.api.digits(interaction, "1"),
            other.api.note(interaction, "not mine"),
        ):
            with pytest.raises(ApiError) as refused:
                await command
            assert refused.value.status == 403
        await until_heard(caller, call, AGENT_HZ)
        reply = await lab.post(f"/api/v1/interactions/{interaction}/hang-up")
        assert reply.status_code == 202, "a supervisor may"
        await caller.closed(call)
        await desk.api.finish_wrap_up()
        await lab.is_quiet()
