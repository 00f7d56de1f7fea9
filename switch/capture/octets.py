"""What can be told of a message without parsing it."""

from __future__ import annotations

import re
from typing import Final

_USUAL: Final = b"\r\nCall-ID: "
_ANY: Final = re.compile(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)")
_LONGEST: Final = 256


def call_id(data: bytes) -> bytes:
    """The Call-ID, or the beginning of a very long one; empty where there is none."""
    at = data.find(_USUAL)
    # Behind an empty line it may be that of a message within this one.
    if at >= 0 and data.find(b"\r\n\r\n", 0, at) < 0:
        start = at + len(_USUAL)
        end = data.find(b"\r\n", start)
        found = data[start:] if end < 0 else data[start:end]
    else:
        match = _ANY.search(data)
        found = b"" if match is None else match[1]
    return key_of(found.strip())


def key_of(call_id: bytes) -> bytes:
    """What `call_id` finds in messages of this Call-ID."""
    return call_id[:_LONGEST]
