"""What a SUBSCRIBE asks for, and whether its sender can read it."""

from __future__ import annotations

from typing import Final

from switch.presence.door import RefusedError
from switch.presence.subscription import ALLOW_EVENTS, CONTENT_TYPES, Package
from switch.sip.message import Request

_MOST_EVENT: Final = 128
"""Characters of an Event header, which is repeated in every notification."""
_PACKAGES: Final = {package.value: package for package in Package}


def package_of(request: Request) -> Package:
    """The package that is asked for. Raises RefusedError."""
    event = request.headers.get("Event") or ""
    package = _PACKAGES.get(event.partition(";")[0].strip().lower())
    if package is None or len(event) > _MOST_EVENT:
        raise RefusedError(489, None, ("Allow-Events", ALLOW_EVENTS))
    return package


def check_acceptable(request: Request, package: Package) -> None:
    """Raise 406 where the watcher cannot read what it would get; without Accept it can."""
    wanted = {word.partition(";")[0].strip().lower() for word in request.headers.tokens("Accept")}
    kind = CONTENT_TYPES[package]
    if wanted and not wanted & {kind, f"{kind.partition('/')[0]}/*", "*/*"}:
        raise RefusedError(406)
