"""What may and may not stand in the files of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, tracked

HOSTS = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|test\.pypi|registry\.npmjs|npmjs\.(com|org)|deb\.debian\.org"
    r"|proxy\.golang\.org|crates\.io|hub\.docker\.com|conda\.anaconda\.org)\b"
)
MACHINES = re.compile(r"(?<![\w/])/(work|root|home/\w+|tmp/venv|opt/\w+)/")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
NOT_RUN = re.compile(r"pytest\.(mark\.)?(skip|skipif|importorskip)\b|unittest\.skip")

TEXT = [
    n for n in tracked() if Path(n).suffix not in {".ulaw", ".png", ".svg", ".bin", ".dat", ".opus"}
]
DOCS = [n for n in TEXT if n.endswith(".md")]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(
    r"`((?:switch|recordings|ivr|acd|crm_store|cti|config|tests|docs|examples)/[\w./-]*\w)`"
)


def lines_with(pattern: re.Pattern[str], names: list[str]) -> list[str]:
    found = []
    for name in names:
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    return found


HERE = "tests/architecture/test_tracked_files.py"


def test_no_registry_is_named() -> None:
    assert lines_with(HOSTS, [n for n in TEXT if n != HERE]) == []


def test_no_path_of_one_machine_is_named() -> None:
    assert lines_with(MACHINES, [n for n in TEXT if n != HERE]) == []


def test_nothing_is_left_for_later() -> None:
    assert lines_with(UNFINISHED, [n for n in TEXT if n.endswith(".py") and n != HERE]) == []


def test_no_test_is_left_out() -> None:
    assert lines_with(NOT_RUN, [n for n in TEXT if n.startswith("tests/") and n != HERE]) == []


@pytest.mark.parametrize("name", DOCS)
def test_documents_link_to_what_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    broken = []
    for link in LINK.findall(text):
        target = link.split("#")[0]
        if re.match(r"[a-z]+:", target):
            continue
        if not ((ROOT / name).parent / target).exists():
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", DOCS)
def test_documents_name_files_that_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [path for path in NAMED.findall(text) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", [n for n in TEXT if "/" not in n or n.startswith(".ci/")])
def test_what_lies_at_the_top_ends_with_a_newline(name: str) -> None:
    assert (ROOT / name).read_bytes().endswith(b"\n")
