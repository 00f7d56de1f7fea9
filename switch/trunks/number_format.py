"""Numbers in the international form, and as each carrier wants them written (ITU-T E.164).

Everything that compares numbers of trunks (rates, blocked prefixes, own numbers, signatures) does
so in the international form with a plus: `+12025550123`.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers

_LONGEST: Final = 32
_REMEMBERED: Final = 8192


class NumberFormat(StrEnum):
    """How numbers are written on a trunk."""

    AS_DIALLED = "as-dialled"
    """Unchanged, whatever was dialled."""
    PLUS = "plus"
    """`+12025550123`"""
    E164 = "e164"
    """`12025550123`: the same without the plus."""
    NATIONAL = "national"
    """As within the trunk's region, with its trunk prefix (`01632960123` in GB, `2025550123` in
    US); numbers of other countries as one dials them from there."""
    DOUBLE_ZERO = "00"
    """`0012025550123`, wherever the trunk is."""


@lru_cache(maxsize=_REMEMBERED)
def to_e164(number: str, region: str) -> str | None:
    """Read a number as somebody in `region` (ISO 3166) would dial it: `+12025550123`.

    None for what cannot be the number of a subscriber: extensions, short codes, names.
    """
    if len(number) > _LONGEST or not number.isascii():
        return None
    digits = number.removeprefix("+")
    if not digits.isdigit():
        return None
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    # Not is_possible_number: that takes 1001 for a number somewhere within its own exchange.
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=_REMEMBERED)
def write(e164: str, form: NumberFormat, region: str) -> str:
    """Write an international number (`+...`) in a trunk's format; `region` is the trunk's."""
    match form:
        case NumberFormat.AS_DIALLED | NumberFormat.PLUS:
            return e164
        case NumberFormat.E164:
            return e164.removeprefix("+")
        case NumberFormat.DOUBLE_ZERO:
            return "00" + e164.removeprefix("+")
    parsed = phonenumbers.parse(e164, None)
    if parsed.country_code == phonenumbers.country_code_for_region(region):
        # Not format_number: it may group, and takes some countries' carrier prefixes for granted.
        prefix = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or ""
        if parsed.country_code == 1:
            prefix = ""  # written on paper, not dialled on a trunk
        return prefix + phonenumbers.national_significant_number(parsed)
    return phonenumbers.format_out_of_country_calling_number(parsed, region).translate(_NOT_DIGITS)


def read(number: str, form: NumberFormat, region: str) -> str | None:
    """Read a number that came in on a trunk of this format; None when it is not international."""
    digits = number.removeprefix("+")
    if form is NumberFormat.AS_DIALLED or not (digits.isascii() and digits.isdigit()):
        return to_e164(number, region) if number.startswith("+") else None
    if number.startswith("+") or form is NumberFormat.PLUS:
        return to_e164(number, region) if number.startswith("+") else None
    if form is NumberFormat.E164:
        return to_e164("+" + number, region)
    if form is NumberFormat.DOUBLE_ZERO:
        return to_e164("+" + number[2:], region) if number.startswith("00") else None
    return to_e164(number, region)


def is_region(region: str) -> bool:
    """Tell whether numbering rules of the region are known."""
    return region in phonenumbers.SUPPORTED_REGIONS


class _NotDigits(dict[int, int | None]):
    """Drops everything that is no ASCII digit."""

    def __missing__(self, letter: int) -> int | None:
        return letter if 48 <= letter <= 57 else None


_NOT_DIGITS: Final = _NotDigits()
