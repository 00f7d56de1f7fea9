"""Signatures of callers' numbers in a node: the key, the authorities, and certificates of others.

A certificate that a call needs and nobody has is fetched for the next call, if that is allowed: never
while a call waits, and few of them (`cti/fetch_budget.py`). What was fetched is kept in a folder.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from cti.fetch_budget import FetchBudget
from cti.outside import is_outside
from cti.ranges import SettingsError
from cti.sip_addresses import PeerNetworks
from cti.trunk_settings import StirSection
from switch.stir.certificates import LARGEST_PEM, Authorities, CertificateStore
from switch.stir.signing import Signer, read_key
from switch.stir.verification import Verifier
from switch.transport.certificate_files import CERTIFICATE_MARK, NO_CERTIFICATE

if TYPE_CHECKING:
    from cti.certificate_fetch import CertificateFetcher

log = logging.getLogger(__name__)

_MOST_READ: Final = 1000
"""Files of the folder."""


def signer_of(stir: StirSection) -> Signer | None:
    """What signs calls out; None when there is no key. Raises SettingsError."""
    if not stir.key:
        return None
    certificate = _octets(stir.certificate, "certificate")
    if CERTIFICATE_MARK not in certificate:
        raise SettingsError(f"stir.certificate: {stir.certificate}: {NO_CERTIFICATE}")
    try:
        key = read_key(_octets(stir.key, "key"), certificate)
    except ValueError as error:
        remedy = f"give the key of the certificate {stir.certificate}"
        raise SettingsError(f"stir.key: {stir.key}: {error}; {remedy}") from None
    origin = stir.origin
    return Signer(key, stir.certificate_url, new_origin=lambda: origin or str(uuid4()))


def authorities_of(stir: StirSection) -> Authorities | None:
    """Whose certificates are believed; None: nobody's. Raises SettingsError."""
    if not stir.authorities:
        return None
    try:
        return Authorities(_octets(stir.authorities, "authorities"))
    except ValueError:
        words = f"{stir.authorities}: {NO_CERTIFICATE}"
        raise SettingsError(f"stir.authorities: {words}") from None


def _octets(file: str, key: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        words = f"cannot be read: {error.strerror}; give a file that the server may read"
        raise SettingsError(f"stir.{key}: {file}: {words}") from None


class Stir:
    """Signer, verifier and the certificates behind it. `spawn` begins work beside the calls."""

    def __init__(
        self,
        settings: StirSection,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        now: Callable[[], float],
        dns: Sequence[tuple[str, int]] = (),
    ) -> None:
        """`now` gives monotonic seconds, `dns` are the servers to ask for names. Raises SettingsError."""
        self._spawn = spawn
        self._now = now
        self._budget = FetchBudget()
        self._fetcher: CertificateFetcher | None = None
        self._folder = Path(settings.certificates) if settings.certificates else None
        self._store: CertificateStore | None = None
        self.signer = signer_of(settings)
        self.verifier: Verifier | None = None
        authorities = authorities_of(settings)
        if authorities is not None:
            kept = _read_all(self._folder)
            self._store = CertificateStore(
                authorities, local=lambda x5u: kept.pop(_name(x5u), None), missing=self._missing
            )
            self.verifier = Verifier(
                self._store,
                max_age_s=settings.max_age_s,
                needs_number_authority=settings.require_number_authority,
            )
            if settings.fetch:
                self._fetcher = _fetcher(settings, dns)

    def _missing(self, x5u: str) -> None:
        """A call needed a certificate that is not at hand."""
        if self._fetcher is None:
            return
        host = urlsplit(x5u).hostname or ""
        if self._budget.begin(x5u, host, self._now()):
            self._spawn(self._find(self._fetcher, x5u, host))

    async def _find(self, fetcher: CertificateFetcher, x5u: str, host: str) -> None:
        try:
            pem = await fetcher.fetch(x5u)
            if pem is not None and self._store is not None and self._store.put(x5u, pem):
                await asyncio.to_thread(self._keep, x5u, pem)
        finally:
            self._budget.end(host)

    def _keep(self, x5u: str, pem: bytes) -> None:
        if self._folder is None:
            return
        path = self._folder / _name(x5u)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_bytes(pem)
            os.replace(part, path)
        except OSError as error:
            log.warning("the certificate at %s cannot be kept: %s", x5u, error)


def _fetcher(settings: StirSection, dns: Sequence[tuple[str, int]]) -> CertificateFetcher:
    # Not at the top: an HTTP client and the DNS come with it, and calls wait for a restart.
    from cti.certificate_fetch import CertificateFetcher

    inside = PeerNetworks(settings.fetch_inside)
    return CertificateFetcher(
        is_allowed=lambda address: is_outside(address) or inside.has(address), dns_servers=dns
    )


def _name(x5u: str) -> str:
    """The file in which the certificate of an address is kept."""
    return f"{sha256(x5u.encode()).hexdigest()}.pem"


def _read_all(folder: Path | None) -> dict[str, bytes]:
    """What an earlier process, or the operator, has put there."""
    if folder is None or not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.glob("*.pem"))[:_MOST_READ]:
        try:
            if path.stat().st_size <= LARGEST_PEM:
                found[path.name] = path.read_bytes()
        except OSError as error:
            log.warning("%s cannot be read: %s", path, error)
    return found
