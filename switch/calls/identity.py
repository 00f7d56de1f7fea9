"""Who a caller says it is, and whether it wants that told (RFC 3323, RFC 3325).

Pure. P-Asserted-Identity and Remote-Party-ID are only believed of trunks that are set to be trusted;
P-Preferred-Identity is what a phone of ours asks for, and it must prove to be that phone.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from switch.legible import legible
from switch.sip.headers import Headers
from switch.sip.uri import NameAddr

_WITHHELD: Final = frozenset({"anonymous", "unknown", "restricted", "unavailable"})
"""Users in From that stand for no number (RFC 3323 and what is seen in the field)."""
_HIDES: Final = frozenset({"id", "user", "header", "critical"})
_HIDES_PARTY: Final = frozenset({"full", "uri", "name"})


class Identity(Struct, frozen=True):
    """A caller."""

    number: str
    """Made legible, as the name; empty: not known, or not to be shown."""
    name: str
    is_withheld: bool = False
    """The caller asked for it not to be shown."""


def is_anonymous(user: str) -> bool:
    """Whether a user part stands for no number."""
    return user.lower() in _WITHHELD


def shown(headers: Headers, from_: NameAddr, *, is_trusted: bool) -> Identity:
    """The caller as it may be shown; `is_trusted`: the peer vouches for what it asserts."""
    address, wants_privacy = from_, False
    if is_trusted:
        asserted = _first(headers, "P-Asserted-Identity")
        party = None if asserted is not None else _first(headers, "Remote-Party-ID")
        if party is not None:
            wants_privacy = (party.params.get("privacy") or "").strip('"').lower() in _HIDES_PARTY
        address = asserted or party or from_
    if wants_privacy or asks_for_privacy(headers):
        return Identity("", "", is_withheld=True)
    user = address.uri.username
    if is_anonymous(user):
        return Identity("", legible(address.display_name or ""), is_withheld=True)
    return Identity(legible(user), legible(address.display_name or ""))


def asks_for_privacy(headers: Headers) -> bool:
    """Whether the caller wants not to be shown. `none` says the opposite of all others."""
    wanted = {
        word.strip().lower()
        for value in headers.get_all("Privacy")
        for word in value.replace(",", ";").split(";")
    }
    return bool(wanted & _HIDES) and "none" not in wanted


def preferred(headers: Headers) -> str:
    """The user that a caller wants to be, where its From says nothing; empty: it does not say."""
    found = _first(headers, "P-Preferred-Identity") or _first(headers, "P-Asserted-Identity")
    return "" if found is None else found.uri.username


def _first(headers: Headers, name: str) -> NameAddr | None:
    for value in headers.tokens(name):
        try:
            found = NameAddr.parse(value)
        except ValueError:
            continue
        if found.uri.username:
            return found
    return None
