"""RSeq and RAck: the numbers of reliable provisional responses (RFC 3262 section 7)."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from switch.sip.headers import Headers
from switch.sip.uri import TOKEN
from switch.sip.words import has_word

LARGEST: Final = (1 << 31) - 1
_RSEQ: Final = re.compile(r"[0-9]{1,10}")
_RACK: Final = re.compile(rf"([0-9]{{1,10}})[ \t]+([0-9]{{1,10}})[ \t]+({TOKEN})")


class RAck(Struct, frozen=True):
    """Which provisional response a PRACK acknowledges: its RSeq, and the CSeq of its request."""

    rseq: int
    seq: int
    method: str

    @classmethod
    def parse(cls, text: str) -> RAck:
        """Parse `776656 1 INVITE`; raises ValueError."""
        found = _RACK.fullmatch(text)
        if found is None:
            raise ValueError(f"not a RAck: {text[:80]!r}")
        return cls(int(found[1]), int(found[2]), found[3])

    def __str__(self) -> str:
        return f"{self.rseq} {self.seq} {self.method}"


def is_supported(headers: Headers, name: str) -> bool:
    """Whether 100rel stands in Supported or in Require."""
    return has_word(headers, name, "100rel")


def rseq_in(headers: Headers) -> int | None:
    """The number of a reliable provisional response; None for one that is not reliable."""
    values = headers.values_of("RSeq")
    if values is None or not is_supported(headers, "Require"):
        return None
    number = int(values[0]) if len(values) == 1 and _RSEQ.fullmatch(values[0]) else 0
    return number if 0 < number <= LARGEST else None
