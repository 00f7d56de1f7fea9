"""The call agent is killed and started again: what was going on goes on, wherever it stood."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import numpy as np
import pytest

from cti.journal_records import Kind
from cti.schema import EventType
from cti.takeover import FILE
from switch.journal.format import read
from tests.kit.counted_party import CountedParty, talk
from tests.kit.counted_sound import (
    longest_hole_s,
    longest_pause_s,
    longest_stall_s,
    longest_way_s,
    lost,
    recorded,
    shortened_s,
)
from tests.kit.desk import Desk
from tests.kit.hearing import (
    AGENT_HZ,
    CALLER_HZ,
    HEARD,
    UNHEARD,
    Ear,
    gaps,
    heard_through,
    listen,
    stereo,
    until_each_hears,
    until_heard,
    was_heard,
)
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone, tone_levels

pytestmark = [pytest.mark.peer, pytest.mark.slow]

TOLERATED = ("gateway", "media gateway")
PAUSE_S = 0.15
"""So long a packet may be on its way, or be missing, on a machine that is busy with other tests."""
PHONES_PAUSE_S = 0.3
"""The same as phones hear it, which have buffers and clocks of their own."""
CUT_S = 0.08
"""A recording that lacks so much has lost something: a ring that is too deep leaves out less at once."""
GONE = (
    ('logins = "1001-1050"', 'logins = "1002-1050"'),
    ('numbers = "1001-1050"\npassword', 'numbers = "1002-1050"\npassword'),
    ('numbers = "1001-1025"', 'numbers = "1002-1025"'),
    ('callers = ["1001-1010"]', 'callers = ["1002-1010"]'),
    ('name = "lab"\n', 'name = "another"\n'),
)
"""Agent 1001, its phone and its account, and the trunk that callers come by, in the lab's words."""


def kinds_kept(lab: Lab) -> set[str]:
    return {kind for kind, _ in read(lab.data / FILE).entries}


async def test_a_conversation_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Phone("pjsua2") as agent,
        Lab(tmp_path, tolerates=TOLERATED) as lab,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        caller.hum(CALLER_HZ)
        agent.hum(AGENT_HZ)
        call = await caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        ring = await agent.answer_next()
        await caller.established(call)
        await until_heard(caller, call, AGENT_HZ)

        await heard_through(
            lab.restart,
            Ear(caller, call, "the caller", (AGENT_HZ,)),
            Ear(agent, ring.call, "the agent", (CALLER_HZ,)),
        )
        await lab.agent_is("1001", "talking")

        agent.process.hold(ring.call)
        await lab.agent_is("1001", "held")
        music = await listen(caller, call)
        assert np.abs(music.astype(float)).mean() > 50, "the caller should hear music"
        assert tone_levels(music, [AGENT_HZ])[0] < UNHEARD
        agent.process.resume(ring.call)
        await lab.agent_is("1001", "talking")
        await until_each_hears((caller, call, AGENT_HZ), (agent, ring.call, CALLER_HZ))

        await agent.hang_up(ring.call)
        await caller.closed(call)
        await lab.is_quiet()
        await lab.agent_is("1001", "available")

        row = (await lab.recordings(1))[-1]
        assert (row["error"], row["agent_id"], row["queue"]) == (None, "1001", "sales")
        path = Path(row["path"])
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        left, right = stereo(path)
        assert sum(gaps(left, CALLER_HZ)) < PHONES_PAUSE_S, "the recording has gaps"
        was_heard(right[-8000:], AGENT_HZ)

        async def kept() -> bool:
            columns = "result, reason, agent_id, held_s > 0.9, talked_s"
            found = lab.query(f"select {columns} from interaction where ended_at is not null")
            ends = [end for *end, _ in found] == [["answered", "agent-hung-up", "1001", 1]]
            return ends and abs(found[0][-1] - row["duration_s"]) < PHONES_PAUSE_S

        await lab.until(kept, message="history has no end of it")
        assert not {Kind.LEG, Kind.CONTACT, Kind.CAPTURE, Kind.INVITE} & kinds_kept(lab)


