"""An authority and providers with certificates, as signatures of callers' numbers need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from switch.stir.number_authority import OID

URL = "https://certificates.example.com/provider.pem"
NOW = 1_800_000_000.0


def text(tag: int, content: bytes) -> bytes:
    """One short DER element."""
    return bytes([tag, len(content)]) + content


def provider_code(code: str = "1234") -> bytes:
    """A TNAuthList with the code of a provider."""
    return text(0x30, text(0xA0, text(0x16, code.encode())))


def one_number(number: str) -> bytes:
    return text(0x30, text(0xA2, text(0x16, number.encode())))


def number_range(first: str, count: int) -> bytes:
    parts = text(0x16, first.encode()) + text(0x02, count.to_bytes(2, "big"))
    return text(0x30, text(0xA1, text(0x30, parts)))


@dataclass
class Holder:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def holder(
    name: str,
    *,
    by: Holder | None = None,
    numbers: bytes | None = None,
    is_authority: bool = False,
    path_length: int | None = None,
    curve: ec.EllipticCurve | None = None,
    begins: float = NOW - 86400,
    days: int = 30,
) -> Holder:
    """Make a certificate; by itself when `by` is None."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.fromtimestamp(begins, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(
            x509.BasicConstraints(ca=is_authority, path_length=path_length), critical=True
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if numbers is not None:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(OID), numbers)
        builder = builder.add_extension(extension, critical=False)
    signed = builder.sign(key if by is None else by.key, SHA256())
    return Holder(signed, key)
