"""Every setting of a campaign is explained, and the page that explains them is up to date."""

from __future__ import annotations

from pathlib import Path

from cti.campaigns.settings_words import page, schema
from cti.cli.campaigns_steer import told_retries

PAGE = Path(__file__).parents[3] / "docs/campaign-settings.md"


def test_every_setting_says_what_it_means() -> None:
    silent = [
        f"{name}.{key}"
        for name, kind in schema()["$defs"].items()
        for key, value in kind.get("properties", {}).items()
        if not value.get("description")
    ]
    assert silent == []


def test_numbers_say_how_much_they_may_be() -> None:
    known = schema()["$defs"]
    ring = known["CampaignSettings"]["properties"]["ring_s"]
    assert (ring["minimum"], ring["maximum"], ring["default"]) == (15.0, 120.0, 25.0)
    assert known["Retry"]["properties"]["times"]["maximum"] == 100
    assert "oldest" in known["CampaignSettings"]["properties"]["order"]["enum"]


def test_the_page_is_up_to_date() -> None:
    """Make it anew with `switchroom campaigns settings > docs/campaign-settings.md`."""
    assert PAGE.read_text("utf-8").splitlines() == page().splitlines()


def test_show_tells_the_retries_that_hold() -> None:
    given = {"busy": {"after_s": 60.0, "times": 2, "factor": 1.0, "next_number": True}}
    lines = told_retries(given)
    assert "    busy: 60 s, 2 times, factor 1, its next number" in lines
    assert "    no-answer: 7200 s, 4 times, factor 1.5, its next number (default)" in lines
