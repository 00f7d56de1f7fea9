from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cti.bench.picture import Line, line_chart
from cti.bench.soak import in_words, soak, write_report
from cti.bench.soak_load import KINDS, _order
from tests.kit.lab import rtp_ports


@pytest.mark.slow
async def test_calls_of_every_kind_leave_nothing_behind(tmp_path: Path) -> None:
    calls = 40
    report = await soak(calls, 2 / 60, tmp_path, rtp_ports=rtp_ports(), linger=False)
    assert report.left_over == []
    assert report.faults == 0
    assert sum(sum(kind.values()) for kind in report.outcomes.values()) == calls
    # On a machine that is busy with other things calls may be shed, but nothing else goes wrong.
    assert report.failed <= report.samples[-1].shed

    write_report(report, tmp_path / "out")
    with (tmp_path / "out" / "samples.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(report.samples) >= 4
    assert float(rows[-1]["call_agent_rss"]) > 50e6
    assert max(float(row["legs"]) for row in rows) > 1
    assert json.loads((tmp_path / "out" / "soak.json").read_text())["calls"] == calls
    ElementTree.parse(tmp_path / "out" / "memory.svg")
    assert "too short to tell" in in_words(report)


def test_a_hundred_calls_have_each_kind_by_its_share() -> None:
    order = _order()
    assert [order.count(number) for number in range(len(KINDS))] == [kind.share for kind in KINDS]
    assert len(order) == 100


def test_the_picture_keeps_every_point_inside() -> None:
    text = line_chart("a <b>", "x", "y", [0.0, 50.0, 100.0], [Line("one & two", [0.0, 99.0, 3.2])])
    root = ElementTree.fromstring(text)
    (curve,) = (node for node in root if node.tag.endswith("polyline"))
    points = [tuple(map(float, pair.split(","))) for pair in curve.attrib["points"].split()]
    assert len(points) == 3
    assert all(0 <= x <= 860 and 0 <= y <= 420 for x, y in points)
