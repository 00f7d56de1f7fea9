"""Lists of words: Supported, Require, Allow. Peers say the same in every message, so they are remembered."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from switch.sip.headers import Headers, split_commas

_CACHED_LENGTH: Final = 256
"""Octets of a line that is remembered; memory is bounded."""


def has_word(headers: Headers, canonical: str, word: str) -> bool:
    """Whether `word`, in lower case, stands in a list of words: Supported, Require, Allow."""
    values = headers.values_of(canonical)
    if values is None:
        return False
    if len(values) == 1 and len(values[0]) <= _CACHED_LENGTH:
        return word in _words_often_seen(values[0])
    return any(word in _words(value) for value in values)


def _words(value: str) -> frozenset[str]:
    return frozenset(word.lower() for word in split_commas(value))


_words_often_seen = lru_cache(maxsize=512)(_words)
