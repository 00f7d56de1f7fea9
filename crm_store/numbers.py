"""Telephone numbers: E.164 where possible, and a careful match where not.

A number is normalised once, when it is written or looked for. What cannot be normalised (no
country known, too short, from an old file) is kept as given and found by its last digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import phonenumbers

from crm_store.errors import BadRecord

TAIL_DIGITS: Final = 7
"""Digits by which candidates for a local match are found; fewer would find strangers."""
_LEAST_DIGITS: Final = 3
MATCH_DIGITS: Final = 9
"""At most so many last digits are compared: beyond them stand area and trunk prefixes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A telephone number as it is stored and compared."""

    raw: str
    """As given, trimmed."""
    value: str
    """E.164 if `is_e164`, else the digits of `raw` (or `raw` where it has none)."""
    is_e164: bool
    tail: str
    """The last seven digits; empty for shorter numbers, which are never matched loosely."""

    def matches(self, other: Number) -> bool:
        """True when both may be the same line.

        Two E.164 numbers match only when equal. Otherwise the shorter one's last digits decide, at
        least seven and at most nine of them, without a trunk prefix.
        """
        if self.value == other.value:
            return bool(self.value)
        if self.is_e164 and other.is_e164:
            return False
        mine, theirs = _digits(self.value).lstrip("0"), _digits(other.value).lstrip("0")
        length = min(len(mine), len(theirs), MATCH_DIGITS)
        return length >= TAIL_DIGITS and mine[-length:] == theirs[-length:]


@lru_cache(maxsize=8192)
def normalise(raw: str, region: str) -> Number:
    """Read a number in any notation. `region` (`US`, `GB`, `CN`) is for numbers without country."""
    text = raw.strip()[:64]
    digits = _digits(text)
    value = _e164(text, region) if len(digits) >= TAIL_DIGITS else None
    if value is not None:
        return Number(raw=text, value=value, is_e164=True, tail=value[-TAIL_DIGITS:])
    tail = digits[-TAIL_DIGITS:] if len(digits) >= TAIL_DIGITS else ""
    return Number(raw=text, value=digits or text, is_e164=False, tail=tail)


def country_of(text: str) -> str:
    """A country as numbers are read by it: `US`, `GB`. Raises `BadRecord` for anything else."""
    country = text.strip().upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise BadRecord(f"{text[:40]!r} is no country: give two letters, such as US, GB or CN")
    return country


def is_number(text: str) -> bool:
    """Whether a text can be kept as a telephone number: callers may be called anything."""
    return len(_digits(text.strip()[:64])) >= _LEAST_DIGITS


def _e164(text: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(text, region.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")
