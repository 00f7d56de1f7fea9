"""Session-Expires and Min-SE: how long a session lives unrefreshed, and who refreshes (RFC 4028)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from switch.errors import RemoteProtocolError
from switch.sip.headers import Headers
from switch.sip.message import Request
from switch.sip.uri import parse_params
from switch.sip.words import has_word

LEAST_S: Final = 90
"""No interval is shorter (RFC 4028 section 4)."""
_LONGEST_S: Final = 24 * 3600
"""What is longer is taken for this."""
_SECONDS: Final = re.compile(r"[0-9]{1,10}")


class SessionExpires(Struct, frozen=True):
    """The interval in seconds; `refresher` is `uac`, `uas` or None where nothing is said."""

    interval_s: int
    refresher: str | None = None

    def __str__(self) -> str:
        text = str(self.interval_s)
        return text if self.refresher is None else f"{text};refresher={self.refresher}"


def expires_in(headers: Headers) -> SessionExpires | None:
    """What a message says of the interval; raises ValueError."""
    values = headers.values_of("Session-Expires")
    return None if values is None else _often_seen(values[0])


@lru_cache(maxsize=256)
def _often_seen(value: str) -> SessionExpires:
    seconds, params = _seconds(value, "Session-Expires")
    refresher = (params.get("refresher") or "").lower() or None
    if refresher not in (None, "uac", "uas"):
        raise ValueError(f"not a Session-Expires: {value[:80]!r}")
    return SessionExpires(seconds, refresher)


def least_in(headers: Headers) -> int:
    """Min-SE of a message, which is 90 where it says nothing; raises ValueError."""
    values = headers.values_of("Min-SE")
    return LEAST_S if values is None else max(LEAST_S, _seconds(values[0], "Min-SE")[0])


def supports_timer(headers: Headers) -> bool:
    """Whether the sender knows session timers."""
    return has_word(headers, "Supported", "timer") or has_word(headers, "Require", "timer")


def asked_by(request: Request) -> SessionExpires | None:
    """What a peer's INVITE or UPDATE asks for.

    Raises:
        RemoteProtocolError: 400, when it cannot be read.
    """
    try:
        least_in(request.headers)
        return expires_in(request.headers)
    except ValueError as error:
        raise RemoteProtocolError(str(error)) from error


def _seconds(value: str, name: str) -> tuple[int, dict[str, str | None]]:
    seconds, semicolon, rest = value.partition(";")
    seconds = seconds.strip(" \t")
    if not _SECONDS.fullmatch(seconds):
        raise ValueError(f"not a {name}: {value[:80]!r}")
    return min(int(seconds), _LONGEST_S), parse_params(semicolon + rest)
