from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from cti.bench.flatness import Trend, Verdict
from cti.bench.picture import Line, line_chart
from cti.bench.soak import soak
from cti.bench.soak_files import files_at_end
from cti.bench.soak_load import KINDS, _carry, _order
from cti.bench.soak_probe import AGENT_HZ, CALLER_HZ, gap, sound_of, tone, wrong
from cti.bench.soak_report import Files, Probed, SoakReport, in_words, write_report
from cti.bench.soak_samples import Sample, left_over, sample_of
from cti.metrics.reading import Figures
from cti.takeover import FILE
from switch.journal.format import Header
from switch.journal.writer import Journal
from tests.kit.ports import rtp_ports


@pytest.mark.slow
async def test_calls_of_every_kind_leave_nothing_behind(tmp_path: Path) -> None:
    calls = 50
    told: list[str] = []
    report = await soak(
        calls,
        3 / 60,
        tmp_path,
        rtp_ports=rtp_ports(),
        desks=("1001", "1002"),
        linger=False,
        tell=told.append,
    )
    assert report.left_over == []
    assert report.faults == 0
    assert sum(sum(kind.values()) for kind in report.outcomes.values()) == calls
    # On a machine that is busy with other things calls may be shed, but nothing else goes wrong.
    assert report.failed <= report.samples[-1].shed
    assert report.files.bad == []
    assert report.files.journal_records == 0
    assert report.files.recordings > 0
    assert report.probed.calls >= 1
    assert report.probed.wrong == 0
    assert report.desks["signed on"] >= 2
    assert report.registers["200"] >= 10
    assert told

    write_report(report, tmp_path / "out")
    with (tmp_path / "out" / "samples.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(report.samples) >= 4
    assert float(rows[-1]["call_agent_rss"]) > 50e6
    assert 1e6 < float(rows[-1]["call_agent_file_backed"]) < float(rows[-1]["call_agent_rss"])
    assert float(rows[-1]["blocks"]) > 100_000
    assert max(float(row["legs"]) for row in rows) > 1
    assert json.loads((tmp_path / "out" / "soak.json").read_text())["calls"] == calls
    ElementTree.parse(tmp_path / "out" / "memory.svg")
    assert "too short to tell" in (tmp_path / "out" / "soak.txt").read_text()


def test_five_hundred_calls_have_each_kind_by_its_share() -> None:
    order = Counter(_order())
    assert order == {number: kind.share for number, kind in enumerate(KINDS)}
    assert order.total() == 500


def test_the_carrier_does_what_the_number_says() -> None:
    for number, status in (("0200", 200), ("0404", 404), ("0486", 486), ("0408", 0), ("0180", 180)):
        invite = f"INVITE sip:+44163296{number}@127.0.0.1:5090 SIP/2.0\r\n"
        assert _carry(invite.encode()) == status
    assert _carry(b"nonsense") == 404


# --- what is a complaint ---------------------------------------------------------------------------


def sample(**figures: float) -> Sample:
    return replace(
        sample_of(
            Figures(""),
            seconds=0.0,
            calls=0,
            failed=0,
            threads=(3, 3),
            file_backed=(0, 0),
            cpu_s=(0.0, 0.0),
        ),
        **figures,  # type: ignore[arg-type]
    )


def report(**changes: Any) -> SoakReport:
    flat = Trend(
        verdict=Verdict.FLAT,
        octets_per_call=3.0,
        uncertainty=9.0,
        calls=50_000,
        begin_mib=150.0,
        end_mib=150.1,
    )
    fields: dict[str, Any] = {
        "machine": {},
        "calls": 100_000,
        "asked_calls": 100_000,
        "minutes": 30.0,
        "rate": 55.6,
        "failed": 0,
        "odd": [],
        "outcomes": {},
        "registers": {},
        "desks": {},
        "probed": Probed(calls=180, gaps=0, wrong=0, words=[]),
        "files": Files(recordings=9, bad=[], journal_records=0),
        "faults": 0,
        "left_over": [],
        "call_agent": flat,
        "gateway": flat,
        "blocks": flat,
    }
    return SoakReport(**fields | changes)


def test_a_soak_with_nothing_to_complain_of_has_passed() -> None:
    assert report().complaints == []
    assert in_words(report()).endswith("soak: PASSED")


def test_it_says_how_much_of_a_core_each_process_needed_under_load() -> None:
    looks = [
        sample(),  # before the load
        sample(seconds=10.0, call_agent_cpu_s=9.0, gateway_cpu_s=4.0),
        sample(seconds=110.0, call_agent_cpu_s=59.0, gateway_cpu_s=24.0),
        sample(seconds=150.0, call_agent_cpu_s=60.0, gateway_cpu_s=25.0),  # all calls are over
    ]
    assert report(samples=looks).shares == (0.5, 0.2)
    assert "the call agent needed 50 % of a core, the gateway 20 %" in in_words(
        report(samples=looks)
    )


def test_what_became_of_a_failed_call_is_told() -> None:
    odd = ["soak10x7 (gives up in the queue): 480 180.0 s after its INVITE"]
    assert f"failed: {odd[0]}" in in_words(report(failed=1, odd=odd))


@pytest.mark.parametrize(
    "changes",
    [
        {"left_over": ["legs: 1, 0 before"]},
        {"files": Files(recordings=9, bad=["recording x is not finished"], journal_records=0)},
        {"files": Files(recordings=9, bad=[], journal_records=1)},
        {"faults": 1},
        {"failed": 101},
        {"calls": 99_999},
        {"probed": Probed(calls=180, gaps=0, wrong=1, words=["call 7"])},
        {"probed": Probed(calls=180, gaps=4, wrong=0, words=["call 7"])},
        {"gateway": replace(report().gateway, verdict=Verdict.GROWS, octets_per_call=99.0)},
        {"gateway": replace(report().gateway, verdict=Verdict.TOO_SHORT, uncertainty=99.0)},
        {"probed": Probed(calls=0, gaps=0, wrong=0, words=[])},
        {"files": Files(recordings=0, bad=[], journal_records=0)},
    ],
)
def test_each_thing_that_must_not_be_makes_it_fail(changes: dict[str, Any]) -> None:
    found = report(**changes)
    assert len(found.complaints) == 1
    assert in_words(found).endswith("soak: FAILED")


def test_of_few_calls_that_nothing_can_be_told_of_memory_is_said_and_does_not_fail() -> None:
    short = replace(report().gateway, verdict=Verdict.TOO_SHORT)
    few = report(gateway=short, calls=5_000, asked_calls=5_000)
    assert "PASSED but for memory" in in_words(few)


def test_what_is_more_than_before_is_left_over() -> None:
    before = sample(ports_free=100.0, call_agent_files=30.0)
    assert left_over(before, replace(before, call_agent_files=50.0, players=1.0)) == []
    for name in ("legs", "contacts", "tasks", "timers", "streams", "tcp_connections"):
        after = replace(before, **{name: 1.0})  # type: ignore[arg-type]
        assert left_over(before, after) == [f"{name}: 1, 0 before"]
    assert left_over(before, replace(before, timers=1.0), linger=False) == []
    assert left_over(before, replace(before, ports_free=98.0)) == ["ports_free: 98, 100 before"]
    assert left_over(before, replace(before, call_agent_files=100.0)) != []
    assert left_over(before, replace(before, call_agent_threads=100.0)) != []


def test_files_of_the_gateway_that_go_on_growing_are_left_over() -> None:
    before = sample()
    flat = [sample(gateway_files=900.0)] * 50
    assert left_over(before, sample(gateway_files=950.0), flat) == []
    assert left_over(before, sample(gateway_files=1800.0), flat) != []


# --- files and sound -------------------------------------------------------------------------------


def test_a_recording_that_is_not_finished_and_a_strange_file_are_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path / FILE, Header(version=1, boot="b", wall_offset=0.0))
    journal.begin({})
    journal.close()
    day = tmp_path / "recordings" / "2026"
    day.mkdir(parents=True)
    assert files_at_end(tmp_path) == Files(recordings=0, bad=[], journal_records=0)
    (day / "one.part").write_bytes(b"RIFF")
    (day / "two.wav").write_bytes(b"RIFF")
    (tmp_path / "core.1234").touch()
    found = files_at_end(tmp_path)
    assert found.recordings == 0
    assert len(found.bad) == 3
    assert any("one.part is not finished" in words for words in found.bad)
    assert any("core.1234" in words for words in found.bad)


