"""Which servers of carriers share an address over TLS: pure.

A connection is known by where it goes, and the address of a name is the DNS's to say: two names may come to
one address at any time. Who is configured first has it. Others may share it where they connect by the same
means; then the certificate there must name them all. Where the means differ they must do without it, and
so must those that it was found not to name: whom the DNS brings here takes nothing from who was here first.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from msgspec import Struct

from switch.transport.tls import TlsPeer
from switch.trunks.targets import Server

Place = tuple[str, int]
"""Address and port."""
Claim = tuple[Server, TlsPeer, Sequence[Place]]
"""A server, how it is connected to, and the places where it is at present."""


class TlsPlaces(Struct, frozen=True):
    """Who is where."""

    peers: dict[Place, tuple[TlsPeer, tuple[str, ...]]]
    """How a place is connected to, and the names that must stand in its certificate beside the peer's."""
    taken: dict[tuple[Server, Place], Server]
    """What a server must do without, and who has it."""


def places_of(
    claims: Iterable[Claim], unnamed: Container[tuple[str, Place]] = frozenset()
) -> TlsPlaces:
    """Settle who is where; `claims` in the order of the configuration.

    `unnamed` are names that did not stand in the certificate that somebody else's server showed at a place.
    """
    first: dict[Place, tuple[Server, TlsPeer]] = {}
    names: dict[Place, dict[str, None]] = {}
    taken = {}
    for server, peer, places in claims:
        for place in places:
            owner, its = first.setdefault(place, (server, peer))
            is_named = (
                peer.server_name == its.server_name or (peer.server_name, place) not in unnamed
            )
            if is_named and _means(its) == _means(peer):
                names.setdefault(place, {})[peer.server_name] = None
            else:
                taken[server, place] = owner
    peers = {
        place: (peer, tuple(name for name in names[place] if name != peer.server_name))
        for place, (_, peer) in first.items()
    }
    return TlsPlaces(peers, taken)


def _means(peer: TlsPeer) -> tuple[object, ...]:
    return peer.ca_file, peer.pins, peer.certificate, peer.key
