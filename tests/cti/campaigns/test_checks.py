"""What campaigns may not be told, on the site of the shipped lab."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acd.dialer.model import CampaignName, Mode
from acd.dialer.settings import CampaignSettings, Window
from acd.model import QueueName
from cti.campaigns.checks import Ground, further_problems, past_end, problems_of, warnings_of
from cti.campaigns.settings_body import BadSettingsError, read
from cti.paths import shipped
from cti.settings import load
from cti.site import site_of
from switch.trunks.identity import CallerPolicy, OwnNumbers

LAB = load(shipped("lab.toml"))
SITE = site_of(LAB)
GROUND = Ground.of(LAB, {"main-menu"}, SITE.trunks)
GOOD = CampaignSettings(
    name=CampaignName("spring"),
    queue=QueueName("sales"),
    trunk="out",
    caller_ids=("+12025550100",),
)


def test_a_campaign_of_the_lab_is_all_right() -> None:
    assert problems_of(GOOD, GROUND) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"queue": "nobody"}, "queue: no queue is named nobody; there are load, sales, support"),
        ({"queue": ""}, "queue: whose agents talk?"),
        ({"trunk": "lab"}, "trunk: no trunk or group is named lab; those that may be used are out"),
        ({"trunk": "none"}, "trunk: no trunk or group is named none"),
        ({"mode": Mode.ANNOUNCEMENT}, "flow: an announcement needs the flow that answers"),
        ({"flow": "secret"}, "flow: no flow secret is loaded"),
        ({"abandon_message": "nothing"}, "abandon_message: there is no prompt nothing (en)"),
        ({"abandon_message": "../../etc/passwd"}, "abandon_message: there is no prompt"),
        ({"abandon_message": ""}, "abandon_message: people for whom no agent comes"),
        ({"opt_out_digit": "1"}, "opt_out_digit: the shipped prompt abandoned asks for 9"),
        ({"dispositions": ("sale", "bliss")}, "dispositions: bliss: no such outcome"),
        ({"ring_s": 5.0}, "ring_s: from 15"),
        ({"name": "Spring sale"}, "name: has 1 to 63"),
    ],
)
def test_what_does_not_fit_is_named_with_what_to_do(change: dict[str, Any], words: str) -> None:
    problems = problems_of(msgspec.structs.replace(GOOD, **change), GROUND)
    assert any(problem.startswith(words) for problem in problems), problems


@pytest.mark.parametrize(
    ("begin", "end", "warns"),
    [("08:00", "21:00", False), ("00:00", "24:00", True), ("07:59", "20:00", True)],
)
def test_who_lets_people_be_called_at_night_is_warned(begin: str, end: str, warns: bool) -> None:
    windows = (Window(begin=begin, end=end),)
    settings = msgspec.structs.replace(GOOD, mode=Mode.PREVIEW, windows=windows)
    assert problems_of(settings, GROUND) == []
    assert [each.code for each in warnings_of(settings, GROUND)] == ["night-window"] * warns


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (
            {"queue": "nosuch", "mode": "predicitve", "cap": {"percent": 300}},
            ["mode", "queue", "cap.percent"],
        ),
        ({"ring_s": "long", "begins": "soon"}, ["ring_s", "queue", "begins"]),
    ],
)
def test_what_cannot_be_read_hides_nothing_else(given: dict[str, Any], keys: list[str]) -> None:
    """Where the mode is one of it, nothing is asked for that another mode might not need."""
    with pytest.raises(BadSettingsError) as refused:
        read({**given, "name": "spring"})
    problems = refused.value.problems + further_problems(refused.value, given, GROUND)
    assert [problem.partition(": ")[0] for problem in problems] == keys


def test_a_trunk_without_permission_is_named_and_what_allows_it() -> None:
    trunks = tuple(msgspec.structs.replace(trunk, campaigns=False) for trunk in LAB.trunks)
    ground = Ground.of(msgspec.structs.replace(LAB, trunks=trunks), set(), SITE.trunks)
    (problem,) = problems_of(GOOD, ground)
    assert "no trunk may be used by campaigns; set campaigns = true" in problem
    ground = replace(ground, ways=["other"])
    (problem,) = problems_of(GOOD, ground)
    assert problem.startswith("trunk: campaigns may not use out: it has no campaigns = true")


def test_a_number_that_the_trunk_would_not_show_is_no_caller_identity() -> None:
    own = OwnNumbers.parse(("+12025550150",))
    policy = CallerPolicy(own=own, passes_foreign=False, main="+12025550150")
    ground = replace(GROUND, callers={"out": policy})
    (problem,) = problems_of(GOOD, ground)
    assert problem.startswith(
        "caller_ids: +12025550100 would not be shown: trunk out shows its own"
    )
    shown = msgspec.structs.replace(GOOD, caller_ids=("+12025550150",))
    assert problems_of(shown, ground) == []


def test_who_names_nobody_to_the_abandoned_is_warned(tmp_path: Path) -> None:
    (warning,) = warnings_of(GOOD, GROUND)
    assert warning.code == "generic-message"
    own = tmp_path / "en" / "abandoned.ulaw"
    own.parent.mkdir()
    own.touch()
    ground = replace(GROUND, prompts=(tmp_path, *GROUND.prompts))
    assert warnings_of(GOOD, ground) == []
    assert problems_of(msgspec.structs.replace(GOOD, opt_out_digit="1"), ground) == []
    assert warnings_of(msgspec.structs.replace(GOOD, mode=Mode.PREVIEW), GROUND) == []


def test_an_end_that_is_past_is_told() -> None:
    ended = CampaignSettings(name=CampaignName("spring"), ends="2026-11-22T18:00+00:00")
    end = 1_795_370_400.0
    assert past_end(ended, end) == ["ends: 2026-11-22T18:00+00:00 is past"]
    assert past_end(ended, end - 1.0) == []
    assert past_end(CampaignSettings(name=CampaignName("spring")), end) == []