def test_a_party_that_hears_the_other_has_nothing_to_complain_of() -> None:
    heard = sound_of([tone(AGENT_HZ)] * 50)
    assert gap("caller", heard) == ""
    assert wrong("caller", heard, AGENT_HZ, CALLER_HZ) == ""


def test_gaps_and_strange_sounds_are_told() -> None:
    assert "44 packets" in gap("caller", sound_of([tone(AGENT_HZ)] * 44))
    assert "hears the other at" in wrong("agent", np.zeros(8000), CALLER_HZ, AGENT_HZ)
    both = sound_of([tone(AGENT_HZ)] * 50) + sound_of([tone(CALLER_HZ)] * 50)
    assert "hears itself" in wrong("agent", both, CALLER_HZ, AGENT_HZ)


def test_the_picture_keeps_every_point_inside() -> None:
    text = line_chart("a <b>", "x", "y", [0.0, 50.0, 100.0], [Line("one & two", [0.0, 99.0, 3.2])])
    root = ElementTree.fromstring(text)
    (curve,) = (node for node in root if node.tag.endswith("polyline"))
    points = [tuple(map(float, pair.split(","))) for pair in curve.attrib["points"].split()]
    assert len(points) == 3
    assert all(0 <= x <= 860 and 0 <= y <= 420 for x, y in points)
