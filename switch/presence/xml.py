"""Text within XML documents."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, not even escaped."""


def text(value: str) -> str:
    """As it stands between tags."""
    return escape(_FORBIDDEN.sub("", value))


def attribute(value: str) -> str:
    """As it stands behind the `=`, quotes included."""
    return quoteattr(_FORBIDDEN.sub("", value))
