"""What a start says of a journal that it cannot use."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti.journal_records import VERSION, Kind
from cti.takeover import FILE, read_journal
from switch.journal.format import Header
from switch.journal.writer import Journal


def test_of_another_version_it_says_how_much_is_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path / FILE, Header(VERSION + 1, "boot", 0.0))
    journal.begin({})
    for kind, key in ((Kind.LEG, "a"), (Kind.LEG, "b"), (Kind.CONTACT, "i"), (Kind.PHONE, "1001")):
        journal.put(kind, key, ["of", "another", "shape"])
    journal.close()
    assert list(read_journal(tmp_path / FILE).entries) == [(Kind.LEG, "a"), (Kind.LEG, "b")]
    (said,) = caplog.messages
    assert "2 legs of calls are ended, 1 contacts and the bindings of 1 phones are given up" in said
