"""Text for files that spreadsheets open."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_CUT_OFF: Final = ("\t", "\r")


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; numbers such as +12025550101 stay as they are."""
    seen = text.strip()  # as some programs do before they look at it
    is_formula = seen.startswith(_FORMULA) and not seen[1:].replace(" ", "").isdigit()
    return "'" + text if is_formula or text.startswith(_CUT_OFF) else text


def utc_text(at: float) -> str:
    """`2026-11-22T14:03:07.250Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
