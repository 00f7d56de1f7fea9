"""How a leg is proved and encrypted: SRTP, DTLS, ICE; values of the control protocol that print no keys."""

from __future__ import annotations

from switch.gateway.message import Message


class SrtpKeys(Message, frozen=True, kw_only=True, tag="srtp_keys"):
    """How a leg's packets are encrypted (RFC 3711)."""

    suite: str
    """In the words of RFC 4568 and 7714, as `AES_CM_128_HMAC_SHA1_80`."""
    send: bytes
    """Master key and salt of what we send."""
    receive: bytes

    def __repr__(self) -> str:
        return f"SrtpKeys(suite={self.suite!r}, ...)"


class Dtls(Message, frozen=True, kw_only=True, tag="dtls"):
    """Keys by a DTLS handshake (RFC 5764)."""

    is_client: bool
    """We begin."""
    fingerprint: str
    """SHA-256 of the peer's certificate, upper-case hexadecimal with colons."""
    association: str = ""
    """The peer's name for the handshake: another one asks for another."""


class Ice(Message, frozen=True, kw_only=True, tag="ice"):
    """Connectivity checks that are answered (RFC 8445, lite)."""

    ufrag: str
    password: str
    remote_ufrag: str

    def __repr__(self) -> str:
        return f"Ice(ufrag={self.ufrag!r}, ...)"
