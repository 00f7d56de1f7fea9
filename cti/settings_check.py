"""What types cannot say of a configuration: names that must exist, things that must go together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from cti.park_settings import park_problems
from cti.ranges import SettingsError, expand, port_range, port_shares
from cti.trunk_check import trunk_problems
from switch.gateway.place import read_tcp

if TYPE_CHECKING:
    from cti.settings import Settings

HOST_PORT: Final = re.compile(r"^(?P<host>[0-9.]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})$")
"""An address and a port."""

_WATCH: Final = ("phones", "own", "nobody")
_HOST_NAME: Final = re.compile(r"[0-9A-Za-z.-]{1,253}")
_REALM: Final = re.compile(r'[^"\\\x00-\x1f\x7f]{1,128}')
_WITH_PORT: Final = re.compile(r"(\[[^\]]*\]|[^:]*):(\d{1,5})")
_ROLES: Final = ("agent", "supervisor", "administrator")


def problems_of(settings: Settings) -> Iterator[str]:
    """Name every problem with its key, and say what to do."""
    yield from _addresses(settings)
    yield from _exempt(settings)
    interval, least = settings.sip.session_interval_s, settings.sip.session_min_s
    if interval and interval < least:
        yield f"sip.session_interval_s: {interval} is below {least}; 0 turns session timers off"
    yield from _twice("queues", "name", (queue.name for queue in settings.queues))
    yield from _twice("trunks", "name", (trunk.name for trunk in settings.trunks))
    yield from _twice("trunk_groups", "name", (group.name for group in settings.trunk_groups))
    yield from _twice("dispositions", "code", (each.code for each in settings.dispositions))
    yield from _twice("entries", "number", (entry.number for entry in settings.entries))
    yield from _presence(settings)
    yield from _capture(settings.capture.hep)
    yield from _gateways(settings)
    queues = {queue.name for queue in settings.queues}
    phones = _Numbers("phones", "numbers")
    for index, phone in enumerate(settings.phones):
        yield from phones.take(index, phone.numbers)
        if not all(number.isascii() and number.isdigit() for number in phones.last[:1]):
            words = "is no number; phones have digits alone, as 1001"
            yield f"phones[{index}].numbers: {phone.numbers!r} {words}"
        if not (phone.password or phone.ha1_sha256 or phone.ha1_md5 or phone.binding):
            yield f"phones[{index}]: give a password, an ha1, or a binding"
        if (phone.ha1_sha256 or phone.ha1_md5) and len(phones.last) > 1:
            yield f"phones[{index}].numbers: an ha1 is that of one number; write a section for each"
    agents = _Numbers("agents", "numbers")
    for index, agent in enumerate(settings.agents):
        key = f"agents[{index}]"
        yield from (f"{key}.queues: no queue is named {q}" for q in agent.queues if q not in queues)
        yield from agents.take(index, agent.numbers)
        missing = [number for number in agents.last if number not in phones.all]
        if missing:
            yield f"{key}.numbers: there is no phone {missing[0]}; add it under [[phones]]"
    yield from _users(settings, agents.all)
    for index, entry in enumerate(settings.entries):
        key = f"entries[{index}]"
        if bool(entry.flow) == bool(entry.queue):
            yield f"{key}: give either a flow or a queue"
        if entry.queue and entry.queue not in queues:
            yield f"{key}.queue: no queue is named {entry.queue}"
    may_call = any(group.call_backs for group in settings.trunk_groups)
    if not (may_call or any(trunk.call_backs and trunk.proxy for trunk in settings.trunks)):
        words = "no trunk may be used for that; set call_backs = true on one with a proxy"
        yield from (
            f"queues[{index}].call_back_when_lost: {words}"
            for index, queue in enumerate(settings.queues)
            if queue.call_back_when_lost
        )
    yield from trunk_problems(settings)
    yield from park_problems(settings, phones.all)


class _Numbers:
    """The numbers, or logins, of all sections of a kind. Each may be there once."""

    def __init__(self, kind: str, field: str) -> None:
        self._kind = kind
        self._field = field
        self.all: set[str] = set()
        self.last: list[str] = []
        """Those of the section that was taken last."""

    def take(self, index: int, numbers: str) -> Iterator[str]:
        key = f"{self._kind}[{index}].{self._field}"
        self.last = []
        try:
            self.last = expand(numbers, key)
        except SettingsError as error:
            yield str(error)
        again = [number for number in self.last if number in self.all]
        if again:
            yield f"{key}: {again[0]} is there already; remove one of the two"
        self.all.update(self.last)


def _twice(kind: str, field: str, names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield f"{kind}[{index}].{field}: {name} is there already; remove one of the two"
        seen.add(name)


def _addresses(settings: Settings) -> Iterator[str]:
    sip, api, media = settings.sip, settings.api, settings.media
    yield from _told(lambda: port_range(media.ports, "media.ports"))
    hosts = [("sip.host", sip.host), *(("sip.more_hosts", host) for host in sip.more_hosts)]
    for key, address in (*hosts, ("media.address", media.address)):
        if address in ("0.0.0.0", "::"):
            yield f"{key}: {address} cannot be told to phones; give an address of this machine"
    taken: dict[tuple[str, int], str] = {}
    for key, host, port in (
        ("sip.port", sip.host, sip.port),
        ("sip.tls_port", sip.host, sip.tls_port),
        ("sip.ws_port", sip.host, sip.ws_port),
        ("sip.wss_port", sip.host, sip.wss_port),
        ("api.port", api.host, api.port),
    ):
        other = taken.setdefault((host, port), key)
        if port and other != key:
            yield f"{key}: {port} is that of {other} as well; choose another"
    yield from _reachable(settings)


def _reachable(settings: Settings) -> Iterator[str]:
    """What is told of ourselves, and by which certificate."""
    sip, media = settings.sip, settings.media
    for host in sip.more_hosts:
        yield from _told(lambda host=host: _address("sip.more_hosts", host))  # type: ignore[misc]
    if media.advertise:
        yield from _told(lambda: _address("media.advertise", media.advertise))
        if (":" in media.advertise) != (":" in media.address):
            yield "media.advertise: IPv4 and IPv6 do not go together; give one like media.address"
    if sip.advertise and not _HOST_NAME.fullmatch(sip.advertise):
        for _ in _told(lambda: _address("sip.advertise", sip.advertise)):  # IPv6
            words = "write an IP address or a domain name, without a port"
            yield f"sip.advertise: {sip.advertise!r}: {words}"
    if bool(sip.certificate) != bool(sip.certificate_key):
        yield "sip.certificate: give the certificate and its key (certificate_key), or neither"
    if not _REALM.fullmatch(sip.realm):
        words = "phones must prove their passwords in a realm; write a name without quotation marks"
        yield f"sip.realm: {words}"
    for server in sip.dns:
        yield from _told(lambda server=server: dns_server(server))  # type: ignore[misc]


def dns_server(text: str) -> tuple[str, int]:
    """Address and port of `192.0.2.1`, `192.0.2.1:53`, `::1` or `[::1]:53`. Raises SettingsError."""
    host, port = text, 53
    if (found := _WITH_PORT.fullmatch(text)) is not None:
        host, port = found[1].strip("[]"), int(found[2])
    _address("sip.dns", host)
    return host, port


def _address(key: str, text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        raise SettingsError(f"{key}: {text!r} is no IP address") from None


def _exempt(settings: Settings) -> Iterator[str]:
    for key, addresses in (
        ("limits.exempt", settings.limits.exempt),
        ("api.proxies", settings.api.proxies),
        ("sip.proxies", settings.sip.proxies),
        ("sip.local_networks", settings.sip.local_networks),
        ("stir.fetch_inside", settings.stir.fetch_inside),
    ):
        for address in addresses:
            try:
                ip_network(address, strict=False)
            except ValueError:
                yield f"{key}: {address!r} is no IP address or network"
    if settings.limits.ban_max_s < settings.limits.ban_s:
        yield "limits.ban_max_s: the longest ban is shorter than the first (limits.ban_s)"


def _capture(hep: str) -> Iterator[str]:
    found = HOST_PORT.match(hep)
    if hep and found is None:
        yield f"capture.hep: write address:port, as 127.0.0.1:9060, not {hep!r}"
    elif found is not None:
        try:
            ip_address(found["host"].strip("[]"))
        except ValueError:
            yield f"capture.hep: {found['host']!r} is no IP address"
        if not 0 < int(found["port"]) <= 65535:
            yield f"capture.hep: {found['port']} is no port"


def _gateways(settings: Settings) -> Iterator[str]:
    media = settings.media
    if not media.gateways and not settings.gateways:
        yield "media.gateways: 0 leaves nobody to move sound; add [[gateways]], or take 1"
    count = media.gateways if isinstance(media.gateways, int) else 1
    if count > 1:
        yield from _told(lambda: port_shares(*port_range(media.ports, "media.ports"), count))
    yield from _twice("gateways", "name", (each.name for each in settings.gateways))
    places: list[tuple[str, int]] = []
    for index, each in enumerate(settings.gateways):
        if each.name.startswith("local-"):
            yield f"gateways[{index}].name: {each.name} is a name of those on this machine"
        try:
            place = read_tcp(each.address)
        except ValueError as error:
            yield f"gateways[{index}].address: {error}"
            continue
        if place in places:
            yield f"gateways[{index}].address: {each.address} is there already; remove one of the two"
        places.append(place)


def _presence(settings: Settings) -> Iterator[str]:
    watch = settings.presence.watch
    if watch not in _WATCH:
        yield f"presence.watch: {watch!r} is not phones, own or nobody"
    for numbers in settings.presence.see_numbers:
        yield from _told(lambda numbers=numbers: expand(numbers, "presence.see_numbers"))  # type: ignore[misc]


def _told(look: Callable[[], object]) -> Iterator[str]:
    try:
        look()
    except SettingsError as error:
        yield str(error)


def _users(settings: Settings, agents: set[str]) -> Iterator[str]:
    logins = _Numbers("users", "logins")
    for index, user in enumerate(settings.users):
        key = f"users[{index}]"
        yield from logins.take(index, user.logins)
        if user.role not in _ROLES:
            yield f"{key}.role: {user.role!r} is not agent, supervisor or administrator"
        if not (user.password or user.password_hash):
            yield f"{key}: give a password_hash (`switchroom users hash` makes one)"
        elif not user.password and not user.password_hash.startswith("$argon2"):
            yield f"{key}.password_hash: no argon2 hash; `switchroom users hash` makes one"
        if user.role == "agent" and not user.agent:
            yield f'{key}.agent: whose desk is it? Write agent = "{{login}}" or a number'
        named = [user.agent.replace("{login}", login) for login in logins.last if user.agent]
        unknown = [number for number in named if number not in agents]
        if unknown:
            yield f"{key}.agent: there is no agent {unknown[0]}; add it under [[agents]]"
