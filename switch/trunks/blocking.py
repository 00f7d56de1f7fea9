"""Numbers that nobody may call, however they are dialled, and however a trunk writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from switch.trunks.number_format import to_e164

_WAYS_ABROAD: Final = ("", "00", "011")
"""What carriers take before a country's code, whatever is dialled in the region."""


class Blocked:
    """Prefixes of international numbers (`+1900`)."""

    def __init__(self, prefixes: tuple[str, ...] = ()) -> None:
        self._prefixes = prefixes

    def prefix_of(self, number: str, region: str) -> str | None:
        """The prefix that a number falls under; None when it may be called.

        One that is no number of the region is taken for whatever a carrier may read it as.
        """
        if not self._prefixes:
            return None
        e164 = to_e164(number, region)
        readings = tuple(_readings(number)) if e164 is None else (e164,)
        for prefix in self._prefixes:
            if any(reading.startswith(prefix) for reading in readings):
                return prefix
        return None


def _readings(number: str) -> Iterator[str]:
    yield number
    digits = number.removeprefix("+")
    for code in _WAYS_ABROAD:
        if digits.startswith(code):
            yield to_e164(f"+{digits.removeprefix(code)}", "") or ""
