"""What strangers wrote, made fit for logs, screens and the store."""

from __future__ import annotations

MAX_CHARACTERS = 128
"""Longer numbers and names serve nobody; a header may hold sixty times as much."""


def legible(text: str) -> str:
    """Leave out what cannot be shown, and what is too much.

    A `%0D%0A` in the user of a URI is a line break once it is unescaped, and a name may hold marks
    that turn the direction of writing: neither may forge a line of a log or of a screen.
    """
    kept = text if text.isprintable() else "".join(c for c in text if c.isprintable())
    return kept[:MAX_CHARACTERS]
