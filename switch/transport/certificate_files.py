"""Certificates, keys and authorities that the operator gives, as PEM files: loaded, or refused in words.

OpenSSL says that something does not fit; which file it is, and what to do, is said here.
"""

from __future__ import annotations

import errno
import ssl
from functools import partial
from pathlib import Path
from typing import Final, Literal, NoReturn

from cryptography import x509

Part = Literal["certificate", "key", "authorities"]
"""Which of the files is at fault; the key, where it does not fit the certificate."""

CERTIFICATE_MARK: Final = b"-----BEGIN CERTIFICATE-----"
NO_CERTIFICATE: Final = f"no certificate in PEM form; it begins with {CERTIFICATE_MARK.decode()}"

_UNFIT: Final = frozenset(
    {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED", "UNKNOWN_KEY_TYPE"}
)
"""What OpenSSL says of a key that is not the certificate's; the last two of one of another kind."""
_KEY_MARK: Final = b"PRIVATE KEY-----"


class CertificateFileError(OSError):
    """A file cannot be used. `strerror` names the files, and says what to do."""

    def __init__(self, part: Part, words: str) -> None:
        super().__init__(errno.EINVAL, words)
        self.part = part


def load_own(context: ssl.SSLContext, certificate: Path | str, key: Path | str) -> None:
    """Let a context show this certificate (PEM with its chain). Raises CertificateFileError."""
    _read_certificates("certificate", certificate)
    has_key = _KEY_MARK in _read("key", key)
    try:
        context.load_cert_chain(certificate, key, password=partial(_no_password, key))
    except ssl.SSLError as error:
        if error.reason in _UNFIT:
            words = f"{key} is not the key of {certificate}; give the two that belong together"
        elif not has_key:
            words = f"{key}: no private key in PEM form; give the key of {certificate}"
        else:
            reason = (error.reason or str(error)).lower().replace("_", " ")
            words = f"{key} and {certificate} cannot be used: {reason}; have them made anew"
        raise CertificateFileError("key", words) from None


def load_authorities(context: ssl.SSLContext, file: Path | str) -> None:
    """Let a context believe the authorities in a PEM file. Raises CertificateFileError."""
    _read_certificates("authorities", file)
    context.load_verify_locations(file)


def check_own(certificate: Path | str, key: Path | str) -> None:
    """See that the two can be used together. Raises CertificateFileError."""
    load_own(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate, key)


def check_authorities(file: Path | str) -> None:
    """See that there are authorities in the file. Raises CertificateFileError."""
    load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), file)


def _read_certificates(part: Part, file: Path | str) -> None:
    try:
        x509.load_pem_x509_certificates(_read(part, file))
    except ValueError:
        raise CertificateFileError(part, f"{file}: {NO_CERTIFICATE}") from None


def _read(part: Part, file: Path | str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        words = f"{file}: cannot be read: {error.strerror}; give a file that the server may read"
        raise CertificateFileError(part, words) from None


def _no_password(key: Path | str) -> NoReturn:
    """Asked for where a key is encrypted; without an answer of ours OpenSSL would ask the terminal."""
    words = f"{key} is encrypted; write it without a passphrase, readable to the server alone"
    raise CertificateFileError("key", words)
