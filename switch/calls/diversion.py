"""Who has sent a call on, and why: Diversion (RFC 5806) and History-Info (RFC 7044), in and out.

Pure. Both headers come from outside and are only believed of trunks; what is malformed in them is as
if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs, quote

from msgspec import Struct

from switch.legible import legible
from switch.sip.headers import Headers, split_commas
from switch.sip.uri import NameAddr

USER_SAFE: Final = "+*#&=$,?/!~'()-_."
"""Characters that may stand unescaped in the user part of a SIP URI (RFC 3261 section 25.1)."""
DIVERSION: Final = "Diversion"
HISTORY: Final = "History-Info"

REASONS: Final = frozenset(
    {
        "unknown",
        "user-busy",
        "no-answer",
        "unavailable",
        "unconditional",
        "time-of-day",
        "do-not-disturb",
        "deflection",
        "follow-me",
        "out-of-service",
        "away",
    }
)
"""The words of RFC 5806."""

_OF_CAUSE: Final = {
    302: "unconditional",
    404: "unavailable",
    408: "no-answer",
    480: "deflection",
    486: "user-busy",
    487: "deflection",
    503: "unavailable",
}
"""What a cause in History-Info says in those words (RFC 4458 section 2)."""
_MOST_VALUES: Final = 10
_LONGEST: Final = 1024
"""Octets of each of the two headers that are carried on: more serves nobody."""


class Diverted(Struct, frozen=True, array_like=True):
    """One number that sent the call on."""

    number: str
    reason: str
    """One of `REASONS`."""


def diverted(headers: Headers) -> Diverted | None:
    """Who sent this call on last, as the headers of its INVITE say; None for a call dialled here."""
    for value in headers.tokens(DIVERSION)[:_MOST_VALUES]:
        found = _diversion(value)
        if found is not None:
            return found
    for value in reversed(headers.tokens(HISTORY)[:_MOST_VALUES]):
        found = _history(value)
        if found is not None:
            return found
    return None


def carried(headers: Headers) -> dict[str, str]:
    """The two headers as a call goes on with them."""
    kept = {}
    for name in (DIVERSION, HISTORY):
        values = headers.tokens(name)[:_MOST_VALUES]
        while values and sum(len(value) + 2 for value in values) > _LONGEST:
            values.pop()
        if values:
            kept[name] = ", ".join(values)
    return kept


def reason_of(headers: Headers, *, rang: bool) -> str:
    """Why a phone sends a call on: as its 3xx says, or by whether it rang before."""
    for value in headers.tokens(DIVERSION)[:1]:
        found = _diversion(value)
        if found is not None and found.reason != "unknown":
            return found.reason
    return "deflection" if rang else "unconditional"


def sent_on(
    headers: Mapping[str, str], passed: Sequence[Diverted], number: str, host: str
) -> dict[str, str]:
    """The two headers of a call that `passed` have sent on, the first first, and goes to `number`.

    `headers` are those that the call began with.
    """
    newest_first = [
        f"<{_uri(each.number, host)}>;reason={each.reason};counter=1" for each in reversed(passed)
    ]
    if DIVERSION in headers:
        newest_first.append(headers[DIVERSION])
    history = split_commas(headers.get(HISTORY, ""))
    index = _last_index(history)
    for each in passed:
        parent, index = index, f"{index}.1" if index else "1"
        target = f";mp={parent}" if parent else ""
        uri = f"{_uri(each.number, host)}?Reason=SIP%3Bcause%3D302"
        history.append(f"<{uri}>;index={index}{target}")
    history.append(f"<{_uri(number, host)}>;index={index}.1;mp={index}")
    return {DIVERSION: ", ".join(newest_first), HISTORY: ", ".join(history)}


def _uri(number: str, host: str) -> str:
    return f"sip:{quote(number, USER_SAFE)}@{host}"


def _address(value: str) -> NameAddr | None:
    try:
        return NameAddr.parse(value)
    except ValueError:
        return None


def _diversion(value: str) -> Diverted | None:
    address = _address(value)
    number = "" if address is None else legible(address.uri.username)
    if address is None or not number:
        return None
    reason = (address.params.get("reason") or "").strip('"').lower()
    return Diverted(number, reason if reason in REASONS else "unknown")


def _history(value: str) -> Diverted | None:
    """An entry that the call did not stay with: it has a Reason."""
    address = _address(value)
    if address is None or not address.uri.headers or not address.uri.username:
        return None
    said = {name.lower(): values for name, values in parse_qs(address.uri.headers).items()}
    if "reason" not in said:
        return None
    _, _, cause = said["reason"][0].lower().partition("cause=")
    digits = cause[:3]
    status = int(digits) if digits.isascii() and digits.isdigit() else 0
    return Diverted(legible(address.uri.username), _OF_CAUSE.get(status, "unknown"))


def _last_index(history: Sequence[str]) -> str:
    """The index of the newest entry; empty when there is none that can be gone on with."""
    for value in reversed(history):
        address = _address(value)
        index = None if address is None else address.params.get("index")
        if index and len(index) <= 40 and index.replace(".", "").isdigit() and index.isascii():
            return index
    return ""
