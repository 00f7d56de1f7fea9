"""Ids that are unique over restarts, sort by time, and cost little; tokens that nobody can guess."""

from __future__ import annotations

import secrets
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class Ids:
    """Makes ids such as `i-mf3k2p9x-7a`: kind, start of this process, a count.

    The start is milliseconds with 20 random bits, so that two processes that start together differ.
    """

    def __init__(self) -> None:
        start = (time.time_ns() // 1_000_000 << 20) | secrets.randbits(20)
        self._start = _base36(start)
        self._count = 0

    def __call__(self, kind: str) -> str:
        """A new id; `kind` is a short prefix such as `i` for interactions."""
        self._count += 1
        return f"{kind}-{self._start}-{self._count:x}"


class Tokens:
    """Makes unguessable tokens of 64 bits, in hex, for tags, branches and nonces.

    The system is asked for many at once: a call needs nine, and each asking is a system call.
    """

    _AT_ONCE: Final = 256
    _OCTETS: Final = 8

    def __init__(self) -> None:
        self._ready: list[str] = []

    def __call__(self) -> str:
        """A new token."""
        if not self._ready:
            drawn = secrets.token_bytes(self._AT_ONCE * self._OCTETS)
            self._ready = [
                drawn[at : at + self._OCTETS].hex() for at in range(0, len(drawn), self._OCTETS)
            ]
        return self._ready.pop()


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _ALPHABET[digit] + digits
    return digits or "0"
