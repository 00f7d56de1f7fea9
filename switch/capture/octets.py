"""What can be told of a message without parsing it."""

from __future__ import annotations

import re
from typing import Final

_USUAL: Final = b"\r\nCall-ID: "
_ANY: Final = re.compile(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)")
_LONGEST: Final = 256


def call_id(data: bytes) -> bytes:
    """The Call-ID; empty where there is none."""
    at = data.find(_USUAL)
    if at >= 0:
        start = at + len(_USUAL)
        end = data.find(b"\r\n", start)
        found = data[start:] if end < 0 else data[start:end]
    else:
        match = _ANY.search(data)
        found = b"" if match is None else match[1]
    return found.strip()[:_LONGEST]
