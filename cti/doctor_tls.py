"""What the doctor says of certificates: whether they can be used, who may read the key, when they end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cti.certificate_check import certificate_problems
from cti.certificates import FOLDER
from cti.counted import counted
from cti.doctor_findings import Finding, Severity
from cti.settings import Settings
from switch.transport.certificates import RENEW_DAYS, facts_of

_DAY_S: Final = 86_400
_OTHERS: Final = 0o077


def examine_certificates(settings: Settings) -> Iterator[Finding]:
    """Findings about the files that are named, and about the certificate that would be shown."""
    problems = list(certificate_problems(settings))
    yield from (Finding(Severity.FAULT, *_split(problem)) for problem in problems)
    sip = settings.sip
    if problems or not (sip.tls_port or sip.wss_port):
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
    words = f"{what} lasts until {day}, {counted(days, 'day')}"
    if days < RENEW_DAYS:
        return Finding(Severity.WARNING, words, remedy)
    return Finding(Severity.GOOD, words)


def _given(settings: Settings) -> Iterator[Finding]:
    certificate, key = Path(settings.sip.certificate), Path(settings.sip.certificate_key)
    if key.stat().st_mode & _OTHERS:
        words = f"certificate: other users of this machine may read its key {key}"
        yield Finding(Severity.WARNING, words, f"chmod 600 {key}")
    remedy = "Put a new one in its place and send SIGHUP to the server; calls go on."
    yield from _told(certificate, remedy)


def _split(problem: str) -> tuple[str, str]:
    """A problem, and what to do about it, as the doctor writes them."""
    what, _, remedy = problem.partition("; ")
    return what, f"{remedy[:1].upper()}{remedy[1:]}." if remedy else ""


def _told(certificate: Path, remedy: str) -> Iterator[Finding]:
    try:
        facts = facts_of(certificate)
    except OSError as error:
        words = f"certificate: {certificate}: {error.strerror or error}"
        yield Finding(Severity.FAULT, words, "Remove it, and the next start makes a new one.")
        return
    names = ", ".join(facts.names) or "no name at all"
    yield ending(f"certificate: for {names}, it", facts.not_after, time.time(), remedy)
