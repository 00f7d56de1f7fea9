"""`switchroom campaigns rehearse`: its line of JSON, its table, its complaints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cti.cli.main import main


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["campaigns", "rehearse", *words]) == 0
    return capsys.readouterr().out


def test_one_line_of_json_with_a_value_for_each_seed(capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--agents",
        "10",
        "--cap",
        "3",
        "--days",
        "1",
        "--seeds",
        "2",
        "--json",
        "--guard",
        "none",
    ]
    out = told(capsys, *words)
    assert out.count("\n") == 1
    said = json.loads(out)
    assert said.keys() == {"agents", "talk_share", "abandon_rate_pct"}
    assert said["agents"] == 10
    assert all(0.7 < share < 0.8 for share in said["talk_share"])
    assert all(1.0 < rate <= 3.0 for rate in said["abandon_rate_pct"])
    assert len(said["talk_share"]) == len(said["abandon_rate_pct"]) == 2
    assert told(capsys, *words) == out


def test_a_table_with_list_burn_and_staffing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    conditions = tmp_path / "mine.toml"
    conditions.write_text('title = "My list"\n[floor]\nday_s = 3600\n')
    out = told(
        capsys,
        "--agents",
        "6",
        "--seeds",
        "2",
        "--conditions",
        str(conditions),
        "--contacts",
        "200",
    )
    assert "My list" in out
    assert "dials a day (list burn)" in out
    assert "kept in 2 of 2 rehearsals" in out
    assert "200 talks a day need 1" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--cap", "0"), "--cap 0: give a percentage"),
        (("--agents", "0"), "--agents 0: give a number of 1 to 1000"),
        (("--seeds", "-1"), "--seeds -1"),
        (("--days", "1000"), "--days 1000"),
        (("--conditions", "nowhere"), "those that are shipped: agents-leave, "),
        (("--contacts", "0"), "--contacts 0"),
        (("--jobs", "0"), "--jobs 0"),
    ],
)
def test_what_cannot_be_is_refused(
    words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["campaigns", "rehearse", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_the_staffing_is_told_to_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--agents", "2", "--seeds", "1", "--json", "--contacts", "60")
    assert json.loads(told(capsys, *words))["staffing_agents"] == 1
