"""The certificate that the server shows: given, or its own; taken anew when it changed."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cti.certificate_check import SIP_KEYS
from cti.settings import SipSection
from switch.transport.certificate_files import CertificateFileError, Part
from switch.transport.certificates import (
    CertificateFacts,
    CertificateFiles,
    facts_of,
    own_certificate,
)
from switch.transport.tls import TlsContexts

log = logging.getLogger(__name__)

_NAME: Final = re.compile(r"[0-9A-Za-z.:-]{1,253}")
FOLDER: Final = "tls"
"""Of the server's own, in the data folder."""
_OWN_KEYS: Final[Mapping[Part, str]] = {
    **SIP_KEYS,
    "certificate": "data.folder",
    "key": "data.folder",
}


class Certificates:
    """Keeps `TlsContexts` in line with the files. Does nothing where nobody listens over TLS."""

    def __init__(
        self, sip: SipSection, data: Path, contexts: TlsContexts, wall: Callable[[], float]
    ) -> None:
        self._sip = sip
        self._folder = data / FOLDER
        self._contexts = contexts
        self._wall = wall
        self._seen: tuple[object, ...] = ()
        """What the files looked like when they were read last."""
        self.facts: CertificateFacts | None = None
        """Of the certificate that is shown; None: none is."""

    @property
    def is_needed(self) -> bool:
        return bool(self._sip.tls_port or self._sip.wss_port)

    def load(self) -> None:
        """Read the certificate, or make one. Raises OSError, with the key of the configuration."""
        if not self.is_needed:
            return
        sip = self._sip
        keys = SIP_KEYS if sip.certificate else _OWN_KEYS
        try:
            files = self._files()
            seen = tuple(map(_look, (str(files.certificate), str(files.key), sip.client_ca)))
            self._contexts.use(files.certificate, files.key, sip.client_ca)
            facts = facts_of(files.certificate)
        except CertificateFileError as error:
            raise OSError(error.errno, f"{keys[error.part]}: {error.strerror}") from error
        except OSError as error:
            where = error.filename or self._folder
            words = f"{keys['certificate']}: {where}: {error.strerror or error}"
            raise OSError(error.errno, words) from error
        self.facts, self._seen = facts, seen

    def reload(self, *, is_asked: bool = True) -> bool:
        """Take what changed; False where it cannot be read: then the old one stays.

        Without `is_asked` files that look as before are not read.
        """
        if not self.is_needed:
            return True
        try:
            files = self._files()
            seen = tuple(map(_look, (str(files.certificate), str(files.key), self._sip.client_ca)))
            if not is_asked and seen == self._seen:
                return True
            self.load()
        except OSError as error:
            log.error("the certificate stays as it was: %s", error.strerror or error)
            return False
        assert self.facts is not None
        log.info("certificate for %s is shown from now on", ", ".join(self.facts.names))
        return True

    def _files(self) -> CertificateFiles:
        sip = self._sip
        if sip.certificate:
            return CertificateFiles(Path(sip.certificate), Path(sip.certificate_key))
        return own_certificate(self._folder, self._names(), self._wall())

    def _names(self) -> list[str]:
        """Whatever phones may have in their settings for us."""
        sip = self._sip
        names = {sip.host, *sip.more_hosts, *sip.domains, sip.advertise}
        return sorted(name for name in names if _NAME.fullmatch(name))


def _look(path: str) -> object:
    """What changes when a file does; None: there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
