"""Messages for people to read: without passwords, keys and keyed digits."""

from __future__ import annotations

import re
from typing import Final

from switch.shown import HIDDEN

_SECRETS: Final = (
    # A header goes on in lines that begin with a blank (RFC 3261 section 7.3.1).
    re.compile(r"(?im)^((?:proxy-)?authorization[ \t]*:(?:\n?[ \t])*\w+).*(?:\n[ \t].*)*$"),
    re.compile(r'(?i)(\brspauth[ \t]*=[ \t]*"?)[0-9a-f]{16,}'),
    re.compile(r"(?im)^(a=crypto:[ \t]*\d+[ \t]+[\w.-]+).*$"),
    # As an attribute, or offered as a capability (RFC 5939).
    re.compile(r"(?im)\b(inline:|ice-pwd:|key-mgmt:).*$"),
    re.compile(r"(?im)^(k=).*$"),
    re.compile(r"(?im)^(signal[ \t]*=).*$"),
)
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What would move the cursor of a terminal, or turn the direction of its text."""
_KEYS: Final = re.compile(
    rb"(?i)(?<=inline:)[^\s|;]+|(?<=ice-pwd:)[^\r\n]+|(?<=key-mgmt:)[^\r\n]+|(?<=[\r\n]k=)[^\r\n]+"
)
_NAMES_OF_KEYS: Final = (b"inline:", b"ice-pwd:", b"key-mgmt:", b"\nk=", b"\rk=")
"""Where none of them stands, in small letters, there is nothing to search for."""
_ANSWER: Final = re.compile(rb'(?i)(\b(?:response|rspauth)[ \t]*=[ \t]*"?)([0-9a-f]{16,})')
"""The answer to a challenge (RFC 8760), of either side: whoever has it may try passwords on it."""
_PASSWORD: Final = re.compile(
    rb"(?im)^((?:proxy-)?authorization[ \t]*:(?:\r?\n?[ \t])*(?!digest\b)[\w-]+(?:\r?\n?[ \t])+)([^\s,]+)"
)
"""What stands after any other scheme is the password itself (Basic), or as good as one (Bearer)."""
_INFO: Final = re.compile(rb"[\r\n]*INFO ")
"""Empty lines may stand before a message (RFC 3261 section 7.5)."""
_DIGITS: Final = re.compile(rb"(?im)^(?:content-type|c)[ \t]*:(?:(?:\r\n)?[ \t])*application/dtmf")
_SIGNAL: Final = re.compile(rb"(?im)^([ \t]*signal[ \t]*=[ \t]*)([^\r\n]+)")


def keyless(data: bytes) -> bytes:
    """The message with as many octets, without what `readable` hides of it.

    Keys of sound (RFC 4567, 4568, 8839), proofs of its sender, keyed digits.
    """
    data = _PASSWORD.sub(_starred, _ANSWER.sub(_starred, data))
    if _INFO.match(data):
        data = _without_digits(data)
    small = data.lower()
    if any(name in small for name in _NAMES_OF_KEYS):
        data = _KEYS.sub(lambda found: b"*" * len(found[0]), data)
    return data


def _starred(found: re.Match[bytes]) -> bytes:
    return found[1] + b"*" * len(found[2])


def _without_digits(data: bytes) -> bytes:
    """An INFO in which nobody reads what was keyed: that may be the number of a card."""
    message = data.lstrip(b"\r\n")
    head, gap, body = message.partition(b"\r\n\r\n")
    if not _DIGITS.search(head):
        return data
    blanked = _SIGNAL.sub(lambda found: found[1] + b"?" * len(found[2]), body)
    if blanked == body:
        blanked = b"?" * len(body)
    return data[: len(data) - len(message)] + head + gap + blanked


def readable(data: bytes) -> str:
    """The message as text, with plain line ends."""
    if _INFO.match(data):
        data = _without_digits(data)
    text = data.decode(errors="replace").replace("\r\n", "\n")
    text = text.replace("\r", "\N{REPLACEMENT CHARACTER}\n")  # to some it ends a line
    text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
    for secret in _SECRETS:
        text = secret.sub(rf"\1 {HIDDEN}", text)
    return text
