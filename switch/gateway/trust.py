"""Two ends prove to each other that they know one secret, then seal every frame (no I/O).

    gateway       -> call agent    MAGIC, nonce g
    call agent    -> gateway       nonce c, HMAC(secret, "call agent", g, c)
    gateway       -> call agent    HMAC(secret, "gateway", g, c)
    from then on each frame is sealed with ChaCha20-Poly1305 (RFC 8439)

Who connects proves first, so that the port tells strangers nothing. Keys are derived from the secret and
both nonces, one for each direction (RFC 5869); the nonce of a frame is its number, so that none can be
repeated, left out or moved. Proofs are compared in constant time. The secret itself is never sent.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from switch.gateway.framing import FramingError

MAGIC: Final = b"switchroom gateway 1"
NONCE_OCTETS: Final = 32
PROOF_OCTETS: Final = 32
MOST_OCTETS: Final = 128
"""No message of the proof is longer."""
TAG_OCTETS: Final = 16
LEAST_SECRET_OCTETS: Final = 32

Random = Callable[[int], bytes]


class Sealer:
    """Seals frames for one direction."""

    __slots__ = ("_aead", "_count")

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self._count = 0

    def seal(self, body: bytes) -> bytes:
        """The next frame's body, readable by the other end alone."""
        self._count += 1
        return self._aead.encrypt(self._count.to_bytes(12), body, None)


class Opener:
    """Opens frames of one direction."""

    __slots__ = ("_aead", "_count")

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self._count = 0

    def open(self, sealed: bytes) -> bytes:
        """The body of the next frame. Raises FramingError for anything but what was sealed next."""
        self._count += 1
        try:
            return self._aead.decrypt(self._count.to_bytes(12), sealed, None)
        except (InvalidTag, ValueError) as error:
            raise FramingError("a frame that the other end did not seal") from error


class AgentProof:
    """The call agent's side: it connects."""

    def __init__(self, secret: bytes, random: Random) -> None:
        self._secret = secret
        self._nonce = random(NONCE_OCTETS)
        self._nonces = b""
        self.sealer: Sealer | None = None
        self.opener: Opener | None = None
        """Both None until the gateway has proved itself."""

    def receive(self, message: bytes) -> bytes | None:
        """Take a message of the gateway; return the answer, None when all is proved. Raises FramingError."""
        if not self._nonces:
            if len(message) != len(MAGIC) + NONCE_OCTETS or not message.startswith(MAGIC):
                raise FramingError("what answers there is no media gateway")
            self._nonces = message[len(MAGIC) :] + self._nonce
            return self._nonce + _proof(self._secret, b"call agent", self._nonces)
        if not hmac.compare_digest(message, _proof(self._secret, b"gateway", self._nonces)):
            raise FramingError("the media gateway does not know the secret")
        self.sealer = Sealer(_key(self._secret, self._nonces, b"to gateway"))
        self.opener = Opener(_key(self._secret, self._nonces, b"to call agent"))
        return None


class GatewayProof:
    """The gateway's side: somebody has connected."""

    def __init__(self, secret: bytes, random: Random) -> None:
        self._secret = secret
        self._nonce = random(NONCE_OCTETS)
        self.sealer: Sealer | None = None
        self.opener: Opener | None = None
        """Both None until the call agent has proved itself."""

    def challenge(self) -> bytes:
        """The first message."""
        return MAGIC + self._nonce

    def receive(self, message: bytes) -> bytes:
        """Take the call agent's proof; return ours. Raises FramingError."""
        if len(message) != NONCE_OCTETS + PROOF_OCTETS:
            raise FramingError("no proof of a call agent")
        nonces = self._nonce + message[:NONCE_OCTETS]
        wanted = _proof(self._secret, b"call agent", nonces)
        if not hmac.compare_digest(message[NONCE_OCTETS:], wanted):
            raise FramingError("whoever connected does not know the secret")
        self.opener = Opener(_key(self._secret, nonces, b"to gateway"))
        self.sealer = Sealer(_key(self._secret, nonces, b"to call agent"))
        return _proof(self._secret, b"gateway", nonces)


def _proof(secret: bytes, who: bytes, nonces: bytes) -> bytes:
    return hmac.digest(secret, MAGIC + who + nonces, hashlib.sha256)


def _key(secret: bytes, nonces: bytes, direction: bytes) -> bytes:
    info = MAGIC + direction
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=nonces, info=info).derive(secret)
