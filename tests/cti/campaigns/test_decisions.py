"""The pacer's decisions are kept with all that they were made of, and come out the same again."""

from __future__ import annotations

import gzip
import stat
from pathlib import Path

import msgspec
import pytest

from acd.dialer.model import CampaignName
from acd.dialer.pacing.model import Floor
from acd.dialer.pacing.pacer import Pacer
from acd.dialer.pacing.replay import replay
from cti.campaign_settings import CampaignsSection
from cti.campaigns import decisions
from cti.campaigns.decision_files import DecisionFiles, Logged
from cti.campaigns.decisions import DecisionLog

SPRING = CampaignName("spring")
DAY = 86400.0


def logged(number: int, at: float = 100.0) -> Logged:
    pacer = Pacer()
    decision = pacer.decide(0.0, 0.0, Floor(free=number), allowance=3.0)
    return Logged(
        campaign=SPRING,
        at=at + number,
        number=number,
        dials=decision.dials,
        reason=decision.reason.value,
        decision=decision,
    )


async def test_the_newest_come_back_as_they_were_and_are_made_again(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "pacing", CampaignsSection())
    made = [logged(number) for number in range(1, 30)]
    for each in made:
        log.add(each)
    found = await log.last(SPRING, 10)
    assert found == made[-10:]
    assert all(replay(each.decision) == each.dials for each in found)
    assert await log.last(CampaignName("summer"), 10) == []


async def test_a_line_that_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path, CampaignsSection())
    log.add(logged(1))
    await log.flush()
    with (tmp_path / "spring.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(logged(2))[:40] + b"\n")
    log.add(logged(3))
    assert [each.number for each in await log.last(SPRING, 10)] == [1, 3]


async def test_what_the_disk_is_too_slow_for_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "_MOST_WAITING", 3)
    log = DecisionLog(tmp_path, CampaignsSection())
    for number in range(1, 6):
        log.add(logged(number))
    assert log.dropped == 2
    assert [each.number for each in await log.last(SPRING, 10)] == [3, 4, 5]


async def test_a_new_campaign_does_not_show_those_of_a_deleted_one(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path, CampaignsSection())
    log.add(logged(1))
    await log.flush()
    log.add(logged(2))
    log.forget(SPRING)
    log.add(logged(3))
    assert [each.number for each in await log.last(SPRING, 10)] == [3]
    (gone,) = tmp_path.glob("spring~*.jsonl.gz")
    assert gzip.decompress(gone.read_bytes()).count(b"\n") == 2


def kept(folder: Path, *, days: int = 90, most_octets: int = 1 << 30) -> DecisionFiles:
    return DecisionFiles(folder, days=days, most_octets=most_octets)


def test_a_file_a_day_is_packed_and_read_all_the_same(tmp_path: Path) -> None:
    files = kept(tmp_path)
    assert [files.write([logged(n, at=1e6 + n * DAY)]) for n in (1, 2)] == [False, True]
    files.tidy(1e6 + 2 * DAY)
    files = kept(tmp_path)  # of another process
    assert files.write([logged(3, at=1e6 + 3 * DAY), logged(4, at=1e6 + 3 * DAY)])
    assert [each.number for each in files.last(SPRING, 10)] == [1, 2, 3, 4]
    assert [each.number for each in files.last(SPRING, 2)] == [3, 4]
    files.tidy(1e6 + 3 * DAY)
    assert [each.number for each in files.last(SPRING, 3)] == [2, 3, 4]
    packed = sorted(tmp_path.glob("*.gz"))
    assert sorted(tmp_path.iterdir()) == sorted([*packed, tmp_path / "spring.jsonl"])
    assert len(packed) == 2
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in tmp_path.iterdir())


def test_what_is_too_old_goes_whosever_it_was(tmp_path: Path) -> None:
    files = kept(tmp_path, days=2)
    files.write([logged(1, at=1e6)])
    files.set_apart(SPRING, 1e6 + DAY)
    files.write([logged(2, at=1e6 + DAY)])
    files.write([logged(3, at=1e6 + 2.5 * DAY)])
    files.tidy(1e6 + 2.5 * DAY)
    assert len(list(tmp_path.glob("spring~*"))) == 1
    files.tidy(1e6 + 3.5 * DAY)
    assert list(tmp_path.glob("spring~*")) == []
    assert [each.number for each in files.last(SPRING, 10)] == [2, 3]


def test_the_oldest_go_where_a_campaign_has_too_much(tmp_path: Path) -> None:
    files = kept(tmp_path)
    for number in range(6):
        files.write([logged(number, at=1e6 + number * 2 * DAY)])
    files.tidy(1e6)
    packed = sorted(tmp_path.glob("*.gz"))
    most_octets = sum(each.stat().st_size for each in packed[-3:])
    kept(tmp_path, most_octets=most_octets).tidy(1e6)
    assert [each.number for each in files.last(SPRING, 10)] == [2, 3, 4, 5]


def test_what_a_crash_left_half_packed_is_packed_anew(tmp_path: Path) -> None:
    files = kept(tmp_path)
    files.write([logged(1, at=1e6)])
    files.write([logged(2, at=1e6 + 2 * DAY)])
    (closed,) = tmp_path.glob("spring.*.jsonl")
    (tmp_path / f"{closed.name}.new").write_bytes(b"half")
    (tmp_path / f"spring.{1e5:.0f}.jsonl.gz").write_bytes(b"no such thing")
    assert [each.number for each in files.last(SPRING, 10)] == [1, 2]
    files.tidy(1e6 + 2 * DAY)
    assert [each.number for each in files.last(SPRING, 10)] == [1, 2]
    assert list(tmp_path.glob("*.new")) == []
