"""Messages for people to read: without passwords, keys and keyed digits."""

from __future__ import annotations

import re
from typing import Final

from switch.shown import HIDDEN

_SECRETS: Final = (
    # A header goes on in lines that begin with a blank (RFC 3261 section 7.3.1).
    re.compile(r"(?im)^((?:proxy-)?authorization[ \t]*:(?:\n?[ \t])*\w+).*(?:\n[ \t].*)*$"),
    re.compile(r'(?i)(\brspauth[ \t]*=[ \t]*"?)[0-9a-f]{16,}'),
    re.compile(r"(?im)^(a=crypto:\d+ [\w.-]+).*$"),
    re.compile(r"(?im)^(a=ice-pwd:).*$"),
    re.compile(r"(?im)^(k=).*$"),
    re.compile(r"(?im)^(signal[ \t]*=).*$"),
)
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What would move the cursor of a terminal, or turn the direction of its text."""


_KEYS: Final = re.compile(rb"(?im)(?<=inline:)[A-Za-z0-9+/=]+|(?<=^a=ice-pwd:)[A-Za-z0-9+/]+")


_ANSWER: Final = re.compile(rb'(?i)(\b(?:response|rspauth)[ \t]*=[ \t]*"?)([0-9a-f]{16,})')
"""The answer to a challenge (RFC 8760), of either side: whoever has it may try passwords on it."""


_PASSWORD: Final = re.compile(
    rb"(?im)^((?:proxy-)?authorization[ \t]*:(?:\r?\n?[ \t])*(?!digest\b)[\w-]+(?:\r?\n?[ \t])+)([^\s,]+)"
)
"""What stands after any other scheme is the password itself (Basic), or as good as one (Bearer)."""


def keyless(data: bytes) -> bytes:
    """The message with as many octets, without the keys of its sound (RFC 4568, 8839) and of its sender."""
    data = _ANSWER.sub(lambda found: found[1] + b"*" * len(found[2]), data)
    data = _PASSWORD.sub(lambda found: found[1] + b"*" * len(found[2]), data)
    if b"inline:" not in data and b"ice-pwd:" not in data:
        return data
    return _KEYS.sub(lambda found: b"*" * len(found[0]), data)


def readable(data: bytes) -> str:
    """The message as text, with plain line ends."""
    text = data.decode(errors="replace").replace("\r\n", "\n")
    text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
    for secret in _SECRETS:
        text = secret.sub(rf"\1 {HIDDEN}", text)
    return text
