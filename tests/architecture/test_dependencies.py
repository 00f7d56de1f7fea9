"""What the code imports is what `pyproject.toml` asks for, no more and no less."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.tree import PACKAGES, ROOT, product

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

NOT_IMPORTED = {
    "aiosqlite": "SQLAlchemy loads it for sqlite addresses",
    "asyncpg": "SQLAlchemy loads it for postgresql addresses",
    "opuslib-next-bundled": "switch/media/opus.py loads the libopus in it, not its bindings",
    "pylibsrtp": "switch/srtp/library.py loads the libsrtp in it, with its bindings, by name",
    "redis": "reserved for event streams over several nodes",
    "tzdata": "the standard library's zoneinfo reads it where the system has no time zones",
    "scikit-learn": "tests/answers/train.py makes the model of answers with it, which is data",
}


def plain(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def imported() -> set[str]:
    names: set[str] = set()
    for file in product():
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return {n for n in names if n not in sys.stdlib_module_names and n not in PACKAGES}


def distributions() -> set[str]:
    owners = packages_distributions()
    return {plain(owners[name][0]) for name in imported()}


def asked_for() -> set[str]:
    extras = PROJECT["optional-dependencies"]
    optional = [r for extra, wanted in extras.items() if extra != "dev" for r in wanted]
    return {plain(requirement) for requirement in [*PROJECT["dependencies"], *optional]}


def test_everything_imported_is_asked_for() -> None:
    assert distributions() - asked_for() == set()


def test_everything_asked_for_is_used() -> None:
    assert asked_for() - distributions() == set(NOT_IMPORTED)


def test_the_lock_holds_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", lock)
    for pin in re.split(r"\n(?=[a-z0-9])", lock)[1:]:
        assert re.match(r"[a-z0-9.-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", pin), pin


@pytest.mark.parametrize("group", ["dependencies", "dev", "softphone", "speech", "postgres"])
def test_the_lock_knows_everything_the_tests_need(group: str) -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {plain(name) for name in re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE)}
    wanted = PROJECT.get(group) or PROJECT["optional-dependencies"][group]
    assert {plain(requirement) for requirement in wanted} - locked == set()
