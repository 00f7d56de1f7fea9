"""The Identity header: a token with parameters (RFC 8224 section 4).

Identity: eyJ...;info=<https://cert.example.com/a.pem>;alg=ES256;ppt="shaken"
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from switch.stir.errors import StirError

_LONGEST: Final = 8000
_PARAM: Final = re.compile(
    r';[ \t]*([A-Za-z]{1,20})[ \t]*=[ \t]*(?:"([^"\\]{0,100})"|<([^<>]{0,1000})>|([^;\s"<>]{1,1000}))[ \t]*'
)


class IdentityHeader(Struct, frozen=True):
    """One value, taken apart."""

    token: str
    info: str
    ppt: str


def read_identity(value: str) -> IdentityHeader:
    """Take a value apart. Raises StirError."""
    if len(value) > _LONGEST:
        raise StirError("malformed", f"an Identity header of {len(value)} octets")
    token, separator, rest = value.partition(";")
    params: dict[str, str] = {}
    rest, position = separator + rest, 0
    while position < len(rest):
        found = _PARAM.match(rest, position)
        if found is None:
            raise StirError("malformed", "an Identity header with malformed parameters")
        params[found[1].lower()] = found[2] or found[3] or found[4] or ""
        position = found.end()
    if params.get("alg", "ES256") != "ES256":
        raise StirError("unsupported", "an Identity header of another algorithm", status=437)
    return IdentityHeader(token.strip(" \t"), params.get("info", ""), params.get("ppt", ""))


def write_identity(token: str, x5u: str) -> str:
    """The value of the header of a SHAKEN token."""
    return f'{token};info=<{x5u}>;alg=ES256;ppt="shaken"'
