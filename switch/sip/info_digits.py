"""Digits in INFO: `application/dtmf-relay` and `application/dtmf`, as gateways and phones send them.

Neither was ever a standard. Lines end with CRLF or LF, names are of any case, the digit is written
as a character or as the event code of RFC 4733.
"""

from __future__ import annotations

import re
from typing import Final

DTMF_RELAY: Final = "application/dtmf-relay"
DTMF: Final = "application/dtmf"
DIGITS: Final = "0123456789*#ABCD"
_LINE: Final = re.compile(r"[ \t]*([A-Za-z]{1,16})[ \t]*=[ \t]*([^ \t]{1,8})[ \t]*")
_DEFAULT_MS: Final = 250
_LONGEST_MS: Final = 60_000
_MAX_BODY: Final = 256


def digit_in(content_type: str, body: bytes) -> tuple[str, int] | None:
    """The digit, and its length in milliseconds; None for an event that is no digit (flash).

    Raises:
        ValueError: the body cannot be read.
    """
    if len(body) > _MAX_BODY:
        raise ValueError("the body is too long for a digit")
    text = body.decode("ascii", "replace").strip("\r\n \t\0")
    if content_type == DTMF and "=" not in text:
        return _with_length(text, str(_DEFAULT_MS))
    values: dict[str, str] = {}
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found is not None:
            values.setdefault(found[1].lower(), found[2])
    if "signal" not in values:
        raise ValueError("no Signal in the body")
    return _with_length(values["signal"], values.get("duration", str(_DEFAULT_MS)))


def relay_body(digit: str, duration_ms: int) -> bytes:
    """The body of an INFO that sends a digit."""
    return f"Signal={digit}\r\nDuration={duration_ms}\r\n".encode()


def _with_length(signal: str, duration: str) -> tuple[str, int] | None:
    if not (duration.isascii() and duration.isdigit()):
        raise ValueError("the duration is no number")
    length = min(int(duration), _LONGEST_MS) or _DEFAULT_MS
    code = signal.upper()
    if len(code) == 1 and code in DIGITS:
        return code, length
    if code.isascii() and code.isdigit() and len(code) == 2:
        return (DIGITS[int(code)], length) if int(code) < len(DIGITS) else None
    if code in ("FLASH", "!"):
        return None
    raise ValueError(f"no digit: {signal!r}")
