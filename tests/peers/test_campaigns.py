"""A campaign over real SIP: people who talk, are busy, away, machines, and one whom no agent reaches.

Behind the trunks are independent phones (baresip, pjsua2) and `cti.bench.people`; every outcome, card,
recording, status, retry and legal count is looked at where users see it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from cti.bench.calls import rtp_sink
from cti.bench.dials import CampaignDriver
from cti.bench.people import People, Person
from cti.schema import EventType
from tests.kit.desk import Desk
from tests.kit.hearing import AGENT_HZ, CALLER_HZ, until_each_hears
from tests.kit.lab import ROOT, Lab
from tests.kit.phone import Phone

pytestmark = [pytest.mark.peer, pytest.mark.slow]

HUMAN, FAX, TALKER = "+12025550101", "+12025550102", "+12025550103"
BUSY, AWAY, NOBODY, DECLINES = "+12025550104", "+12025550105", "+12025550106", "+12025550107"
CROWD = "127.0.0.2"
"""Where everybody is who has no phone of its own."""
EVER = {"begin": "00:00", "end": "24:00", "days": [0, 1, 2, 3, 4, 5, 6], "region": ""}

_PEOPLE = {
    BUSY: Person(status=486),
    AWAY: Person(status=480, rings_s=0.5),
    NOBODY: Person(status=404),
    DECLINES: Person(status=603),
}


def site(folder: Path) -> Path:
    """The lab with a trunk for each phone, and one for the rest; --out-port gives all their port."""
    text = (ROOT / "config/lab.toml").read_text()
    begin = text.index('[[trunks]]\nname = "out"')
    end = text.index("# --- entries")
    ways = {
        "phone-a": ("127.0.0.1", HUMAN),
        "phone-b": ("127.0.0.3", FAX),
        "crowd": (CROWD, "+1202555"),
    }
    trunks = "".join(
        f'[[trunks]]\nname = "{name}"\nproxy = "sip:{host}:5090"\n'
        f'campaigns = true\nprefixes = ["{prefix}"]\n\n'
        for name, (host, prefix) in ways.items()
    )
    path = folder / "campaigns.toml"
    path.write_text(text[:begin] + trunks + text[end:])
    return path


def people(lab: Lab, rtp_port: int, host: str = CROWD) -> People:
    """Everybody who has no phone of its own."""
    return People(
        host=host,
        port=lab.out_port,
        rtp_port=rtp_port,
        behave=lambda number: _PEOPLE.get(number, Person(status=480)),
    )


async def outcomes(lab: Lab, name: str, count: int) -> dict[str, dict[str, Any]]:
    """The attempts of a campaign by number, once the store has so many."""
    found: list[dict[str, Any]] = []

    async def holds() -> bool:
        found[:] = await lab.get(f"/api/v1/campaigns/{name}/attempts")
        return len(found) >= count and all(each["outcome"] for each in found)

    await lab.until(holds, message=f"there never were {count} attempts")
    return {each["number"]: each for each in found}


async def test_a_campaign_reaches_people_and_keeps_what_became_of_each(tmp_path: Path) -> None:
    with rtp_sink() as rtp_port:
        async with (
            Lab(tmp_path, config=site(tmp_path), tolerates=("gateway",)) as lab,
            Phone("baresip", number=HUMAN, port=lab.out_port) as human,
            Phone("pjsua2", number=FAX, bind="127.0.0.3", port=lab.out_port) as fax,
            Desk(lab, "1001") as ann,
            CampaignDriver(lab.url) as driver,
        ):
            crowd = people(lab, rtp_port)
            await crowd.open()
            try:
                await _campaign(lab, driver, human, fax, ann)
            finally:
                crowd.close()


async def _campaign(lab: Lab, driver: CampaignDriver, human: Phone, fax: Phone, ann: Desk) -> None:
    await ann.ready()
    everybody = [BUSY, AWAY, NOBODY, DECLINES, FAX, HUMAN]
    await driver.make(
        "spring",
        everybody,
        mode="progressive",
        queue="sales",
        caller_ids=["+12025550190"],
        windows=[EVER],
        order="list",
        cap={"patience_s": 20.0, "formulas": ["own"]},
    )
    await driver.start("spring")
    answered = asyncio.create_task(_answer_fax(fax))
    ring = await human.answer_next()
    pop = await ann.event(EventType.SCREEN_POP)
    assert pop.data.caller_number == HUMAN
    assert (pop.data.outbound.campaign, pop.data.outbound.name) == ("spring", HUMAN[1:])
    incoming = await ann.phone.answer_next()
    human.hum(CALLER_HZ)
    ann.phone.hum(AGENT_HZ)
    await until_each_hears((human, ring.call, AGENT_HZ), (ann.phone, incoming.call, CALLER_HZ))
    await human.hang_up(ring.call)
    await answered
    await lab.agent_is("1001", "wrap-up")
    found = await outcomes(lab, "spring", len(everybody))
    assert {number: each["outcome"] for number, each in found.items()} == {
        BUSY: "busy",
        AWAY: "no-answer",
        NOBODY: "invalid-number",
        DECLINES: "rejected",
        FAX: "fax",
        HUMAN: "connected",
    }
    listed = await lab.get("/api/v1/campaigns/spring/records?state=done&outcome=connected")
    assert [(each["numbers"][0]["number"], each["stage"]) for each in listed] == [
        (HUMAN, "reached")
    ]
    assert {number: found[number]["sip_status"] for number in (BUSY, NOBODY, DECLINES)} == {
        BUSY: 486,
        NOBODY: 404,
        DECLINES: 603,
    }
    talk = found[HUMAN]
    assert (talk["agent_id"], talk["trunk"], talk["caller_id"]) == (
        "1001",
        "phone-a",
        "+12025550190",
    )
    assert talk["why"]
    assert '"fax"' in found[FAX]["judged"]
    (recording,) = await lab.recordings(1)
    assert recording["interaction_id"] == talk["attempt_id"]
    panel = await driver.settled("spring")
    us = next(rate for rate in panel["rates"] if rate["formula"] == "us")
    assert (us["live"], us["abandoned"]) == (1, 0)
    assert panel["records"]["reached"] == 1
    why = await lab.get("/api/v1/campaigns/spring/why")
    assert why["callable"] == 0, "those that may be tried again have to wait"
    assert {blocker["code"] for blocker in why["blockers"]} >= {"list-empty"}
    await lab.is_quiet()


async def _answer_fax(fax: Phone) -> None:
    """Answer with the tone of a fax; the campaign hangs up on it."""
    fax.hum(2100.0)
    ring = await fax.answer_next()
    await fax.closed(ring.call)


async def test_whom_no_agent_reaches_hears_the_message_and_may_opt_out(tmp_path: Path) -> None:
    async with (
        Lab(tmp_path, config=site(tmp_path), tolerates=("gateway",)) as lab,
        Phone("baresip", number=HUMAN, port=lab.out_port) as human,
        Desk(lab, "1001", backend="baresip") as ann,
        CampaignDriver(lab.url) as driver,
    ):
        await ann.ready()
        await driver.make(
            "spring",
            [HUMAN],
            mode="progressive",
            queue="sales",
            windows=[EVER],
            answers={"classify": False},
        )
        await driver.start("spring")
        ring = await human.answer_next()
        await ann.phone.incoming()  # and nobody picks up
        await _opt_out(human, ring.call)
        found = await outcomes(lab, "spring", 1)
        attempt = found[HUMAN]
        assert attempt["outcome"] == "opted-out"
        assert attempt["ended_at"] - attempt["answered_at"] > 1.8
        assert attempt["abandoned"], "nobody came, whatever the person did then"
        assert 0.0 < attempt["message_began_at"] - attempt["greeting_ended_at"] < 2.0
        (listed,) = await lab.get("/api/v1/campaigns/spring/attempts?outcome=abandoned")
        assert listed["attempt_id"] == attempt["attempt_id"]
        (entry,) = await lab.get(f"/api/v1/do-not-call?number={quote(HUMAN)}")
        assert entry["source"] == "opt-out"
        panel = await driver.settled("spring")
        us = next(rate for rate in panel["rates"] if rate["formula"] == "us")
        assert (us["live"], us["abandoned"]) == (1, 1)
        await lab.agent_is("1001", "available")
        await lab.is_quiet()


async def _opt_out(human: Phone, call: str) -> None:
    """Press the key until it is heard: before the message begins it means nothing."""
    over = asyncio.create_task(human.closed(call))
    while not over.done():
        human.press(call, "9")
        await asyncio.wait([over], timeout=0.5)
    await over


async def test_a_dial_outlives_the_call_agent(tmp_path: Path) -> None:
    rings_s = 4.0
    with rtp_sink() as rtp_port:
        async with Lab(tmp_path, tolerates=("gateway",)) as lab:
            crowd = people(lab, rtp_port, "127.0.0.1")
            crowd.behave = lambda number: Person(status=200, rings_s=rings_s, talks_s=1.0)
            await crowd.open()
            try:
                async with CampaignDriver(lab.url) as driver:
                    await driver.make(
                        "spring",
                        [TALKER],
                        mode="announcement",
                        flow="announcement",
                        windows=[EVER],
                        answers={"classify": False},
                    )
                    await driver.start("spring")

                    async def rings() -> bool:
                        return len(crowd.dialled) == 1

                    await lab.until(rings)
                await lab.restart()
                found = await outcomes(lab, "spring", 1)
                assert found[TALKER]["outcome"] == "announced"
                assert len(crowd.dialled) == 1, "nobody is called twice"
                await lab.is_quiet()
            finally:
                crowd.close()
