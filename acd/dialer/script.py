"""A campaign's script with the facts of a record put in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_PLACE: Final = re.compile(r"\{([^{}\n]{1,64})\}")
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&])")
_LONGEST: Final = 200
"""Characters of one fact; a list may have novels in it."""


def fill(script: str, facts: Mapping[str, str]) -> str:
    """The Markdown with each `{column}` replaced; a column that the list has not stays as it is.

    Facts are shown as they are written: none of their characters is taken for Markdown.
    """
    folded = {name.strip().casefold(): value for name, value in facts.items()}

    def one(place: re.Match[str]) -> str:
        value = folded.get(place[1].strip().casefold())
        return place[0] if value is None else plain(value)

    return _PLACE.sub(one, script)


def plain(value: str) -> str:
    """One line of text in which Markdown sees nothing special."""
    line = " ".join(value.split())
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 1] + "…"
    return _SPECIAL.sub(r"\\\1", line)
