"""Counts with the noun that fits."""

from __future__ import annotations

import pytest

from cti.counted import counted


@pytest.mark.parametrize(
    ("count", "words", "expected"),
    [
        (1, ("call",), "1 call"),
        (0, ("call",), "0 calls"),
        (2.0, ("call",), "2 calls"),
        (0.8, ("day",), "1 day"),
        (1.0, ("row waits", "rows wait"), "1 row waits"),
        (3, ("row waits", "rows wait"), "3 rows wait"),
    ],
)
def test_one_is_no_plural(count: float, words: tuple[str, ...], expected: str) -> None:
    assert counted(count, *words) == expected
