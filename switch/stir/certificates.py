"""Certificates of those who sign: read, judged against the authorities, kept by their address (x5u).

A chain is judged once, when it is put in; later look-ups ask only for its dates. What is not here is
reported missing, and found for the next call if somebody puts it in meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from msgspec import Struct

from switch.stir.errors import StirError
from switch.stir.number_authority import OID, NumberAuthority, read_number_authority

LARGEST_PEM: Final = 64 * 1024
_LONGEST_CHAIN: Final = 5
_MOST_KEPT: Final = 2000


class Signatory(Struct, frozen=True):
    """The holder of a certificate that was found good."""

    key: EllipticCurvePublicKey
    authority: NumberAuthority | None
    """None: it does not say which numbers it speaks for."""
    not_before: float
    not_after: float
    """Of the whole chain; seconds since the epoch."""


class Authorities:
    """Whose certificates are believed."""

    def __init__(self, pem: bytes) -> None:
        """Take authorities. Raises ValueError where there is none in `pem`."""
        self._roots = x509.load_pem_x509_certificates(pem)

    def judge(self, pem: bytes) -> Signatory:
        """Judge a chain, the signer's certificate first. Raises StirError (437)."""
        try:
            return self._judge(pem)
        except StirError:
            raise
        except Exception as error:  # noqa: BLE001
            # A stranger wrote it, and some of what the library raises has no other base.
            words = f"a certificate that cannot be read: {error}"
            raise StirError("bad-certificate", words, status=437) from None

    def _judge(self, pem: bytes) -> Signatory:
        if len(pem) > LARGEST_PEM:
            raise ValueError("too large")
        given = x509.load_pem_x509_certificates(pem)
        chain = self._chain(given[0], given[1:_LONGEST_CHAIN])
        key = given[0].public_key()
        if not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
            raise StirError("bad-certificate", "a key that is not of P-256", status=437)
        try:
            found = given[0].extensions.get_extension_for_oid(x509.ObjectIdentifier(OID)).value
            authority = read_number_authority(found.public_bytes())
        except x509.ExtensionNotFound:
            authority = None
        return Signatory(
            key,
            authority,
            max(each.not_valid_before_utc.timestamp() for each in chain),
            min(each.not_valid_after_utc.timestamp() for each in chain),
        )

    def _chain(
        self, leaf: x509.Certificate, others: Sequence[x509.Certificate]
    ) -> list[x509.Certificate]:
        """The way from a certificate to an authority of ours."""
        chain = [leaf]
        for below in range(_LONGEST_CHAIN):
            current = chain[-1]
            for issuer in (*self._roots, *others):
                if issuer == current or not _has_issued(issuer, current, below):
                    continue
                chain.append(issuer)
                if issuer in self._roots:
                    return chain
                break
            else:
                break
        if leaf in self._roots:
            return chain
        words = "no authority of ours stands behind the certificate"
        raise StirError("untrusted", words, status=437)


def _has_issued(issuer: x509.Certificate, subject: x509.Certificate, below: int) -> bool:
    """Whether one certificate vouches for another that has `below` authorities under it."""
    if issuer.subject != subject.issuer:
        return False
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    if not basic.ca or not usage.key_cert_sign:
        return False
    if basic.path_length is not None and basic.path_length < below:
        return False
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


class CertificateStore:
    """Signatories by the address of their certificate."""

    def __init__(
        self,
        authorities: Authorities,
        *,
        local: Callable[[str], bytes | None] = lambda x5u: None,
        missing: Callable[[str], None] = lambda x5u: None,
    ) -> None:
        """`local` has what was kept of an address, in memory; `missing` is told what a call needs in vain."""
        self._authorities = authorities
        self._local = local
        self._missing = missing
        self._kept: OrderedDict[str, Signatory | StirError] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, x5u: str, pem: bytes) -> bool:
        """Take what was found at an address, and tell whether it is good; bad is remembered as bad."""
        try:
            found: Signatory | StirError = self._authorities.judge(pem)
        except StirError as error:
            found = error
        self._kept[x5u] = found
        self._kept.move_to_end(x5u)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return isinstance(found, Signatory)

    def find(self, x5u: str, now: float) -> Signatory:
        """The signatory; `now` in seconds since the epoch.

        Raises:
            StirError: its certificate is not at hand (436), or not to be believed (437).
        """
        found = self._kept.get(x5u)
        if found is None and (pem := self._local(x5u)) is not None:
            self.put(x5u, pem)
            found = self._kept.get(x5u)
        if found is None:
            self._missing(x5u)
            raise StirError("not-at-hand", "the certificate is not at hand", status=436)
        self._kept.move_to_end(x5u)
        if isinstance(found, StirError):
            self._missing(x5u)  # whoever fetches may find a better one, after a while
            raise StirError(found.reason, str(found), status=found.status)
        if not found.not_before <= now <= found.not_after:
            self._missing(x5u)
            raise StirError("certificate-over", "the certificate is not valid now", status=437)
        return found
