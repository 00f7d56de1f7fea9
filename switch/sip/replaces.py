"""Replaces: an INVITE that takes the place of another dialog (RFC 3891)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from switch.errors import RemoteProtocolError
from switch.sip.message import Request
from switch.sip.uri import Uri, parse_params

_CALL_ID: Final = re.compile(r"[^\s,;]+")
_MAX_LENGTH: Final = 1_024


class Replaces(Struct, frozen=True, kw_only=True):
    """Which dialog is to be replaced, as whoever gets the INVITE sees it."""

    call_id: str
    to_tag: str
    """The tag of whoever gets the INVITE."""
    from_tag: str
    early_only: bool = False
    """Only while nobody has answered: call pick-up."""

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """Parse a header value; raises ValueError."""
        call_id, semicolon, rest = text.partition(";")
        call_id = call_id.strip(" \t")
        if len(text) > _MAX_LENGTH or not _CALL_ID.fullmatch(call_id):
            raise ValueError(f"not a Replaces: {text[:80]!r}")
        params = parse_params(semicolon + rest)
        to_tag, from_tag = params.get("to-tag"), params.get("from-tag")
        if not to_tag or not from_tag:
            raise ValueError(f"Replaces without both tags: {text[:80]!r}")
        early_only = "early-only" in params
        return cls(call_id=call_id, to_tag=to_tag, from_tag=from_tag, early_only=early_only)

    @classmethod
    def of_uri(cls, uri: Uri) -> Replaces | None:
        """The Replaces that stands in the headers of a URI (in Refer-To); raises ValueError."""
        for piece in (uri.headers or "").split("&"):
            name, _, value = piece.partition("=")
            if name.lower() == "replaces":
                return cls.parse(unquote(value))
        return None

    def __str__(self) -> str:
        text = f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}"
        return text + ";early-only" if self.early_only else text


def replaces_in(request: Request) -> Replaces | None:
    """What a request replaces.

    Raises:
        RemoteProtocolError: 400, where it says so in a way that cannot be.
    """
    values = request.headers.values_of("Replaces")
    if values is None:
        return None
    if request.method != "INVITE" or len(values) > 1 or "Join" in request.headers:
        raise RemoteProtocolError("Replaces stands once, in an INVITE, and without Join")
    try:
        return Replaces.parse(values[0])
    except ValueError as error:
        raise RemoteProtocolError(str(error)) from error
