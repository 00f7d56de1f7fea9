"""Names: what a search by name looks for, the same on all databases.

The words of a name are folded once, when it is written or looked for: case, accents and widths do
not matter. A search gives the beginnings of words. Chinese, Japanese and Korean are written without
blanks, so there every ending of a run counts as a word: a search finds what stands in its middle.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST_WORD: Final = 64
"""Letters of a word that are kept; what is longer is found by its beginning."""
MOST_WORDS: Final = 64
"""Words of one customer that are kept."""
MOST_SOUGHT: Final = 8
"""Words of one search that are looked at."""
AFTER_ALL: Final = "\U0010ffff"
"""Behind every letter: `word >= x AND word < x + AFTER_ALL` are the words that begin with x."""

_WORD: Final = re.compile(r"[^\W_]+")
_UNSPACED: Final = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+)")


def words_of(text: str) -> list[str]:
    """The words by which a name is found, each once."""
    words: dict[str, None] = {}
    for word in _split(text):
        starts = range(len(word)) if _UNSPACED.match(word) else (0,)
        words.update((word[start : start + LONGEST_WORD], None) for start in starts)
    return list(words)[:MOST_WORDS]


def words_sought(text: str) -> list[str]:
    """The beginnings of words that a search asks for, all of which must be there."""
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in _split(text)))[:MOST_SOUGHT]


def _split(text: str) -> list[str]:
    """Folded words; runs without blanks apart from the letters around them."""
    decomposed = unicodedata.normalize("NFKD", text.casefold()).casefold()
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    whole = unicodedata.normalize("NFC", plain)
    return [part for run in _WORD.findall(whole) for part in _UNSPACED.split(run) if part]
