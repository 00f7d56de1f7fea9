"""SDES: the keys of SRTP in `a=crypto` lines (RFC 4568, RFC 7714 section 14.2).

    a=crypto:<tag> <suite> inline:<key and salt in base64>[|<lifetime>][|<MKI>:<its length>] [parameters]

A line is taken whole or not at all. Refused are, beside what does not follow the grammar: keys of a wrong
length, several keys or an MKI in one line (we send none), a lifetime shorter than a long call, and
parameters that would switch off a part of the protection.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass

KEY_OCTETS = {
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
    "AEAD_AES_128_GCM": 28,
    "AEAD_AES_256_GCM": 44,
}
"""Master key and salt together, by suite; in the order in which we offer them."""
LEAST_LIFETIME = 1 << 20
"""Packets: nearly six hours of sound."""
_MOST_LIFETIME = 1 << 48
_LINE = re.compile(r"([1-9][0-9]{0,8}|0) +([A-Za-z0-9_]{1,64}) +(\S{1,512})((?: +\S{1,64}){0,16})")
_INLINE = re.compile(
    r"inline:([A-Za-z0-9+/]{16,128}={0,2})(?:\|(2\^[0-9]{1,2}|[0-9]{1,15}))?(\|[0-9]{1,39}:[0-9]{1,3})?",
    re.IGNORECASE,
)
_WINDOW = re.compile(r"WSH=[0-9]{1,5}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CryptoLine:
    """One way to protect a stream: the sender of the line encrypts with `key`."""

    tag: str
    suite: str
    key: bytes
    """Master key, then master salt."""

    def __repr__(self) -> str:
        return f"CryptoLine({self.tag}, {self.suite}, ...)"

    @property
    def text(self) -> str:
        """The line as it is written, without its end."""
        return f"a=crypto:{self.tag} {self.suite} inline:{b64encode(self.key).decode()}"


class CryptoError(ValueError):
    """The lines contradict each other. The text names no key."""


def usable_lines(values: Sequence[str]) -> list[CryptoLine]:
    """The lines that we can use, in the order they were written.

    Raises CryptoError when two lines have the same tag: nobody could say which one an answer means.
    """
    found = []
    tags = set()
    for value in values:
        written = _LINE.fullmatch(value.strip())
        if written is None:
            continue
        tag = written[1]
        if tag in tags:
            raise CryptoError("two crypto lines have the same tag")
        tags.add(tag)
        suite = written[2].upper()
        key = _key(written[3], KEY_OCTETS.get(suite, 0))
        if key is not None and all(_is_harmless(word) for word in written[4].split()):
            found.append(CryptoLine(tag, suite, key))
    return found


def new_key(suite: str, random: Callable[[int], bytes]) -> bytes:
    """Master key and salt for a suite of ours."""
    return random(KEY_OCTETS[suite])


def _key(written: str, octets: int) -> bytes | None:
    found = _INLINE.fullmatch(written)
    if found is None or not octets or found[3] is not None:
        return None
    lifetime = found[2]
    if lifetime is not None:
        is_power = lifetime.startswith("2^")
        packets = 1 << int(lifetime[2:]) if is_power else int(lifetime)
        if not LEAST_LIFETIME <= packets <= _MOST_LIFETIME:
            return None
    text = found[1].rstrip("=")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except Base64Error:
        return None
    return key if len(key) == octets else None


def _is_harmless(word: str) -> bool:
    """Parameters that change nothing: the replay window, and extensions that may be passed over."""
    return _WINDOW.fullmatch(word) is not None or word.startswith("-")
