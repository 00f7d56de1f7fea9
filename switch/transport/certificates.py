"""Certificates on disk: one of our own, made at the first start, or one that is given.

In the folder `tls` of the data folder, which only the server may enter: a small authority (`ca.pem`, for
ten years), by which phones know us for as long as it lives, and the certificate that it signs (`server.pem`
with the authority behind it), which is made anew before it ends and when our names change.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

_AUTHORITY_DAYS: Final = 3650
_SERVER_DAYS: Final = 397
"""Browsers and Apple's phones take none that lives longer."""
RENEW_DAYS: Final = 30
"""So long before its end our own is made anew, and a given one is worth a warning."""
_SKEW: Final = timedelta(hours=1)
"""Clocks of phones that are slow."""


class CertificateFiles(Struct, frozen=True):
    """PEM files of a certificate with its chain, and of its key."""

    certificate: Path
    key: Path


class CertificateFacts(Struct, frozen=True):
    """What is told of a certificate."""

    names: tuple[str, ...]
    """Of its subjectAltName."""
    not_after: float
    """Seconds since the epoch."""


def own_certificate(folder: Path, names: Sequence[str], now: float) -> CertificateFiles:
    """Give a certificate for these domain names and addresses; make what is missing, ended or for others.

    `folder` is made if need be, for nobody else to enter. Raises OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = CertificateFiles(folder / "ca.pem", folder / "ca.key")
    server = CertificateFiles(folder / "server.pem", folder / "server.key")
    wanted = tuple(sorted({_plain(name) for name in names}))
    if _lasts(authority, now):
        if _lasts(server, now) and set(facts_of(server.certificate).names) == set(wanted):
            return server
    else:
        _make_authority(authority, now)
    _make_server(server, authority, wanted, now)
    return server


def facts_of(path: Path) -> CertificateFacts:
    """Read the first certificate of a PEM file. Raises OSError where there is none that can be read."""
    return _facts(_first(path))


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = tuple(str(each.value) for each in extension.value)
    except (x509.ExtensionNotFound, ValueError):
        names = ()
    return CertificateFacts(names, certificate.not_valid_after_utc.timestamp())


def _first(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except ValueError as error:
        raise OSError(f"{path}: no certificate in PEM form: {error}") from None


def _lasts(files: CertificateFiles, now: float) -> bool:
    """True while both files are there and the certificate does not end soon."""
    try:
        last = facts_of(files.certificate).not_after
        serialization.load_pem_private_key(files.key.read_bytes(), None)
    except (OSError, ValueError):
        return False
    return now + timedelta(days=RENEW_DAYS).total_seconds() < last


def _make_authority(files: CertificateFiles, now: float) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Switchroom own authority")
    builder = (
        _begun(name, name, key.public_key(), now, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=True), critical=True)
    )
    _write(files, key, [builder.sign(key, hashes.SHA256())])


def _make_server(
    files: CertificateFiles, authority: CertificateFiles, names: Sequence[str], now: float
) -> None:
    issuer = _first(authority.certificate)
    issuer_key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _begun(_name("Switchroom"), issuer.subject, key.public_key(), now, _SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .add_extension(
            x509.SubjectAlternativeName([_alternative(n) for n in names]), critical=False
        )
    )
    _write(files, key, [builder.sign(issuer_key, hashes.SHA256()), issuer])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: float, days: int
) -> x509.CertificateBuilder:
    start = datetime.fromtimestamp(now, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _SKEW)
        .not_valid_after(start + timedelta(days=days) - _SKEW)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _plain(name: str) -> str:
    """A name as it is compared: addresses in one form, without brackets."""
    try:
        return str(ip_address(name.strip("[]")))
    except ValueError:
        return name.lower().rstrip(".")


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )


def _write(
    files: CertificateFiles, key: ec.EllipticCurvePrivateKey, chain: Sequence[x509.Certificate]
) -> None:
    """The key first: a certificate that is there has its key."""
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _replace(files.key, secret, 0o600)
    pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)
    _replace(files.certificate, pem, 0o644)


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Write a file whole or not at all; until it has its name nobody else can read it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
