"""What pacers learned is kept in files, and their compiled part is loaded beside the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from acd.dialer.dialer import Dialer
from acd.dialer.model import CampaignName, Mode
from acd.dialer.pacing import loading
from acd.dialer.pacing.model import Floor, Reason
from acd.dialer.pacing.pacer import Pacer
from acd.dialer.settings import CampaignSettings
from cti.campaigns.pacing import PacingKeeper, make_ready

SPRING = CampaignName("spring")


class Pacers:
    """As the dialer tells of its pacers."""

    def __init__(self, pacer: Pacer) -> None:
        self.pacer = pacer

    def names(self) -> tuple[CampaignName, ...]:
        return (SPRING,)

    def decisions(self, name: CampaignName) -> int:
        return self.pacer.decisions

    def learned(self, name: CampaignName) -> dict[str, Any]:
        return self.pacer.record()


def keeper_of(pacer: Pacer, folder: Path) -> PacingKeeper:
    return PacingKeeper(cast("Dialer", Pacers(pacer)), folder / "pacing")


async def test_what_was_learned_is_read_again(tmp_path: Path) -> None:
    pacer = Pacer()
    keeper = keeper_of(pacer, tmp_path)
    await keeper.flush()
    assert not (tmp_path / "pacing").exists()  # nothing was decided yet
    for _ in range(40):
        pacer.talked(60.0)
    pacer.decide(1.0, 0.0, Floor(free=1), allowance=0.0)
    await keeper.flush()
    after = Pacer()
    after.restore(keeper.learned(SPRING))
    found = after.decide(1.0, 0.0, Floor(free=1), allowance=0.0)
    assert (found.number, found.reason) == (2, Reason.FORECAST)
    assert found.talks == pytest.approx(40.0, rel=0.02)


async def test_what_cannot_be_read_is_nothing(tmp_path: Path) -> None:
    keeper = keeper_of(Pacer(), tmp_path)
    assert keeper.learned(SPRING) == {}
    (tmp_path / "pacing").mkdir()
    path = tmp_path / "pacing" / "spring.learned.json"
    for text in ("{", "[1]", json.dumps("x")):
        path.write_text(text)
        assert keeper.learned(SPRING) == {}
    keeper.forget(SPRING)
    assert not path.exists()


async def test_the_compiled_part_is_loaded_for_the_first_campaign_that_predicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_loader", loading._Loader())
    loading.defer()
    keeper = keeper_of(Pacer(), tmp_path)
    keeper.look_at(CampaignSettings(name=SPRING, mode=Mode.PROGRESSIVE))
    assert not keeper._wanted.is_set()
    keeper.look_at(CampaignSettings(name=SPRING, mode=Mode.PREDICTIVE))
    assert keeper._wanted.is_set()
    await make_ready()
    assert not loading.is_missing()
