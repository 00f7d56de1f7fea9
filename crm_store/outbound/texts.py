"""Text for files that spreadsheets open."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; numbers such as +12025550101 stay as they are."""
    if text.startswith(_FORMULA) and not text[1:].replace(" ", "").isdigit():
        return "'" + text
    return text


def utc_text(at: float) -> str:
    """`2026-11-22T14:03:07.250Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
