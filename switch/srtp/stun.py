"""STUN as ICE-lite needs it: connectivity checks are read and answered, none is made (RFC 8489, 8445).

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |0 0|     STUN Message Type     |         Message Length        |
    |                         Magic Cookie                          |
    |                     Transaction ID (96 bits)                  |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    | Type | Length | Value, padded to 32 bits |  ... and so on

A check is taken when it names both sides (USERNAME), carries the code that only who knows our password can
make (MESSAGE-INTEGRITY), and adds up (FINGERPRINT). Answers are no longer than what they answer, so that
nobody can use us against others.
"""

from __future__ import annotations

import hmac
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from struct import Struct
from typing import Final

COOKIE: Final = 0x2112A442
MAX_OCTETS: Final = 1280
_HEAD: Final = Struct("!HHI12s")
_ATTRIBUTE: Final = Struct("!HH")
_REQUEST: Final = 0x0001
_SUCCESS: Final = 0x0101
_ERROR: Final = 0x0111
_USERNAME: Final = 0x0006
_INTEGRITY: Final = 0x0008
_ERROR_CODE: Final = 0x0009
_UNKNOWN_ATTRIBUTES: Final = 0x000A
_XOR_MAPPED: Final = 0x0020
_PRIORITY: Final = 0x0024
_USE_CANDIDATE: Final = 0x0025
_FINGERPRINT: Final = 0x8028
_CONTROLLED: Final = 0x8029
_FINGERPRINT_XOR: Final = 0x5354554E
_KNOWN: Final = frozenset({_USERNAME, _INTEGRITY, _PRIORITY, _USE_CANDIDATE})
"""Of those that must be understood (below 0x8000), what a check may have."""
_MAX_ATTRIBUTES: Final = 32


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a check must name and know."""

    username: str
    """Ours, a colon, theirs."""
    password: bytes

    def __repr__(self) -> str:
        return f"Credentials({self.username!r})"


@dataclass(frozen=True, slots=True)
class Check:
    """What becomes of one datagram."""

    answer: bytes
    """To be sent back where it came from; empty: nothing is."""
    is_authentic: bool = False
    """The peer is at the address that it came from."""
    nominates: bool = False
    """And wants to use it."""


_NOTHING: Final = Check(b"")


def is_stun(data: bytes) -> bool:
    """Whether a datagram could be STUN (RFC 7983)."""
    return len(data) >= 20 and data[0] < 4 and int.from_bytes(data[4:8]) == COOKIE


def take_check(data: bytes, source: tuple[str, int], credentials: Credentials) -> Check:
    """Judge one connectivity check that came from `source`; what is none is not answered."""
    if not is_stun(data) or len(data) > MAX_OCTETS:
        return _NOTHING
    kind, length, _, transaction = _HEAD.unpack_from(data)
    if kind != _REQUEST or length != len(data) - _HEAD.size or length % 4:
        return _NOTHING
    found = _attributes(data)
    if found is None:
        return _NOTHING
    if _FINGERPRINT in found:
        at, value = found[_FINGERPRINT]
        if len(value) != 4 or at + 8 != len(data) or value != _fingerprint(data[:at]):
            return _NOTHING
    unknown = [kind for kind in found if kind < 0x8000 and kind not in _KNOWN]
    username = found.get(_USERNAME)
    integrity = found.get(_INTEGRITY)
    if username is None or integrity is None:
        return _refusal(data, _error(transaction, 400, b""))
    at, code = integrity
    head = _HEAD.pack(kind, at + 4 + 20 - _HEAD.size, COOKIE, transaction)
    right = hmac.digest(credentials.password, head + data[_HEAD.size : at], "sha1")
    # Both are compared in any case: how long it takes shall not tell which was wrong.
    knows = hmac.compare_digest(code, right)
    names = hmac.compare_digest(username[1], credentials.username.encode())
    if not (knows and names):
        return _refusal(data, _error(transaction, 401, b""))
    if unknown:
        return Check(_error(transaction, 420, credentials.password, _unknown(unknown)))
    if _CONTROLLED in found:
        # A lite agent is the controlled one; the peer must be the other (RFC 8445 section 7.3.1.1).
        return Check(_error(transaction, 487, credentials.password))
    mapped = _attribute(_XOR_MAPPED, _xor_address(source, transaction))
    answer = _signed(_SUCCESS, transaction, mapped, credentials.password)
    return Check(answer, is_authentic=True, nominates=_USE_CANDIDATE in found)


def _refusal(data: bytes, answer: bytes) -> Check:
    return Check(answer) if len(answer) <= len(data) else _NOTHING


def _attributes(data: bytes) -> dict[int, tuple[int, bytes]] | None:
    """Where each attribute begins, and its value; None when they do not add up.

    Of several with the same type the first counts, and behind MESSAGE-INTEGRITY only FINGERPRINT does.
    """
    found: dict[int, tuple[int, bytes]] = {}
    at = _HEAD.size
    for _ in range(_MAX_ATTRIBUTES):
        if at == len(data):
            return found
        if at + 4 > len(data):
            return None
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        end = at + 4 + length
        if end > len(data):
            return None
        if kind not in found and (_INTEGRITY not in found or kind == _FINGERPRINT):
            found[kind] = (at, data[at + 4 : end])
        at = end + (-length % 4)
    return None


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _fingerprint(before: bytes) -> bytes:
    """CRC-32 over everything before the attribute, which the length in the head counts already."""
    return (zlib.crc32(before) ^ _FINGERPRINT_XOR).to_bytes(4)


def _signed(kind: int, transaction: bytes, attributes: bytes, password: bytes) -> bytes:
    """A message with integrity, where there is a password, and fingerprint."""
    if password:
        head = _HEAD.pack(kind, len(attributes) + 24, COOKIE, transaction)
        code = hmac.digest(password, head + attributes, "sha1")
        attributes += _attribute(_INTEGRITY, code)
    head = _HEAD.pack(kind, len(attributes) + 8, COOKIE, transaction)
    return head + attributes + _attribute(_FINGERPRINT, _fingerprint(head + attributes))


def _error(transaction: bytes, status: int, password: bytes, more: bytes = b"") -> bytes:
    code = bytes((0, 0, status // 100, status % 100))
    return _signed(_ERROR, transaction, _attribute(_ERROR_CODE, code) + more, password)


def _unknown(kinds: Sequence[int]) -> bytes:
    """Which attributes were not understood (RFC 8489 section 6.3.1)."""
    return _attribute(_UNKNOWN_ATTRIBUTES, b"".join(kind.to_bytes(2) for kind in kinds))


def _xor_address(source: tuple[str, int], transaction: bytes) -> bytes:
    address = ip_address(source[0])
    mask = COOKIE.to_bytes(4) + transaction
    octets = bytes(one ^ other for one, other in zip(address.packed, mask, strict=False))
    family = 1 if address.version == 4 else 2
    return bytes((0, family)) + (source[1] ^ COOKIE >> 16).to_bytes(2) + octets
