"""One source: an IPv4 address or an IPv6 network of 64 bits, and what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from switch.guard.offences import Offence


class Source:
    """What the guard remembers of one source. Times are monotonic seconds."""

    __slots__ = (
        "banned_since",
        "banned_until",
        "bans",
        "datagrams",
        "datagrams_due",
        "dropped",
        "due",
        "is_exempt",
        "key",
        "known_until",
        "reason",
        "score",
        "scored_at",
    )

    def __init__(self, key: str, is_exempt: bool, now: float) -> None:
        self.key = key
        self.is_exempt = is_exempt
        self.due = now
        """When the source has used up no more than its rate; ahead of now by its present burst."""
        self.datagrams_due = now
        """The same of what comes over UDP, whoever sent it."""
        self.datagrams: Source | None = None
        """What came in datagrams with this sender, and may be the work of others; None: nothing yet."""
        self.score = 0.0
        """Points of its offences, as of `scored_at`."""
        self.scored_at = now
        self.known_until = 0.0
        """It has proved a password; until then it is no stranger."""
        self.banned_since = 0.0
        self.banned_until = 0.0
        self.bans = 0
        self.reason = Offence.FLOOD
        """Of the last ban."""
        self.dropped = 0
        """Messages and connections turned away during the present ban."""

    def leak(self, now: float, per_s: float) -> float:
        """The score as of now."""
        self.score = max(0.0, self.score - (now - self.scored_at) * per_s)
        self.scored_at = now
        return self.score

    def is_banned(self, now: float) -> bool:
        """Whether it is shut out, or what has its name on it."""
        return self.banned_until > now or (
            self.datagrams is not None and self.datagrams.banned_until > now
        )


DATAGRAMS = "/udp"
"""Ends the name of the source of all datagrams with one sender, which may be the work of others."""


@lru_cache(maxsize=8192)
def key_of(host: str) -> str:
    """What a host counts as: itself, or the /64 that one IPv6 subscriber has at least.

    An IPv4 address in IPv6 clothes counts as the IPv4 address. What is no address counts as itself.
    """
    if ":" not in host:
        return host
    try:
        address = ip_address(host.partition("%")[0].strip("[]"))
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


class Exempt:
    """Addresses and networks that are exempt, found fast where they are single addresses."""

    def __init__(self, entries: Iterable[str]) -> None:
        networks = [ip_network(entry, strict=False) for entry in entries]
        self._hosts = {str(each.network_address) for each in networks if each.num_addresses == 1}
        self._networks: list[IPv4Network | IPv6Network] = [
            each for each in networks if each.num_addresses > 1
        ]

    def __contains__(self, host: str) -> bool:
        plain = host.partition("%")[0].strip("[]")
        if plain in self._hosts:
            return True
        try:
            address = ip_address(plain)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            return str(address.ipv4_mapped) in self
        return str(address) in self._hosts or any(address in each for each in self._networks)
