from __future__ import annotations

import ast
import tomllib
from pathlib import PurePosixPath

import pytest

from tests.architecture.tree import PACKAGES, ROOT, product, tracked

LONGEST = 450

LONGER: dict[str, tuple[int, str]] = {}
"""Longer than wished, up to the number, for the reason; a module that grows past it must split."""


def docstring_and_imports(name: str) -> tuple[str | None, list[ast.Import | ast.ImportFrom]]:
    module = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    imports = [n for n in module.body if isinstance(n, ast.Import | ast.ImportFrom)]
    return ast.get_docstring(module), imports


@pytest.mark.parametrize("name", [n for n in product() if n.endswith("/__init__.py")])
def test_a_package_says_what_it_is_and_imports_nothing(name: str) -> None:
    docstring, imports = docstring_and_imports(name)
    assert docstring
    assert not imports, f"line {imports[0].lineno}: importing a package must cost nothing"


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {str(PurePosixPath(name).parent) for name in product()}
    assert [f for f in sorted(folders) if f"{f}/__init__.py" not in tracked()] == []


def test_every_module_has_a_docstring() -> None:
    assert [name for name in product() if not docstring_and_imports(name)[0]] == []


def test_modules_are_short() -> None:
    lengths = {n: len((ROOT / n).read_text(encoding="utf-8").splitlines()) for n in product()}
    long = {n: lines for n, lines in lengths.items() if lines > LONGER.get(n, (LONGEST, ""))[0]}
    assert long == {}
    assert set(LONGER) <= set(lengths)


def test_the_build_names_every_package() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {str(PurePosixPath(n).parent).replace("/", ".") for n in product()}
    assert sorted(listed) == sorted({*there, "cti.shipped"})


def test_every_top_level_package_is_typed() -> None:
    assert [p for p in PACKAGES if f"{p}/py.typed" not in tracked()] == []
