"""The wheel is complete: what the tree has and the product reads is in it."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.architecture.tree import PACKAGES, tracked
from tests.architecture.wheel import build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def place_in_wheel(name: str) -> str:
    top, _, rest = name.partition("/")
    return f"cti/shipped/{rest}" if top == "config" else name


def test_every_file_of_the_packages_and_of_config_is_in_the_wheel(names: set[str]) -> None:
    wanted = {place_in_wheel(n) for n in tracked() if n.split("/")[0] in (*PACKAGES, "config")}
    assert wanted - names == set()


@pytest.mark.parametrize(
    ("suffix", "at_least"),
    [(".ulaw", 100), (".yaml", 7), (".toml", 2), (".tcss", 3), (".mako", 1), (".typed", 6)],
)
def test_each_kind_of_data_is_there(names: set[str], suffix: str, at_least: int) -> None:
    assert sum(PurePosixPath(name).suffix == suffix for name in names) >= at_least


def test_migrations_are_there(names: set[str]) -> None:
    assert "crm_store/migrations/env.py" in names
    assert any(name.startswith("crm_store/migrations/versions/v0001") for name in names)


def test_nothing_else_is_in_the_wheel(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert not [name for name in names if name.endswith(".pyc") or "/data/" in name]


def test_the_licence_goes_with_it(names: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert "cti/shipped/prompts/LICENCES.md" in names


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 4_000_000
