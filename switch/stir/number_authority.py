"""Which numbers a certificate speaks for: the TNAuthList extension (RFC 8226 section 9).

TNAuthorizationList ::= SEQUENCE OF CHOICE {
    spc   [0] IA5String,                                   a provider's code
    range [1] SEQUENCE { start IA5String, count INTEGER },
    one   [2] IA5String }                                  all explicitly tagged
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from switch.stir.errors import StirError

OID: Final = "1.3.6.1.5.5.7.1.26"
_MOST_ENTRIES: Final = 10_000
_SEQUENCE, _INTEGER, _TEXT = 0x30, 0x02, 0x16
_CODE, _RANGE, _ONE = 0xA0, 0xA1, 0xA2


class NumberAuthority(Struct, frozen=True):
    """What a certificate may sign for."""

    codes: tuple[str, ...] = ()
    """Of service providers: which numbers are theirs is not for us to know."""
    ranges: tuple[tuple[int, int], ...] = ()
    """First number and how many."""
    ones: frozenset[str] = frozenset()

    def covers(self, number: str) -> bool:
        """Tell whether a number (digits without a plus) may be signed for."""
        if self.codes or number in self.ones:
            return True
        if not (number.isascii() and number.isdigit()):
            return False
        value = int(number)
        return any(first <= value < first + count for first, count in self.ranges)


def read_number_authority(der: bytes) -> NumberAuthority:
    """Read the extension. Raises StirError."""
    try:
        return _read(der)
    except (IndexError, ValueError) as error:
        words = f"a TNAuthList that cannot be read: {error}"
        raise StirError("bad-certificate", words, status=437) from None


def _read(der: bytes) -> NumberAuthority:
    codes, ranges, ones = [], [], set()
    (outer,) = _parts(der)
    for count, (tag, value) in enumerate(_parts(_expect(outer, _SEQUENCE))):
        if count >= _MOST_ENTRIES:
            raise ValueError("too many entries")
        (inner,) = _parts(value)
        if tag == _CODE:
            codes.append(_text(inner))
        elif tag == _ONE:
            ones.add(_text(inner))
        elif tag == _RANGE:
            start, size = _parts(_expect(inner, _SEQUENCE))
            ranges.append((int(_text(start)), int.from_bytes(_expect(size, _INTEGER), "big")))
        else:
            raise ValueError(f"an entry of kind {tag}")
    return NumberAuthority(tuple(codes), tuple(ranges), frozenset(ones))


def _text(part: tuple[int, bytes]) -> str:
    text = _expect(part, _TEXT)
    if len(text) > 32:
        raise ValueError("a number of more than 32 digits")
    return text.decode("ascii")


def _expect(part: tuple[int, bytes], tag: int) -> bytes:
    if part[0] != tag:
        raise ValueError(f"{part[0]} instead of {tag}")
    return part[1]


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements one after the other: tag and content."""
    position = 0
    while position < len(der):
        tag, size = der[position], der[position + 1]
        position += 2
        if size & 0x80:
            octets = size & 0x7F
            if not 1 <= octets <= 4 or position + octets > len(der):
                raise ValueError("a length that makes no sense")
            size = int.from_bytes(der[position : position + octets], "big")
            position += octets
        if position + size > len(der):
            raise ValueError("cut short")
        yield tag, der[position : position + size]
        position += size
