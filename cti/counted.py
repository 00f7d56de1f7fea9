"""How many there are, with the noun that fits: for reports and the log."""

from __future__ import annotations


def counted(count: float, thing: str, things: str = "") -> str:
    """`1 record`, `2 records`."""
    whole = round(count)
    return f"{whole} {thing if whole == 1 else things or thing + 's'}"
