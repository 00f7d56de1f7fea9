"""One data folder, one server."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from cti.data_folder import claim


def test_a_folder_in_use_is_refused_until_it_is_given_back(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    give_back = claim(folder)
    with pytest.raises(OSError, match="another server uses it") as raised:
        claim(folder)
    assert raised.value.errno == errno.EBUSY
    give_back()
    claim(folder)()


def test_a_new_folder_is_closed_to_others_and_an_existing_one_stays(tmp_path: Path) -> None:
    claim(tmp_path / "new")()
    assert (tmp_path / "new").stat().st_mode & 0o027 == 0
    old = tmp_path / "old"
    old.mkdir()
    old.chmod(0o755)
    claim(old)()
    assert old.stat().st_mode & 0o777 == 0o755


def test_a_killed_server_keeps_nobody_out(tmp_path: Path) -> None:
    program = f"from cti.data_folder import *; claim(Path({str(tmp_path)!r})); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"1\n"
        with pytest.raises(OSError, match="another server"):
            claim(tmp_path)
        other.kill()
        other.wait()
    claim(tmp_path)()


def test_a_folder_that_cannot_be_made_is_told_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"data\.folder"):
        claim(tmp_path / "file" / "data")
