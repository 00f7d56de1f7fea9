"""Fragments of SIP messages, as NOTIFYs about a REFER carry them (RFC 3420)."""

from __future__ import annotations

import re
from typing import Final

from switch.sip.writing import REASONS

SIPFRAG: Final = "message/sipfrag"
_STATUS_LINE: Final = re.compile(
    rb"SIP/2\.0 ([1-6][0-9][0-9])(?:[ \t]+([^\r\n]{0,200}))?[ \t]*(?:\r?\n|$)"
)


def status_in(body: bytes) -> tuple[int, str] | None:
    """Status and reason of the response in a fragment; None where there is none."""
    found = _STATUS_LINE.match(body.lstrip(b"\r\n \t"))
    if found is None:
        return None
    reason = (found[2] or b"").decode("utf-8", "replace")
    return int(found[1]), "".join(letter for letter in reason if letter.isprintable())


def fragment(status: int, reason: str | None) -> bytes:
    """A status line alone."""
    phrase = REASONS.get(status, "") if reason is None else reason
    return f"SIP/2.0 {status} {phrase}\r\n".encode()
