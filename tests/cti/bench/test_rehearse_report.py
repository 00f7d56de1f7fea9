"""The report of many rehearsals: who reached what, and the picture."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from cti.bench import rehearse
from cti.bench.rehearse_report import Run, picture, report
from cti.bench.scatter import Axis, Series, scatter


def a_run(**said: object) -> Run:
    usual: dict[str, object] = {
        "part": "floors", "agents": 10, "rule": "pacer", "guard": "none", "cap_pct": 3.0,
        "conditions": "c2", "days": 22, "took_s": 1.0, "talk_share": [0.74, 0.75],
        "abandon_rate_pct": [2.9, 3.0], "worst_day_end_pct": 3.1, "dials_a_day": 6700.0,
    }  # fmt: skip
    return Run(**{**usual, **said})  # type: ignore[arg-type]


def test_a_floor_that_is_reached_with_the_cap_held_is_good() -> None:
    words, is_good = report([a_run()])
    assert is_good
    assert (
        "| 10 | 0.745 (0.740–0.750) | 0.700 | 2.950 | 3.000 | 2 of 2 | 6,700 | reached |" in words
    )


def test_a_missed_floor_a_broken_cap_and_a_better_rule_are_not() -> None:
    assert not report([a_run(talk_share=[0.69, 0.69])])[1]
    assert not report([a_run(abandon_rate_pct=[2.9, 3.01])])[1]
    assert not report([a_run(abandon_rate_pct=[2.9] * 99 + [3.21], talk_share=[0.75] * 100)])[1]
    better = a_run(part="rules", rule="ratio-2", talk_share=[0.8, 0.8], abandon_rate_pct=[1.0, 1.0])
    assert not report([a_run(), better])[1]
    breaks = a_run(part="rules", rule="ratio-2", talk_share=[0.8, 0.8], abandon_rate_pct=[9.0, 9.0])
    assert report([a_run(), breaks])[1]


def test_all_parts_in_short(tmp_path: Path) -> None:
    words = ["--seeds", "2", "--days", "1", "--agents", "5", "--folder", str(tmp_path)]
    rehearse.main(words)
    runs = [Run(**json.loads(path.read_text())) for path in tmp_path.glob("*.json")]
    assert {run.part for run in runs} == {"floors", "rules", "guard", "frontier", "drift"}
    assert "vicidial-average-like" in (tmp_path / "report.md").read_text()
    ElementTree.fromstring((tmp_path / "frontier.svg").read_text())


def test_the_picture_has_a_line_for_each_size_and_marks_for_rules() -> None:
    other = a_run(part="rules", rule="ratio-3", talk_share=[0.8], abandon_rate_pct=[9.0])
    root = ElementTree.fromstring(picture([a_run(), a_run(cap_pct=1.0), other]))
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert "pacer, 10 agents" in texts
    assert "ratio-3, 10 agents" in texts
    assert sum(element.tag.endswith("polyline") for element in root.iter()) == 1


def test_points_beyond_the_axes_are_left_out() -> None:
    axis = Axis("x", 0.0, 1.0, 0.5)
    drawn = scatter("t", axis, axis, [Series("s", [(0.5, 0.5), (2.0, 0.5)], 0, is_line=False)])
    assert drawn.count("<circle") == 2  # the point and the one of the legend
