"""Settings of trunks, phones and the number plan, as the configuration files give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from switch.sip.flow import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkSettings:
    """One trunk: a peer that brings calls in by its address, takes calls out, or both."""

    name: str
    match: tuple[str, ...] = ()
    """Addresses or networks (`127.0.0.1`, `192.0.2.0/24`) whose INVITEs come in on this trunk."""
    proxy_host: str | None = None
    """IP address where calls go out; None: this trunk takes no calls out."""
    proxy_port: int = 5060
    transport: Transport = Transport.UDP
    callers: frozenset[str] = frozenset()
    """Phones that may call out through this trunk. Nobody else may."""
    max_calls: int = 0
    """Legs in both directions together that may live at the same time; 0: no limit of its own."""
    call_backs: bool = False
    """True lets the product itself call customers back whom it cut off."""
    inbound_phones: bool = False
    """True lets callers of this trunk dial phone extensions; otherwise they reach entries only."""
    trusts_identity: bool = False
    """True: its P-Asserted-Identity or Remote-Party-ID says who calls (RFC 3325)."""

    def __post_init__(self) -> None:
        """Refuse what could only fail later, in the middle of a call.

        Raises:
            ValueError: an address in `match` or `proxy_host` is none, or a limit makes no sense.
        """
        for entry in self.match:
            try:
                ip_network(entry)
            except ValueError as error:
                raise ValueError(f"trunk {self.name!r}: match entry {entry!r}: {error}") from None
        if self.proxy_host is not None:
            try:
                ip_address(self.proxy_host)
            except ValueError:
                # A name would have to be looked up while calls wait.
                raise ValueError(
                    f"trunk {self.name!r}: proxy {self.proxy_host!r} is no IP address; write one"
                ) from None
        if self.max_calls < 0:
            raise ValueError(f"trunk {self.name!r}: max_calls is {self.max_calls}, below 0")
        if not 0 < self.proxy_port < 65536:
            raise ValueError(f"trunk {self.name!r}: proxy_port {self.proxy_port} is no port")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySettings:
    """Numbers that lead to one entry of the application: a flow, a queue, an announcement."""

    name: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneRange:
    """Extensions of phones from `first` to `last`, both included, of equal length."""

    first: str
    last: str
    callers_from_trunks: bool = True
    """False keeps these phones from callers of trunks even where `inbound_phones` is set."""

    def __post_init__(self) -> None:
        """Refuse a range that is none.

        Raises:
            ValueError: the ends are no numbers of equal length in ascending order.
        """
        ends = self.first + self.last
        if not (ends.isascii() and ends.isdigit()):
            raise ValueError(f"phone range {self.first!r} to {self.last!r}: only digits may stand")
        if len(self.first) != len(self.last) or self.first > self.last:
            raise ValueError(f"phone range {self.first} to {self.last}: ends do not ascend")

    def __contains__(self, number: str) -> bool:
        """Tell whether `number`, normalised, lies in the range."""
        if len(number) != len(self.first) or not (number.isascii() and number.isdigit()):
            return False
        return self.first <= number <= self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSettings:
    """Numbers that leave through a trunk: those with a prefix, and those of a length."""

    trunk: str
    prefixes: tuple[str, ...] = ()
    min_digits: int | None = None
    """Numbers of digits alone, at least this many, take the route whatever their prefix."""

    def takes(self, number: str) -> bool:
        """Tell whether `number`, normalised, leaves by this route; names never do."""
        digits = number.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            return False
        if self.prefixes and number.startswith(self.prefixes):
            return True
        return self.min_digits is not None and digits == number and len(digits) >= self.min_digits


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPlanSettings:
    """Where every number leads. Looked at in this order: entries, phones, routes."""

    entries: tuple[EntrySettings, ...] = ()
    phones: tuple[PhoneRange, ...] = ()
    routes: tuple[RouteSettings, ...] = ()
    trunks: Mapping[str, TrunkSettings] = field(default_factory=dict)
