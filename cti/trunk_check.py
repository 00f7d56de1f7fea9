"""Contradictions in the sections about carriers, each with its key and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from cti.ranges import SettingsError, expand
from switch.sdp.codecs import KNOWN, WRITTEN
from switch.sip.flow import Transport
from switch.trunks.emergency import emergency_numbers_of
from switch.trunks.number_format import is_region
from switch.trunks.targets import Server

if TYPE_CHECKING:
    from cti.settings import Settings
    from cti.trunk_settings import TrunkGroupSection, TrunkSection

_TLS: Final = ("tls_ca", "tls_pins", "tls_certificate", "tls_key")
"""What a connection to a server is made with."""
_FOR_CALLS_OUT: Final = (
    "call_backs",
    "campaigns",
    "sign",
    "probe_s",
    "callers",
    "prefixes",
    "least_digits",
    "rates",
)


def trunk_problems(settings: Settings) -> Iterator[str]:
    """Name every problem of trunks, groups, numbering, emergency calls and signatures."""
    names = {trunk.name for trunk in settings.trunks}
    out = {trunk.name for trunk in settings.trunks if trunk.proxy}
    for index, trunk in enumerate(settings.trunks):
        yield from _trunk(f"trunks[{index}]", trunk)
        yield from _signing(f"trunks[{index}]", trunk, settings)
    yield from _users(settings)
    yield from _one_server(settings.trunks)
    for index, group in enumerate(settings.trunk_groups):
        yield from _group(f"trunk_groups[{index}]", group, names, out)
    yield from _emergency(settings, out | {group.name for group in settings.trunk_groups})
    if settings.stir.key and not settings.stir.certificate_url.startswith("https://"):
        yield "stir.certificate_url: others must find our certificate; give an https:// address"
    if bool(settings.stir.key) != bool(settings.stir.certificate):
        yield "stir: a key and its certificate belong together; give both or none"


def _trunk(key: str, trunk: TrunkSection) -> Iterator[str]:
    comes_in = trunk.from_addresses or trunk.certificates or trunk.inbound_username
    if not (comes_in or trunk.proxy or trunk.registrars):
        yield f"{key}: give from_addresses (calls in), a proxy (calls out), or both"
    for what in _FOR_CALLS_OUT:
        if getattr(trunk, what) and not trunk.proxy:
            yield f"{key}.{what}: nobody can be called through a trunk without a proxy"
    for address in trunk.from_addresses:
        yield from _told(
            lambda address=address: ip_network(address),  # type: ignore[misc]
            f"{key}.from_addresses: {address!r} is no IP address or network",
        )
    for callers in trunk.callers:
        yield from _told(lambda callers=callers: expand(callers, f"{key}.callers"))  # type: ignore[misc]
    for phones in trunk.callers_shown:
        yield from _told(
            lambda phones=phones: expand(phones, f"{key}.callers_shown")  # type: ignore[misc]
        )
    servers = [("proxy", trunk.proxy)] if trunk.proxy else []
    for field, text in (*servers, *(("registrars", each) for each in trunk.registrars)):
        yield from _server(f"{key}.{field}", text)
    if trunk.registrars and not trunk.username:
        yield f"{key}.username: who registers? Give username and a password"
    yield from _password(key, trunk, "username", ("password", "password_file", "password_env"))
    inbound = ("inbound_password", "inbound_password_file", "inbound_password_env")
    yield from _password(key, trunk, "inbound_username", inbound)
    if trunk.region and not is_region(trunk.region):
        yield f"{key}.region: no country {trunk.region!r} is known; write its ISO 3166 code, as US"
    if trunk.caller_header == "account" and not trunk.username:
        yield f"{key}.caller_header: there is no account without a username"
    if not trunk.pass_foreign and not (trunk.caller and trunk.numbers):
        yield f"{key}.pass_foreign: give `numbers` that may be shown, and `caller` for the others"
    unknown = [name for name in trunk.codecs if name.upper() not in KNOWN]
    if unknown:
        yield f"{key}.codecs: {unknown[0]!r} is not one of {', '.join(WRITTEN)}"


def _server(key: str, text: str) -> Iterator[str]:
    try:
        server = Server.parse(text)
    except ValueError as error:
        yield f"{key}: {error}"
        return
    is_like_an_address = server.host.replace(".", "").isdigit()
    if not server.is_address and (is_like_an_address or "." not in server.host):
        yield f"{key}: {server.host!r} is no IP address and no domain name"


def _password(
    key: str, trunk: TrunkSection, username: str, places: tuple[str, ...]
) -> Iterator[str]:
    given = [name for name in places if getattr(trunk, name)]
    if getattr(trunk, username) and len(given) != 1:
        words = "give one of " + ", ".join(places)
        yield f"{key}.{username}: {words}; there are {len(given)} of them"
    elif given and not getattr(trunk, username):
        yield f"{key}.{given[0]}: whose is the password? Give {username}"


def _users(settings: Settings) -> Iterator[str]:
    """Names that callers prove must tell trunks from each other, and from phones."""
    phones: set[str] = set()
    for phone in settings.phones:
        phones |= _either(phone.numbers)
    seen: dict[str, str] = {}
    for index, trunk in enumerate(settings.trunks):
        key, user = f"trunks[{index}].inbound_username", trunk.inbound_username
        if not user:
            continue
        if user in phones:
            yield f"{key}: {user} is a phone; the carrier could call as it: choose another name"
        elif seen.setdefault(user, trunk.name) != trunk.name:
            yield f"{key}: {user} is that of trunk {seen[user]} as well; choose another"


def _one_server(trunks: Sequence[TrunkSection]) -> Iterator[str]:
    """Connections are known by where they go: to one server all trunks connect in one way."""
    seen: dict[tuple[str, int], tuple[str, TrunkSection]] = {}
    for index, trunk in enumerate(trunks):
        for place in dict.fromkeys(_tls_places(trunk)):
            other, first = seen.setdefault(place, (trunk.name, trunk))
            field = next((n for n in _TLS if getattr(first, n) != getattr(trunk, n)), None)
            if field is not None:
                where = f"trunk {other} connects to {place[0]} as well, with another one"
                yield f"trunks[{index}].{field}: {where}; give both the same"


def _tls_places(trunk: TrunkSection) -> Iterator[tuple[str, int]]:
    """Where a trunk may connect to over TLS: a name without a transport is looked up, and may say so."""
    for text in (trunk.proxy, *trunk.registrars):
        try:
            server = Server.parse(text)
        except ValueError:
            continue
        if server.transport is Transport.TLS or (
            server.transport is None and not server.is_address
        ):
            yield server.host, server.port or Transport.TLS.default_port


def _group(key: str, group: TrunkGroupSection, names: set[str], out: set[str]) -> Iterator[str]:
    if group.name in names:
        yield f"{key}.name: there is a trunk {group.name}; numbers could not tell the two apart"
    if not group.members:
        yield f"{key}.members: a group without trunks takes no calls; name some"
    seen: set[str] = set()
    for member in group.members:
        if member.trunk not in names:
            yield f"{key}.members: no trunk is named {member.trunk}"
        elif member.trunk not in out:
            yield f"{key}.members: trunk {member.trunk} has no proxy, so nobody can be called there"
        if member.trunk in seen:
            yield f"{key}.members: {member.trunk} is there already; remove one of the two"
        seen.add(member.trunk)
    for callers in group.callers:
        yield from _told(lambda callers=callers: expand(callers, f"{key}.callers"))  # type: ignore[misc]


def _emergency(settings: Settings, ways: set[str]) -> Iterator[str]:
    section = settings.emergency
    if not section.trunk:
        if section.numbers or section.caller or section.locations:
            yield "emergency.trunk: where do emergency calls go? Name a trunk or group"
        return
    if section.trunk not in ways:
        yield f"emergency.trunk: no trunk with a proxy and no group is named {section.trunk}"
    numbers = set(section.numbers) or emergency_numbers_of(settings.site.region)
    if not numbers:
        yield f"emergency.numbers: none are known of {settings.site.region}; write them"
    for index, entry in enumerate(settings.entries):
        if entry.number in numbers:
            yield f"entries[{index}].number: {entry.number} is an emergency number; choose another"
    for index, phone in enumerate(settings.phones):
        taken = _either(phone.numbers) & numbers
        if taken:
            yield f"phones[{index}].numbers: {min(taken)} is an emergency number; leave it out"
    taken = _either(settings.park.slots) & numbers
    if taken:
        yield f"park.slots: {min(taken)} is an emergency number; leave it out"
    for index, table in enumerate(section.locations):
        key = f"emergency.locations[{index}].phones"
        yield from _told(lambda key=key, text=table.phones: expand(text, key))  # type: ignore[misc]


def _either(numbers: str) -> set[str]:
    try:
        return set(expand(numbers, ""))
    except SettingsError:
        return set()


def _signing(key: str, trunk: TrunkSection, settings: Settings) -> Iterator[str]:
    if trunk.sign and not settings.stir.key:
        yield f"{key}.sign: there is nothing to sign with; give stir.key"
    if trunk.verify != "off" and not settings.stir.authorities:
        yield f"{key}.verify: whom shall we believe? Give stir.authorities"


def _told(look: Callable[[], object], words: str = "") -> Iterator[str]:
    try:
        look()
    except SettingsError as error:
        yield str(error)
    except ValueError:
        yield words
