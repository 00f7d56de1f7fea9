"""What ails one campaign, or what is at hand, keeps no campaign from its records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from acd.dialer.model import CampaignName, Candidate
from acd.model import AgentId
from crm_store.errors import NotStored
from cti.campaigns import feeding as feeding_module
from cti.campaigns.feeding import Feeding
from cti.campaigns.outbox import Outbox
from cti.campaigns.settling import Settling
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.kit.patience import PATIENCE_S

AUTUMN = CampaignName("autumn")


class Lists:
    """The store: spring's claims fail."""

    def __init__(self, fault: Exception) -> None:
        self.lists = self.campaigns = self
        self.fault = fault
        self.asked: list[CampaignName] = []
        self.renewed = 0
        self.fed = asyncio.Event()

    async def awaited(self, name: CampaignName, at: float) -> list[AgentId]:
        return []

    async def claim(self, name: CampaignName, at: float, most: int) -> list[Candidate]:
        self.asked.append(name)
        if name == SPRING:
            raise self.fault
        self.fed.set()
        return []

    async def forbidden(self, name: CampaignName, numbers: Sequence[str], at: float) -> set[str]:
        self.renewed += 1
        raise self.fault


def feeding(centre: Outbound, lists: Lists, data: Path) -> Feeding:
    store: Any = lists
    return Feeding(
        dialer=centre.dialer,
        store=store,
        settling=Settling(store, Outbox(data / "outbound.jsonl")),
        clock=centre.process,
        agents_of=lambda name: (),
        running=lambda: (SPRING, AUTUMN),
    )


def faults(caplog: pytest.LogCaptureFixture) -> list[tuple[str, bool]]:
    """What was said, and whether it has a traceback."""
    found = [each for each in caplog.records if each.levelno >= logging.WARNING]
    return [(each.getMessage(), each.exc_info is not None) for each in found]


@pytest.mark.parametrize(
    ("fault", "has_traceback"),
    [(NotStored("there is no campaign"), False), (RuntimeError("a fault of ours"), True)],
)
async def test_others_are_fed_when_one_cannot_be(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    has_traceback: bool,
) -> None:
    monkeypatch.setattr(feeding_module, "_LOOK_S", 0.01)
    centre = Outbound()
    centre.campaign(records=0)
    centre.campaign(AUTUMN, records=2)
    lists = Lists(fault)
    made = feeding(centre, lists, tmp_path)
    task = asyncio.create_task(made.run())
    async with asyncio.timeout(PATIENCE_S):
        await lists.fed.wait()
        while not faults(caplog):  # noqa: ASYNC110 - a log line
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert not task.done()
    task.cancel()
    assert lists.asked.count(SPRING) == 1, "asked again after a while"
    assert lists.renewed == 1
    said = faults(caplog)
    assert [each[1] for each in said] == [has_traceback, has_traceback]
    assert "looked after in 15 s" in said[0][0]
    assert "no records for 15 s" in said[1][0]