async def test_no_frame_is_lost_or_held_up_while_nobody_is_there(tmp_path: Path) -> None:
    async with (
        Lab(tmp_path, tolerates=TOLERATED) as lab,
        CountedParty(lab, "+12025550117") as caller,
        CountedParty(lab, "1001") as agent,
        CountedParty(lab, "+12025550118") as held,
        CountedParty(lab, "1002") as holder,
        CountedParty(lab, "+12025550119") as waiting,
    ):
        for customer, phone in ((caller, agent), (held, holder)):
            await phone.register()
            await lab.agent_is(phone.user, "available")
            await talk(customer, "4001", phone)
        await holder.hold()
        await lab.agent_is("1002", "held")
        await waiting.call("4001")
        await asyncio.sleep(1.0)
        music_from = len(held.sound.heard) - 1, len(waiting.sound.heard) - 1
        killed_at = len(caller.sound.said_at)
        away_s = await lab.restart()
        await asyncio.sleep(1.0)
        tunes = held.sound.heard[music_from[0] :], waiting.sound.heard[music_from[1] :]

        for speaker, listener in ((caller, agent), (agent, caller)):
            assert lost(listener.sound) == []
            assert longest_way_s(speaker.sound, listener.sound) < PAUSE_S
        for tune in tunes:
            assert tune[-1].at - tune[0].at > away_s
            assert longest_pause_s(tune) < PAUSE_S
            assert {each.number for each in tune} == {None}
            assert len(set(b"".join(each.sound for each in tune))) > 30, "it should be music"

        await waiting.hang_up()
        await asyncio.gather(caller.hang_up(), agent.ended())
        await asyncio.gather(holder.hang_up(), held.ended())
        await lab.is_quiet()
        rows = {row["agent_id"]: row for row in await lab.recordings(2)}
        path = Path(rows["1001"]["path"])
        for channel, party in enumerate((caller, agent)):
            pieces = recorded(path, channel)
            assert longest_hole_s(pieces) < CUT_S + longest_stall_s(party.sound)
            assert shortened_s(pieces, 2 * killed_at) < CUT_S


