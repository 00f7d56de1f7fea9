"""Which servers stand behind a name (RFC 3263 section 4, RFC 2782, RFC 7984).

Pure: whoever drives it asks the DNS.

NAPTR ─► SRV ─► A and AAAA        no port and no transport are given
         SRV ─► A and AAAA        a transport is given, or there is no NAPTR
                A and AAAA        a port is given, or there is no SRV
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from enum import StrEnum
from ipaddress import ip_address
from typing import Final

from msgspec import Struct

from switch.sip.flow import Transport


class Wanted(Struct, frozen=True):
    """What a trunk names: a host, and perhaps a port and a transport."""

    host: str
    """Domain name, or an address (IPv6 with or without brackets)."""
    port: int | None = None
    transport: Transport | None = None
    """UDP, TCP or TLS; None: what the DNS says, else UDP."""
    secure: bool = False
    """A `sips:` URI: TLS and nothing else."""


class Target(Struct, frozen=True):
    """One address to try."""

    transport: Transport
    address: tuple[str, int]


class RecordType(StrEnum):
    """What is asked for."""

    NAPTR = "NAPTR"
    SRV = "SRV"
    A = "A"
    AAAA = "AAAA"


class Question(Struct, frozen=True):
    """One question to the DNS."""

    name: str
    type: RecordType


class Naptr(Struct, frozen=True):
    """What matters of a NAPTR record (RFC 3403)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Srv(Struct, frozen=True):
    """An SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


Record = Naptr | Srv | str
"""A and AAAA: the address."""
Answer = Sequence[Record]
"""Empty: there is nothing of that type."""


class Entry(Struct, frozen=True):
    """A server among those of equal rank."""

    rank: int
    """Lower ones are tried before; those of the same share what comes by their weight."""
    weight: int
    transport: Transport
    addresses: tuple[str, ...]
    port: int


_SERVICES: Final = {
    "SIP+D2U": Transport.UDP,
    "SIP+D2T": Transport.TCP,
    "SIPS+D2T": Transport.TLS,
}
_SRV_NAMES: Final = {
    Transport.UDP: "_sip._udp.",
    Transport.TCP: "_sip._tcp.",
    Transport.TLS: "_sips._tcp.",
}
_MOST_SERVERS: Final = 20
"""Asked for addresses of one name; the others are left out."""

Steps = Generator[Question, Answer, tuple[Entry, ...]]


def locate(wanted: Wanted, *, ipv6: bool) -> Steps:
    """Ask what has to be asked, and give the servers; `ipv6`: whether we can reach such addresses."""
    host = wanted.host.strip("[]").rstrip(".").lower()
    transport = Transport.TLS if wanted.secure else wanted.transport
    if _is_address(host):
        return (_plain(wanted, transport, (host,)),)
    if wanted.port is not None:
        return _some(_plain(wanted, transport, (yield from _addresses(host, ipv6))))
    services = yield from _services(host, transport)
    entries: list[Entry] = []
    rank = 0
    has_srv = False
    for kind, name in services[:_MOST_SERVERS]:
        found = [r for r in (yield Question(name, RecordType.SRV)) if isinstance(r, Srv)]
        has_srv |= bool(found)
        for priority in sorted({record.priority for record in found}):
            for record in found:
                if record.priority == priority and len(entries) < _MOST_SERVERS:
                    addresses = yield from _addresses(record.target.rstrip("."), ipv6)
                    if addresses:
                        entries.append(Entry(rank, record.weight, kind, addresses, record.port))
            rank += 1
    if has_srv:  # servers that are named and have no address, or ".", are no leave to try others
        return tuple(entries)
    # By the transport that the DNS prefers: one that says TLS alone must not be asked over UDP.
    return _some(_plain(wanted, services[0][0], (yield from _addresses(host, ipv6))))


def in_order(entries: Iterable[Entry], chance: Callable[[], float]) -> list[Target]:
    """The addresses to try, one after the other; `chance` is uniform in [0, 1) (RFC 2782).

    Of servers with the same rank each is first as often as its weight says.
    """
    ranks: dict[int, list[Entry]] = {}
    for entry in entries:
        ranks.setdefault(entry.rank, []).append(entry)
    targets = []
    for _, left in sorted(ranks.items()):
        left.sort(key=lambda each: each.weight)  # those without weight have a small chance
        while left:
            point = chance() * (sum(each.weight for each in left) or len(left))
            entry = left.pop(_at(left, point))
            targets += [Target(entry.transport, (a, entry.port)) for a in entry.addresses]
    return list(dict.fromkeys(targets))


def _at(entries: Sequence[Entry], point: float) -> int:
    is_weighted = any(each.weight for each in entries)
    for index, entry in enumerate(entries):
        point -= entry.weight if is_weighted else 1
        if point < 0:
            return index
    return len(entries) - 1


def _services(
    host: str, transport: Transport | None
) -> Generator[Question, Answer, list[tuple[Transport, str]]]:
    """The names to ask SRV for, best first."""
    if transport is not None:
        return [(transport, _SRV_NAMES[transport] + host)]
    records = [r for r in (yield Question(host, RecordType.NAPTR)) if isinstance(r, Naptr)]
    usable = [
        (record.order, record.preference, _SERVICES[record.service.upper()], record.replacement)
        for record in records
        if record.service.upper() in _SERVICES and record.flags.lower() == "s"
    ]
    if usable:
        usable.sort()
        best = usable[0][0]
        return [(kind, name.rstrip(".")) for order, _, kind, name in usable if order == best]
    return [(kind, prefix + host) for kind, prefix in _SRV_NAMES.items()]


def _addresses(host: str, ipv6: bool) -> Generator[Question, Answer, tuple[str, ...]]:
    """Those of a name; IPv6 before IPv4 where we have it (RFC 6724)."""
    if _is_address(host) or not host:  # an SRV target of "." says that there is no service
        return (host,) if host else ()
    types = (RecordType.AAAA, RecordType.A) if ipv6 else (RecordType.A,)
    found: list[str] = []
    for type_ in types:
        found += [each for each in (yield Question(host, type_)) if isinstance(each, str)]
    return tuple(found)


def _plain(wanted: Wanted, transport: Transport | None, addresses: tuple[str, ...]) -> Entry:
    """The host itself, at the port that is given or the usual one."""
    kind = transport or Transport.UDP
    return Entry(0, 0, kind, addresses, wanted.port or kind.default_port)


def _some(entry: Entry) -> tuple[Entry, ...]:
    return (entry,) if entry.addresses else ()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
