"""Where the compiled loops are kept: beside the sources, or somewhere else that is ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from switch import compiled

SCRIPT = """
import logging; logging.basicConfig()
from switch import compiled
import numba
print(numba.config.CACHE_DIR if compiled._keep() else "nowhere")
"""


def kept(tree: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-c", SCRIPT], cwd=tree, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(tree), **environment},
    )  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An installation of what may be compiled, with sources of its own."""
    package = tmp_path / "tree" / "switch"
    package.mkdir(parents=True)
    for name in compiled._SOURCES:
        if not name.endswith(".py"):
            (package / name).mkdir()
            continue
        source = Path(compiled.__file__).with_name(name)
        (package / name).write_bytes(source.read_bytes())
    (package / "__init__.py").touch()
    return package.parent


def test_code_is_kept_beside_the_sources_and_named_after_all_of_them(tree: Path) -> None:
    first = kept(tree)
    assert Path(first.stdout.strip()).parent == tree / "switch" / "__pycache__"
    assert "compiling the sound engine" in first.stderr  # a first start says what takes so long
    again = kept(tree)
    assert again.stdout == first.stdout
    assert not again.stderr
    (tree / "switch" / "media" / "mixer.py").write_text("GAIN = 2\n")
    after = kept(tree)
    assert after.stdout != first.stdout
    assert not Path(first.stdout.strip()).exists()


def test_code_of_an_installation_that_cannot_be_written_is_kept_elsewhere(
    tree: Path, tmp_path: Path
) -> None:
    (tree / "switch" / "__pycache__").write_text("a file is in the way\n")
    cache = tmp_path / "cache"
    assert Path(kept(tree, XDG_CACHE_HOME=str(cache)).stdout.strip()).parent == cache
    cache.rename(tmp_path / "gone")
    cache.write_text("and here\n")
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.write_text("no folder\n")
    temporary.mkdir()
    found = kept(tree, XDG_CACHE_HOME=str(cache), HOME=str(home), TMPDIR=str(temporary))
    assert Path(found.stdout.strip()).parent == temporary


def test_a_cache_folder_that_cannot_even_be_looked_at_is_passed_over(
    tree: Path, tmp_path: Path
) -> None:
    (tree / "switch" / "__pycache__").write_text("a file is in the way\n")
    too_long = tmp_path / ("x" * 300)  # as of another user's home: not "no such file", but an error
    home = tmp_path / "home"
    home.mkdir()
    found = kept(tree, XDG_CACHE_HOME=str(too_long), HOME=str(home))
    assert Path(found.stdout.strip()).parent == home / ".cache"


def test_what_takes_long_says_how_far_it_is_and_what_does_not_says_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 100.0
    quick = compiled.Progress(3, lambda: now)
    for _ in range(3):
        quick.one_more()
    assert not caplog.records
    slow = compiled.Progress(3, lambda: now)
    for _ in range(3):
        now += 4.0
        slow.one_more()
    assert [record.getMessage() for record in caplog.records] == [
        "compiling the sound engine, once a version: 1 of 3 functions, 4 s",
        "compiling the sound engine, once a version: 2 of 3 functions, 8 s",
        "the sound engine is compiled (12 s)",
    ]


def test_every_entry_point_is_counted() -> None:
    """In a process of its own: others compile, too."""
    script = (
        "import switch.gateway.server; from switch import compiled; "
        "print(compiled.count_entries() - compiled._progress._done)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "0"
