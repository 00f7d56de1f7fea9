"""Signs calls that leave (RFC 8224 section 6.1, RFC 8588).

A signature of ES256 takes about as long as reading an INVITE, so it is made in line.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from switch.stir.identity import write_identity
from switch.stir.passport import (
    Attestation,
    Destination,
    Header,
    Origin,
    Payload,
    canonical,
    to_be_signed,
    with_signature,
)

_SHA256 = ECDSA(SHA256())


class Signer:
    """Signs with one key. `new_origin` gives a UUID for a call where none is configured."""

    def __init__(
        self, key: EllipticCurvePrivateKey, x5u: str, *, new_origin: Callable[[], str]
    ) -> None:
        self._key = key
        self._header = Header(alg="ES256", ppt="shaken", typ="passport", x5u=x5u)
        self._x5u = x5u
        self._new_origin = new_origin

    def sign(self, caller: str, called: str, attestation: Attestation, now: float) -> str | None:
        """The value of an Identity header; `now` in seconds since the epoch.

        None where caller or called is no international number: there is nothing to vouch for.
        """
        orig, dest = canonical(caller), canonical(called)
        if not orig or not dest:
            return None
        payload = Payload(
            attest=attestation,
            dest=Destination(tn=(dest,)),
            iat=int(now),
            orig=Origin(tn=orig),
            origid=self._new_origin(),
        )
        signed = to_be_signed(self._header, payload)
        r, s = decode_dss_signature(self._key.sign(signed.encode(), _SHA256))
        token = with_signature(signed, r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return write_identity(token, self._x5u)


def read_key(pem: bytes, certificate: bytes) -> EllipticCurvePrivateKey:
    """Read our key, and see that it is that of our certificate.

    Raises:
        ValueError: says what is wrong, without a word of the key.
    """
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        raise ValueError("no private key in PEM form without a password") from None
    if not (isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)):
        raise ValueError("the key is not of the elliptic curve P-256")
    try:
        own = x509.load_pem_x509_certificates(certificate)[0].public_key()
    except ValueError:
        raise ValueError("no certificate in PEM form") from None
    if own != key.public_key():
        raise ValueError("the key is not that of the certificate")
    return key


def attestation_for(*, is_ours: bool, is_passed_on: bool) -> Attestation:
    """How much we know of a caller.

    A number is vouched for in full only where it is ours and the call began here; one that came in on
    a trunk is what others said, whatever number it shows.
    """
    if is_passed_on:
        return Attestation.GATEWAY
    return Attestation.FULL if is_ours else Attestation.PARTIAL
