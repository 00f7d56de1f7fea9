"""The heap goes onto huge pages where the kernel can, and nothing happens where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from switch import huge_pages
from switch.huge_pages import HUGE_OCTETS, blocks, collapse, runs

MAPS = """\
55d0c0a00000-55d0c1200000 rw-p 00000000 00:00 0                          [heap]
7f0000100000-7f0000700000 rw-p 00000000 00:00 0
7f0010000000-7f0010200000 rw-p 00000000 00:00 0                          [anon: glibc: malloc]
7f0010200000-7f0010300000 rw-p 00000000 00:00 0
7f0020000000-7f0020400000 r--p 00000000 00:00 0
7f0030000000-7f0030400000 rw-p 00000000 08:01 1234                       /usr/lib/libx y.so
7f0040000000-7f0040400000 rw-s 00000000 00:00 0
7ffc0a000000-7ffc0a800000 rw-p 00000000 00:00 0                          [stack]
"""


def test_what_may_become_huge_pages_is_the_heap_in_whole_blocks() -> None:
    assert [hex(block) for block in blocks(MAPS)] == [
        *(hex(0x55D0C0A00000 + n * HUGE_OCTETS) for n in range(4)),
        *("0x7f0000200000", "0x7f0000400000"),
        "0x7f0010000000",
    ]


def test_neighbours_are_asked_for_together() -> None:
    at = [n * HUGE_OCTETS for n in (5, 6, 7, 9, 11, 12)]
    found = [(a // HUGE_OCTETS, b // HUGE_OCTETS) for a, b in runs(iter(at))]
    assert found == [(5, 8), (9, 10), (11, 13)]
    assert list(runs(iter([]))) == []


def test_a_heap_is_moved_and_keeps_its_contents() -> None:
    things = [str(n) for n in range(400_000)]  # some thirty megabytes of small objects
    asked = collapse()
    assert things == [str(n) for n in range(400_000)]
    if asked:  # else the kernel is told never to
        assert asked % HUGE_OCTETS == 0
        assert collapse() >= HUGE_OCTETS, "what is there already does no harm"


def test_who_wants_no_huge_pages_gets_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    enabled = tmp_path / "enabled"
    enabled.write_text("always madvise [never]\n")
    monkeypatch.setattr(huge_pages, "_ENABLED", enabled)
    assert collapse() == 0
    enabled.unlink()
    assert collapse() == 0
