"""What a REGISTER says of its way and of its device: Path (RFC 3327), outbound (RFC 5626).

Pure. The way back to a phone is the flow that its REGISTER came by, so Path is a list of Route values
and nothing else: nobody can lead our requests to an address of his choice by it.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from switch.sip.message import Request
from switch.sip.uri import NameAddr

_MOST_PATHS: Final = 5
_LONGEST_PATH: Final = 256
_INSTANCE: Final = re.compile(r'"<[^<>"\s]{1,200}>"')
_REG_ID: Final = re.compile(r"[1-9][0-9]{0,8}")


class Device(Struct, frozen=True):
    """The device behind a Contact."""

    instance: str
    """As written; empty: it does not say which it is."""
    reg_id: int
    """0: it does not number its flows."""


class BadPathError(Exception):
    """A Path that calls could not follow."""


def path_of(request: Request) -> tuple[str, ...]:
    """The Path values, topmost first: so they become the Route of calls (RFC 3327 section 5.3).

    Raises:
        BadPathError: there are too many, or one is no loose-routing SIP URI.
    """
    values = tuple(request.headers.tokens("Path"))
    if not values:
        return ()
    if len(values) > _MOST_PATHS or any(len(value) > _LONGEST_PATH for value in values):
        raise BadPathError("Path Too Long")
    for value in values:
        try:
            uri = NameAddr.parse(value).uri
        except ValueError as error:
            raise BadPathError("Malformed Path") from error
        if uri.scheme not in ("sip", "sips") or "lr" not in uri.params:
            raise BadPathError("Path Without Loose Routing")
    return values


def device_of(contact: NameAddr) -> Device:
    """Which device a Contact speaks of; what is malformed is as if it were not there."""
    instance = contact.params.get("+sip.instance") or ""
    reg_id = contact.params.get("reg-id") or ""
    if not _INSTANCE.fullmatch(instance):
        return Device("", 0)
    return Device(instance, int(reg_id) if _REG_ID.fullmatch(reg_id) else 0)


def wants_outbound(request: Request) -> bool:
    """Whether the phone asks that calls come back by the very flow of this REGISTER."""
    return "outbound" in (word.lower() for word in request.headers.tokens("Supported"))


def first_hop_knows_outbound(request: Request, path: tuple[str, ...]) -> bool:
    """Whether whoever got it from the phone keeps the flow: ourselves, or a proxy that says `ob`."""
    if len(request.vias) == 1:
        return True
    return bool(path) and "ob" in NameAddr.parse(path[-1]).uri.params
