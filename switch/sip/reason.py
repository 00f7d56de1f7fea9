"""Reason: why a BYE or CANCEL was sent, or a response (RFC 3326)."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from switch.sip.headers import Headers
from switch.sip.uri import TOKEN, parse_params

_PROTOCOL: Final = re.compile(TOKEN)
_CAUSE: Final = re.compile(r"[0-9]{1,4}")
_MAX_VALUES: Final = 8


class Reason(Struct, frozen=True, kw_only=True):
    """One reason: a status of SIP, or a cause of Q.850, the telephone network's."""

    protocol: str
    """In upper case: SIP, Q.850."""
    cause: int = 0
    """0 where there is none."""
    text: str = ""

    @classmethod
    def parse(cls, value: str) -> Reason:
        """Parse one value; raises ValueError."""
        protocol, semicolon, rest = value.partition(";")
        protocol = protocol.strip(" \t")
        if not _PROTOCOL.fullmatch(protocol):
            raise ValueError(f"not a Reason: {value[:80]!r}")
        params = parse_params(semicolon + rest)
        cause = params.get("cause") or "0"
        if not _CAUSE.fullmatch(cause):
            raise ValueError(f"not a cause: {value[:80]!r}")
        text = params.get("text") or ""
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        if not text.isprintable():  # it is shown to people, and sent on
            text = "".join(c for c in text if c.isprintable())
        return cls(protocol=protocol.upper(), cause=int(cause), text=text)

    def __str__(self) -> str:
        text = self.protocol
        if self.cause:
            text += f";cause={self.cause}"
        if self.text:
            escaped = self.text.replace("\\", "\\\\").replace('"', '\\"')
            text += f';text="{escaped}"'
        return text


def reasons_in(headers: Headers) -> tuple[Reason, ...]:
    """The reasons that a message gives; what is malformed is left out."""
    if headers.values_of("Reason") is None:
        return ()
    found = []
    for value in headers.tokens("Reason")[:_MAX_VALUES]:
        try:
            found.append(Reason.parse(value))
        except ValueError:
            continue
    return tuple(found)
