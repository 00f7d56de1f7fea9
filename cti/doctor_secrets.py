"""What the doctor says of passwords: who could read them, and to whom they are proved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cti.doctor_findings import Finding, Severity
from cti.settings import Settings, SipSection
from cti.trunk_settings import TrunkSection
from switch.sip.flow import Transport
from switch.trunks.targets import Server

_MOST_NAMED: Final = 5


def examine_secrets(settings: Settings) -> Iterator[Finding]:
    """Findings about passwords of people, phones and trunks; none where all is well."""
    yield from _in_clear(settings)
    yield from _of_another_realm(settings)
    asked = [trunk.name for trunk in settings.trunks if _answers_anybody(trunk)]
    if asked:
        yield Finding(
            Severity.WARNING,
            f"trunks {_some(asked)} answer challenges of any realm, over connections that prove nobody",
            "Give `realm` as the carrier names it: who comes between could try passwords on the answer.",
        )


def _in_clear(settings: Settings) -> Iterator[Finding]:
    open_hosts = [h for h in (settings.sip.host, settings.api.host) if not h.startswith("127.")]
    users = [user.logins for user in settings.users if user.password]
    phones = [phone.numbers for phone in settings.phones if phone.password]
    found = [
        f"{kind} {_some(names)}" for kind, names in (("users", users), ("phones", phones)) if names
    ]
    if found and open_hosts:
        yield Finding(
            Severity.WARNING,
            f"passwords stand in clear in the configuration ({'; '.join(found)})",
            "Use password_hash and ha1_*: `switchroom users hash`, `switchroom users ha1`.",
        )


def _of_another_realm(settings: Settings) -> Iterator[Finding]:
    """A digest holds for one realm; nobody can see of which one it is."""
    phones = [each.numbers for each in settings.phones if each.ha1_sha256 or each.ha1_md5]
    realm = settings.sip.realm
    if phones and realm == SipSection().realm:
        yield Finding(
            Severity.WARNING,
            f"phones {_some(phones)} have an ha1, and sip.realm is not given: it must be of"
            f" {realm!r}, or they cannot register",
            f"Give sip.realm, and make the ha1 with `switchroom users ha1 NUMBER --realm {realm}`.",
        )


def _answers_anybody(trunk: TrunkSection) -> bool:
    return bool(trunk.username and not trunk.realm) and any(
        not _proves_itself(server) for server in (trunk.proxy, *trunk.registrars) if server
    )


def _proves_itself(text: str) -> bool:
    try:
        return Server.parse(text).transport is Transport.TLS
    except ValueError:
        return True  # told elsewhere


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
