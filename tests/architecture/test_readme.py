"""The README names every command, and its links lead somewhere."""

from __future__ import annotations

import re

from cti.cli.main import COMMANDS
from tests.architecture.tree import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_has_every_command() -> None:
    rows = [row.split("|")[1] for row in README.splitlines() if row.startswith("| `switchroom")]
    named = re.findall(r"`(?:switchroom )?(\w+)`", " ".join(rows))
    assert sorted(named) == sorted(COMMANDS)


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
