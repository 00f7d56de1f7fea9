"""Messages for people to read: without passwords, keys and keyed digits."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "[hidden]"

_SECRETS: Final = (
    re.compile(r"(?im)^((?:proxy-)?authorization[ \t]*:[ \t]*\w+).*$"),
    re.compile(r"(?im)^(a=crypto:\d+ [\w.-]+).*$"),
    re.compile(r"(?im)^(a=ice-pwd:).*$"),
    re.compile(r"(?im)^(k=).*$"),
    re.compile(r"(?im)^(signal[ \t]*=).*$"),
)
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What would move the cursor of a terminal, or turn the direction of its text."""


def readable(data: bytes) -> str:
    """The message as text, with plain line ends."""
    text = data.decode(errors="replace").replace("\r\n", "\n")
    text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
    for secret in _SECRETS:
        text = secret.sub(rf"\1 {HIDDEN}", text)
    return text
