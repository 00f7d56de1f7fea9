"""Settings of the guard."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """Rates are messages a second; a burst of four seconds' worth is let through."""

    exempt: tuple[str, ...] = ()
    """Addresses and networks that are never banned: trunks, proxies of ours."""
    exempt_rate: float = 20_000.0
    """Datagrams from one of them, with a burst of one second: anybody can write its address on some."""
    stranger_rate: float = 50.0
    """From one address that has not proved a password."""
    known_rate: float = 1000.0
    """From one address that has: an office of phones, a proxy."""
    strangers_rate: float = 1000.0
    """From all strangers together: they may be many, and their addresses may be forged."""
    ban_after: int = 10
    """So many wrong passwords ban a stranger."""
    ban_s: float = 600.0
    """The first ban of a source; each further one is twice as long."""
    ban_max_s: float = 86_400.0
    leniency: float = 10.0
    """A known address may do so many times more wrong: one bad phone must not shut out its office."""
    forgiven_per_s: float = 0.1
    """Points that are taken off a source's score each second; 100 are a ban."""
    known_s: float = 7200.0
    """So long after a right password an address counts as known: the longest registration."""
    max_sources: int = 10_000
    """Addresses remembered; the ones that were seen first go first."""

    def __post_init__(self) -> None:
        """Refuse what could only fail later.

        Raises:
            ValueError: an entry of `exempt` is no address or network, or a number makes no sense.
        """
        for entry in self.exempt:
            try:
                ip_network(entry, strict=False)
            except ValueError:
                raise ValueError(f"exempt: {entry!r} is no IP address or network") from None
        for name in (
            "stranger_rate",
            "known_rate",
            "strangers_rate",
            "exempt_rate",
            "ban_s",
            "ban_after",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0")
