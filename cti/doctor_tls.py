"""What the doctor says of certificates: whether they can be used, who may read the key, when they end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cti.certificates import FOLDER
from cti.doctor_findings import Finding, Severity
from cti.settings import Settings
from switch.transport.certificates import RENEW_DAYS, facts_of
from switch.transport.tls import TlsContexts

_DAY_S: Final = 86_400
_OTHERS: Final = 0o077


def examine_certificates(settings: Settings) -> Iterator[Finding]:
    """Findings about the certificate that would be shown; none where nobody listens over TLS."""
    sip = settings.sip
    if not (sip.tls_port or sip.wss_port):
        return
    if sip.certificate:
        yield from _given(settings)
    elif (own := Path(settings.data.folder) / FOLDER / "server.pem").exists():
        yield from _told(own, "the server makes a new one by itself")
    else:
        yield Finding(Severity.GOOD, "certificate: the first start makes one")


def ending(what: str, not_after: float, now: float, remedy: str) -> Finding:
    """How long a certificate lasts; a warning thirty days before its end."""
    days = (not_after - now) / _DAY_S
    day = time.strftime("%Y-%m-%d", time.gmtime(not_after))
    if days < 0:
        return Finding(Severity.FAULT, f"{what} ended on {day}", remedy)
    words = f"{what} lasts until {day}, {days:.0f} days"
    if days < RENEW_DAYS:
        return Finding(Severity.WARNING, words, remedy)
    return Finding(Severity.GOOD, words)


def _given(settings: Settings) -> Iterator[Finding]:
    sip = settings.sip
    certificate, key = Path(sip.certificate), Path(sip.certificate_key)
    try:
        TlsContexts(sip.trusted_ca).use(certificate, key, sip.client_ca)
    except OSError as error:
        words = f"certificate: {error.filename or certificate}: {error.strerror or error}"
        remedy = "sip.certificate is PEM with the chain behind it, sip.certificate_key its key."
        yield Finding(Severity.FAULT, words, remedy)
        return
    if key.stat().st_mode & _OTHERS:
        words = f"certificate: other users of this machine may read its key {key}"
        yield Finding(Severity.WARNING, words, f"chmod 600 {key}")
    remedy = "Put a new one in its place and send SIGHUP to the server; calls go on."
    yield from _told(certificate, remedy)


def _told(certificate: Path, remedy: str) -> Iterator[Finding]:
    try:
        facts = facts_of(certificate)
    except OSError as error:
        words = f"certificate: {certificate}: {error.strerror or error}"
        yield Finding(Severity.FAULT, words, "Remove it, and the next start makes a new one.")
        return
    names = ", ".join(facts.names) or "no name at all"
    yield ending(f"certificate: for {names}, it", facts.not_after, time.time(), remedy)
