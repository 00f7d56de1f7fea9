"""PASSporT: the token that says who calls whom, and who vouches for it (RFC 8225, RFC 8588).

base64url(header) "." base64url(payload) "." base64url(signature)

header   {"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://..."}
payload  {"attest":"A","dest":{"tn":["12025550123"]},"iat":...,"orig":{"tn":"..."},"origid":"..."}
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from switch.stir.errors import StirError

LONGEST_TOKEN: Final = 6000
"""Octets; a chain of diversions needs a token for each, not a longer one."""
_LONGEST_URL: Final = 1000
_SIGNATURE_OCTETS: Final = 64
_MOST_NUMBERS: Final = 100
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]{4,})\.([A-Za-z0-9_-]{4,})\.([A-Za-z0-9_-]{86})")
_URL: Final = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::(?:443|8443))?/[!-~]*")
"""Where certificates are found (ATIS-1000074: HTTPS, and one of two ports)."""


class Attestation(StrEnum):
    """How much the signer knows of the caller (RFC 8588 section 4)."""

    FULL = "A"
    """It knows the caller, and that the number is the caller's."""
    PARTIAL = "B"
    """It knows the caller, and not whether the number is the caller's."""
    GATEWAY = "C"
    """It knows only where the call came in."""


class Header(Struct, omit_defaults=True):
    """The protected header; the fields in the order in which they are written."""

    alg: str
    ppt: str = ""
    typ: str = ""
    x5u: str = ""
    crit: object = msgspec.UNSET


class Origin(Struct, omit_defaults=True):
    """Who calls: a number without a plus, or a URI."""

    tn: str = ""
    uri: str = ""


class Destination(Struct, omit_defaults=True):
    """Who is called."""

    tn: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()


class Payload(Struct, omit_defaults=True):
    """The claims; the fields in the order in which they are written."""

    attest: str = ""
    dest: Destination = msgspec.field(default_factory=Destination)
    iat: int = 0
    orig: Origin = msgspec.field(default_factory=Origin)
    origid: str = ""


class Passport(Struct, frozen=True):
    """A token that was read, not yet believed."""

    header: Header
    payload: Payload
    signed: bytes
    """What the signature is of."""
    signature: bytes
    """r and s, 32 octets each."""


_read_header = msgspec.json.Decoder(Header).decode
_read_payload = msgspec.json.Decoder(Payload).decode


def read_passport(token: str) -> Passport:
    """Read a token in its full form. Raises StirError for anything that is not one of ES256."""
    if len(token) > LONGEST_TOKEN:
        raise StirError("malformed", f"a token of {len(token)} octets")
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise StirError("malformed", "no PASSporT in the full form")
    try:
        header = _read_header(_decode(found[1]))
        payload = _read_payload(_decode(found[2]))
        signature = _decode(found[3])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise StirError("malformed", f"a PASSporT that cannot be read: {error}") from None
    if header.alg != "ES256" or header.typ != "passport" or header.crit is not msgspec.UNSET:
        raise StirError("unsupported", "not a PASSporT signed with ES256", status=437)
    if len(header.x5u) > _LONGEST_URL or not _URL.fullmatch(header.x5u):
        raise StirError(
            "bad-certificate-url", "x5u is no https URL on port 443 or 8443", status=436
        )
    if len(payload.dest.tn) > _MOST_NUMBERS:
        raise StirError("malformed", "too many destinations")
    if len(signature) != _SIGNATURE_OCTETS:
        raise StirError("malformed", "a signature of the wrong length")
    return Passport(header, payload, token[: found.start(3) - 1].encode(), signature)


def to_be_signed(header: Header, payload: Payload) -> str:
    """The first two parts of a token, in canonical form (RFC 8225 section 9)."""
    return f"{_encode(msgspec.json.encode(header))}.{_encode(msgspec.json.encode(payload))}"


def with_signature(signed: str, signature: bytes) -> str:
    """The whole token."""
    return f"{signed}.{_encode(signature)}"


def canonical(number: str) -> str:
    """A number as tokens have it: digits without a plus (RFC 8224 section 8.3); empty for others."""
    digits = number.removeprefix("+")
    return digits if digits.isascii() and digits.isdigit() and len(digits) <= 32 else ""


def _encode(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
