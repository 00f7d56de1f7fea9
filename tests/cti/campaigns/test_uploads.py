"""Files that wait to be imported: for a day, and no more than there is room for."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cti.campaigns.uploads import Uploads
from cti.errors import Invalid, NotFound, TooMany


def sent(uploads: Uploads, size: int, *, hours_ago: float = 0.0) -> str:
    upload, path = uploads.new("people.csv")
    path.write_bytes(b"x" * size)
    at = time.time() - 3600.0 * hours_ago
    os.utime(path, (at, at))
    return upload


def waits(uploads: Uploads, upload: str) -> bool:
    try:
        return uploads.path(upload).is_file()
    except NotFound:
        return False


def test_a_file_waits_for_a_day(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    old, young = sent(uploads, 10, hours_ago=25.0), sent(uploads, 10, hours_ago=23.0)
    sent(uploads, 10)
    assert not waits(uploads, old)
    assert waits(uploads, young)


def test_the_oldest_make_room(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads", most_octets=100)
    oldest, older = sent(uploads, 60, hours_ago=3.0), sent(uploads, 30, hours_ago=2.0)
    young = sent(uploads, 50, hours_ago=1.0)
    sent(uploads, 10)
    assert [waits(uploads, each) for each in (oldest, older, young)] == [False, True, True]


def test_a_file_that_an_import_waits_for_is_not_taken_from_it(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads", most_octets=100)
    held = sent(uploads, 120, hours_ago=30.0)
    uploads.hold(held)
    with pytest.raises(TooMany, match="when some of them are done"):
        uploads.new("more.csv")
    assert waits(uploads, held)
    uploads.release(held)
    uploads.new("more.csv")
    assert not waits(uploads, held)


def test_only_lists_are_taken_whatever_folder_their_name_says(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    with pytest.raises(Invalid):
        uploads.new("evil.exe")
    upload, path = uploads.new("..\\..\\etc/people.CSV")
    assert uploads.name(upload) == "people.CSV"
    assert path.parent == tmp_path / "uploads"
    with pytest.raises(NotFound):
        uploads.path("../people.csv")


def test_the_name_of_a_file_that_did_not_come_to_its_end_is_forgotten(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    upload, path = uploads.new("people.csv")
    assert uploads.name(upload) == "people.csv"
    path.unlink()
    uploads.new("others.csv")
    assert uploads.name(upload) == upload
