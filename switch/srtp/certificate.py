"""The certificate that DTLS shows: self-signed, known by its fingerprint alone (RFC 5763).

One for each data folder: a gateway that is started anew shows the same.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from pathlib import Path

_DAYS = 3650


def fingerprint_of(path: Path) -> str:
    """SHA-256 of the certificate in a PEM file, as SDP writes it. Raises OSError, ValueError."""
    text = path.read_text()
    begin = text.find("-----BEGIN CERTIFICATE-----")
    if begin < 0:
        raise ValueError(f"{path} holds no certificate")
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(text[begin:].strip())).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def own_dtls_certificate(path: Path, wall: float) -> str:
    """The fingerprint of the certificate at `path`, which is made when it is missing; `wall`: s since 1970.

    Raises OSError.
    """
    try:
        return fingerprint_of(path)
    except (FileNotFoundError, ValueError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = path.with_name(path.name + ".new")
        written.unlink(missing_ok=True)
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(_make(wall))
        written.replace(path)
        return fingerprint_of(path)


def _make(wall: float) -> bytes:
    """Key (ECDSA, P-256) and certificate as PEM."""
    # Only here: loading the library takes a tenth of a second.
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "switchroom")])
    now = datetime.fromtimestamp(wall, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
