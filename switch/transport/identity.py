"""Who is at the other end of a TLS connection, as its certificate proves it (RFC 5922)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from msgspec import Struct

_KINDS = frozenset({"DNS", "URI", "IP Address"})
_SIP_URI = "sip:"


class PeerIdentity(Struct, frozen=True):
    """What a certificate says that a configured authority has signed, or that is pinned."""

    names: tuple[str, ...]
    """Domain names, addresses and SIP domains of its subjectAltName, small letters, no `sip:`.

    Where there are none, the common name of its subject (section 7.1). Empty for a certificate that is
    known by its fingerprint alone.
    """
    fingerprint: str
    """SHA-256 of the certificate, 64 hex digits."""

    def is_named(self, name: str) -> bool:
        """Tell whether it stands for this domain or address; wildcards do not count (section 7.2)."""
        return name.lower().strip("[]").rstrip(".") in self.names

    def covers(self, name: str) -> bool:
        """Tell whether it stands for this server, as a TLS client judges: `*` stands for one label."""
        plain = name.lower().strip("[]").rstrip(".")
        first, dot, rest = plain.partition(".")
        return plain in self.names or (bool(first and dot) and f"*.{rest}" in self.names)


def identity_of(certificate: Mapping[str, Any] | None, der: bytes | None) -> PeerIdentity | None:
    """The identity in a certificate as `ssl.SSLObject.getpeercert` gives it; None: there is none.

    `certificate` is empty where it was not verified: then only the fingerprint is known.
    """
    if not der:
        return None
    return PeerIdentity(_names(certificate or {}), sha256(der).hexdigest())


def _names(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    names = [
        _plain(value) for kind, value in certificate.get("subjectAltName", ()) if kind in _KINDS
    ]
    if not names:
        names = [value.lower() for value in _common_names(certificate.get("subject", ()))]
    return tuple(dict.fromkeys(names))


def _plain(value: str) -> str:
    """A name without the scheme that a SIP domain has in front."""
    return value.lower().removeprefix(_SIP_URI).rstrip(".")


def _common_names(subject: Iterable[Iterable[tuple[str, str]]]) -> Iterable[str]:
    return (value for part in subject for name, value in part if name == "commonName")
