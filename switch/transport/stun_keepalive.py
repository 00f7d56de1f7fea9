"""Keep-alives of phones over UDP: a STUN question on the SIP port, answered with where it came from.

RFC 5626 sections 4.4.2 and 8; the message is that of RFC 8489, without credentials, as section 8 asks.
"""

from __future__ import annotations

from ipaddress import ip_address
from struct import Struct
from typing import Final

_HEAD: Final = Struct("!HHI12s")
_REQUEST: Final = 0x0001
_SUCCESS: Final = 0x0101
_COOKIE: Final = 0x2112A442
_XOR_MAPPED: Final = Struct("!HHBBH")
_XOR_MAPPED_ADDRESS: Final = 0x0020
_LONGEST: Final = 548
"""What fits into any datagram of IPv4 (RFC 8489 section 6.1)."""


def binding_answer(data: bytes, sender: tuple[str, int]) -> bytes | None:
    """The answer to a binding request; None for what is none.

    At most 24 octets longer than a request: nobody gains by asking in the name of another.
    """
    if not _HEAD.size <= len(data) <= _LONGEST:
        return None
    kind, length, cookie, transaction = _HEAD.unpack_from(data)
    if kind != _REQUEST or cookie != _COOKIE or length != len(data) - _HEAD.size or length % 4:
        return None
    host, port = sender
    address = ip_address(host.partition("%")[0]).packed
    mask = data[4:20]
    hidden = bytes(octet ^ key for octet, key in zip(address, mask, strict=False))
    family = 1 if len(address) == 4 else 2
    mapped = _XOR_MAPPED.pack(
        _XOR_MAPPED_ADDRESS, 4 + len(address), 0, family, port ^ (_COOKIE >> 16)
    )
    body = mapped + hidden
    return _HEAD.pack(_SUCCESS, len(body), _COOKIE, transaction) + body
