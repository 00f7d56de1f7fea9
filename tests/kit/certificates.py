"""Certificates for tests, made by the code that makes those of a server."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

from switch.transport.certificates import CertificateFiles, own_certificate
from switch.transport.tls import TlsContexts


def certificate(folder: Path, *names: str) -> CertificateFiles:
    """A certificate for these names, and the authority that signed it (`ca.pem`), in the folder."""
    return own_certificate(folder, names or ("127.0.0.1",), time.time())


def contexts(folder: Path, *names: str, client_ca: str = "") -> TlsContexts:
    """What a server with such a certificate has."""
    files = certificate(folder, *names)
    made = TlsContexts()
    made.use(files.certificate, files.key, client_ca)
    return made


def trusting(folder: Path) -> ssl.SSLContext:
    """A client that trusts the authority in the folder, and nobody else."""
    return ssl.create_default_context(cafile=str(folder / "ca.pem"))
