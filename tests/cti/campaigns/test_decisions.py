"""The pacer's decisions are kept with all that they were made of, and come out the same again."""

from __future__ import annotations

from pathlib import Path

import msgspec

from acd.dialer.model import CampaignName
from acd.dialer.pacing.model import Floor
from acd.dialer.pacing.pacer import Pacer
from acd.dialer.pacing.replay import replay
from cti.campaigns.decisions import DecisionLog, Logged

SPRING = CampaignName("spring")


def logged(number: int) -> Logged:
    pacer = Pacer()
    decision = pacer.decide(0.0, 0.0, Floor(free=number), allowance=3.0)
    return Logged(
        campaign=SPRING,
        at=100.0 + number,
        number=number,
        dials=decision.dials,
        reason=decision.reason.value,
        decision=decision,
    )


async def test_the_newest_come_back_as_they_were_and_are_made_again(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "pacing")
    made = [logged(number) for number in range(1, 30)]
    for each in made:
        log.add(each)
    found = await log.last(SPRING, 10)
    assert found == made[-10:]
    assert all(replay(each.decision) == each.dials for each in found)
    assert await log.last(CampaignName("summer"), 10) == []


async def test_a_line_that_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path)
    log.add(logged(1))
    await log.flush()
    with (tmp_path / "spring.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(logged(2))[:40] + b"\n")
    log.add(logged(3))
    assert [each.number for each in await log.last(SPRING, 10)] == [1, 3]