async def test_callers_go_on_wherever_they_stood(tmp_path: Path) -> None:
    async with (
        Lab(tmp_path, tolerates=TOLERATED) as lab,
        Phone("baresip", number="+12025550117") as caller,
        Phone("pjsua2") as agent,
        Desk(lab, "1001") as desk,
    ):
        sales = f"sip:4001@{lab.host}:{lab.sip_port}"
        caller.hum(CALLER_HZ)

        async def waiting() -> list[str]:
            """The interactions that wait, the first in line first."""
            shown = (await lab.get("/api/v1/snapshot"))["interactions"]
            return [one["interaction_id"] for one in shown if one["stage"] == "waiting"]

        # One agent is in wrap-up,
        await desk.ready()
        first = await caller.call(sales)
        ring = await desk.phone.answer_next()
        await caller.established(first)
        await caller.hang_up(first)
        await desk.phone.closed(ring.call)
        await lab.agent_is("1001", "wrap-up")
        await desk.api.extend_wrap_up()
        # the other one's phone rings,
        await agent.register_to(lab.host, lab.sip_port, "1002", "lab-1002")
        await lab.agent_is("1002", "available")
        ringing = await caller.call(sales)
        offered = await agent.incoming()
        await lab.agent_is("1002", "ringing")
        # two callers wait,
        line = []
        for place in (1, 2):
            line.append(await caller.call(sales))
            await caller.established(line[-1])

            async def stands(place: int = place) -> bool:
                return len(await waiting()) == place

            await lab.until(stands)
        in_order = await waiting()
        # and one hears a menu.
        choosing = await caller.call(f"sip:4000@{lab.host}:{lab.sip_port}")
        await caller.established(choosing)

        async def hears_the_menu() -> bool:
            return bool(np.abs((await listen(caller, choosing)).astype(float)).mean() > 50)

        # An answer may leave a moment before the gateway has read of the leg: a call that the kill
        # meets in between is not yet set up.
        await lab.until(hears_the_menu, message="the menu is not heard")
        await lab.restart()

        assert await waiting() == in_order
        assert (await lab.agent("1001"))["state"] == "wrap-up"
        music = await listen(caller, line[0])
        assert np.abs(music.astype(float)).mean() > 50, "who waits should hear music"

        agent.hum(AGENT_HZ)
        agent.process.answer(offered.call)
        await caller.established(ringing)
        await agent.established(offered.call)
        await until_heard(caller, ringing, AGENT_HZ)
        await lab.agent_is("1002", "talking")

        caller.press(choosing, "9")

        async def echoes() -> bool:
            return tone_levels(await listen(caller, choosing), [CALLER_HZ])[0] > HEARD

        await lab.until(echoes, message="the menu does not go on")
        await caller.hang_up(choosing)

        await agent.hang_up(offered.call)
        await caller.closed(ringing)
        next_one = await agent.answer_next()
        assert next_one.headers["X-Interaction-Id"] == in_order[0]
        await until_heard(caller, line[0], AGENT_HZ)

        await desk.api.finish_wrap_up()
        pop = await desk.event(EventType.SCREEN_POP, after=desk.mark() - 1)
        assert pop.event.interaction_id == in_order[1]
        ring = await desk.phone.answer_next()
        assert ring.headers["X-Interaction-Id"] == in_order[1]
        for call in line:
            await caller.hang_up(call)
        await lab.is_quiet()

        async def closed() -> bool:
            return lab.query("select count(*) from interaction where ended_at is null") == [(0,)]

        await lab.until(closed, message="some interactions have no end")
        found = lab.query("select result from interaction order by started_at")
        assert [result for (result,) in found] == ["answered"] * 4 + ["menu"]

        async def forgotten() -> bool:
            over = {Kind.LEG, Kind.CONTACT, Kind.CAPTURE, Kind.INVITE, Kind.INTERACTION}
            return not over & kinds_kept(lab)

        await lab.until(forgotten, message="the journal keeps what is over")


async def test_who_is_configured_no_more_takes_nobody_else_along(tmp_path: Path) -> None:
    config = tmp_path / "centre.toml"
    config.write_text((ROOT / "config" / "lab.toml").read_text())
    async with (
        Phone("baresip", number="+12025550117") as caller,
        Phone("pjsua2") as agent,
        Phone("pjsua2") as other,
        Lab(tmp_path, config=config, tolerates=TOLERATED) as lab,
    ):
        await agent.register_to(lab.host, lab.sip_port, "1001", "lab-1001")
        await lab.agent_is("1001", "available")
        sales = f"sip:4001@{lab.host}:{lab.sip_port}"
        talking = await caller.call(sales)
        ring = await agent.answer_next()
        await caller.established(talking)
        waiting = await caller.call(sales)
        await caller.established(waiting)

        text = lab.config.read_text()
        for old, new in GONE:
            assert old in text
            text = text.replace(old, new)
        lab.config.write_text(text)
        await lab.restart()

        await caller.closed(talking)  # its agent is gone: it is told, not left in silence
        await agent.closed(ring.call)
        await other.register_to(lab.host, lab.sip_port, "1002", "lab-1002")
        ring = await other.answer_next()
        other.hum(AGENT_HZ)
        await until_heard(caller, waiting, AGENT_HZ)
        await caller.hang_up(waiting)
        await lab.is_quiet()

        async def written() -> bool:
            kept = read(lab.data / FILE).entries
            return (Kind.AGENT, "1002") in kept and (Kind.AGENT, "1001") not in kept

        await lab.until(written, message="the journal is not written any more")
