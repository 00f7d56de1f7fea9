"""Whether the certificates, keys and authorities that a configuration names can be used: all of them.

One judgement for whoever asks: `config check`, the doctor, and the server before it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from cti.ranges import SettingsError
from cti.stir import authorities_of, signer_of
from switch.transport.certificate_files import (
    CertificateFileError,
    Part,
    check_authorities,
    check_own,
)

if TYPE_CHECKING:
    from cti.settings import Settings
    from cti.trunk_settings import TrunkSection

SIP_KEYS: Final[Mapping[Part, str]] = {
    "certificate": "sip.certificate",
    "key": "sip.certificate_key",
    "authorities": "sip.client_ca",
}
"""The keys of the configuration that name what is shown to who connects."""


def certificate_problems(settings: Settings) -> Iterator[str]:
    """Name every problem with its key and its files, and say what to do."""
    sip = settings.sip
    if sip.certificate and sip.certificate_key:
        yield from _told(SIP_KEYS, lambda: check_own(sip.certificate, sip.certificate_key))
    for key, file in (("sip.client_ca", sip.client_ca), ("sip.trusted_ca", sip.trusted_ca)):
        yield from _authorities(key, file)
    for index, trunk in enumerate(settings.trunks):
        yield from _trunk(f"trunks[{index}]", trunk)
    for look in (signer_of, authorities_of):
        try:
            look(settings.stir)
        except SettingsError as error:
            yield str(error)


def check_certificates(settings: Settings) -> None:
    """Raise SettingsError, a line for each problem."""
    if problems := list(certificate_problems(settings)):
        raise SettingsError("\n".join(problems))


def _trunk(key: str, trunk: TrunkSection) -> Iterator[str]:
    yield from _authorities(f"{key}.tls_ca", trunk.tls_ca)
    certificate = trunk.tls_certificate
    if certificate:
        keys: Mapping[Part, str] = {
            "certificate": f"{key}.tls_certificate",
            "key": f"{key}.tls_key" if trunk.tls_key else f"{key}.tls_certificate",
        }
        yield from _told(keys, lambda: check_own(certificate, trunk.tls_key or certificate))
    elif trunk.tls_key:
        yield f"{key}.tls_key: whose key is {trunk.tls_key}? Give tls_certificate"


def _authorities(key: str, file: str) -> Iterator[str]:
    if file:
        yield from _told({"authorities": key}, lambda: check_authorities(file))


def _told(keys: Mapping[Part, str], look: Callable[[], None]) -> Iterator[str]:
    try:
        look()
    except CertificateFileError as error:
        yield f"{keys[error.part]}: {error.strerror}"
