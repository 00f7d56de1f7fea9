"""`docs/survival.md` names tests that exist, and `make soak` runs what it names of tests/peers."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT

_NAME = re.compile(r"`((?:tests/[\w/]+/)?test_\w+\.py)`")
_LIST = re.compile(r"(?m)^SURVIVAL\w* := (?:.*\\\n)*.*$")


def named() -> set[str]:
    """The files; those without a folder are in tests/peers."""
    found = set(_NAME.findall((ROOT / "docs/survival.md").read_text()))
    return {name if "/" in name else f"tests/peers/{name}" for name in found}


def test_each_file_that_is_named_exists() -> None:
    assert [name for name in sorted(named()) if not (ROOT / name).is_file()] == []


def test_the_soak_runs_those_of_the_peers() -> None:
    lists = "".join(_LIST.findall((ROOT / "Makefile").read_text()))
    run = {f"tests/peers/test_{name}" for name in re.findall(r"\w+\.py", lists)}
    assert {name for name in named() if name.startswith("tests/peers/")} <= run
