"""Settings of trunks, phones and the number plan, as the configuration files give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_network
from typing import Final

from switch.sdp.transport import SrtpPolicy
from switch.sip.flow import Transport
from switch.trunks.credentials import TrunkCredentials
from switch.trunks.emergency import EmergencySettings
from switch.trunks.groups import GroupSettings
from switch.trunks.health import HealthSettings
from switch.trunks.identity import PLAIN, CallerPolicy
from switch.trunks.number_format import NumberFormat
from switch.trunks.rates import RateTable
from switch.trunks.targets import Server
from switch.trunks.translation import Rule

_HOST: Final = re.compile(r"[0-9A-Za-z:._-]{1,253}")


class Verification(StrEnum):
    """What becomes of a caller's number whose signature is missing or wrong (RFC 8224)."""

    OFF = "off"
    """Signatures are not looked at."""
    TAG = "tag"
    """The call goes on and says how it was found."""
    REJECT = "reject"
    """The call is refused."""


class DtmfMode(StrEnum):
    """How digits travel on a trunk."""

    RFC4733 = "rfc4733"
    INFO = "info"
    IN_BAND = "inband"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkTls:
    """Files (PEM) for connections that we make to the servers of a trunk; empty: none."""

    authorities: str = ""
    """Who may have signed their certificates; empty: whom this system trusts."""
    pins: tuple[str, ...] = ()
    """SHA-256 of their certificates, 64 hex digits; where there are any, one of them it must be."""
    certificate: str = ""
    """Ours, with its chain, where they ask for one."""
    key: str = ""
    """Its key; empty: it is in `certificate`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationSettings:
    """That we register at a carrier."""

    registrars: tuple[Server, ...]
    """At each of them; they know nothing of each other."""
    expires_s: int = 600
    """What we ask for."""
    domain: str = ""
    """Host of the address of record; empty: the registrar's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkSettings:
    """One trunk: a peer that brings calls in, takes calls out, or both."""

    name: str
    match: tuple[str, ...] = ()
    """Addresses or networks (`127.0.0.1`, `192.0.2.0/24`) whose INVITEs come in on this trunk."""
    certificates: tuple[str, ...] = ()
    """Names in the client certificate of connections whose INVITEs come in on this trunk."""
    inbound_credentials: TrunkCredentials | None = None
    """What INVITEs on this trunk must prove (digest); None: address or certificate are enough."""
    proxy_host: str | None = None
    """Address or name where calls go out; None: this trunk takes no calls out."""
    proxy_port: int | None = None
    """None: looked up for a name, the transport's own for an address."""
    transport: Transport | None = None
    """None: looked up for a name, UDP for an address."""
    tls: TrunkTls = field(default_factory=TrunkTls)
    credentials: TrunkCredentials | None = None
    """What we prove to the carrier."""
    registration: RegistrationSettings | None = None
    callers: frozenset[str] = frozenset()
    """Phones that may call out through this trunk. Nobody else may."""
    max_calls: int = 0
    """Legs in both directions together that may live at the same time; 0: no limit of its own."""
    max_calls_per_second: int = 0
    """Calls begun in any second, in both directions together; 0: no limit of its own."""
    call_backs: bool = False
    """True lets the product itself call customers back whom it cut off."""
    campaigns: bool = False
    """True lets the product itself call the people on the lists of its campaigns."""
    inbound_phones: bool = False
    """True lets callers of this trunk dial phone extensions; otherwise they reach entries only."""
    trusts_identity: bool = False
    """True: its P-Asserted-Identity or Remote-Party-ID says who calls (RFC 3325)."""
    late_offer: bool = False
    """INVITEs to it carry no SDP: the carrier offers with its 2xx."""
    redirects_out: bool = False
    """A 3xx of its may lead to numbers outside that the caller may dial; otherwise to phones only."""
    health: HealthSettings = field(default_factory=HealthSettings)
    silence_s: float = 5.0
    """Without any answer, 100 included, for so long, the next address or trunk is tried."""
    failover_statuses: frozenset[int] = frozenset()
    """Final statuses that lead on to the next trunk beside those that always do."""
    region: str = "US"
    """Country in which its national numbers are read."""
    number_format: NumberFormat = NumberFormat.AS_DIALLED
    rules_out: tuple[Rule, ...] = ()
    """For called numbers, after the format."""
    rules_in: tuple[Rule, ...] = ()
    """For called numbers of calls that come in, before anything else."""
    caller_rules_in: tuple[Rule, ...] = ()
    """The same for the numbers of callers."""
    caller: CallerPolicy = PLAIN
    rates: RateTable | None = None
    codecs: tuple[str, ...] = ()
    """Names in order of preference; empty: all that we have."""
    dtmf: DtmfMode = DtmfMode.RFC4733
    srtp: SrtpPolicy = SrtpPolicy.ACCEPT
    verify: Verification = Verification.OFF
    sign: bool = False
    """Calls out carry a signature of the caller's number."""

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
        if self.proxy_host is not None and not _HOST.fullmatch(self.proxy_host):
            raise ValueError(
                f"trunk {self.name!r}: proxy {self.proxy_host!r} is no IP address and no host name"
            )
        if self.max_calls < 0:
            raise ValueError(f"trunk {self.name!r}: max_calls is {self.max_calls}, below 0")
        if self.max_calls_per_second < 0:
            given = self.max_calls_per_second
            raise ValueError(f"trunk {self.name!r}: max_calls_per_second is {given}, below 0")
        if self.proxy_port is not None and not 0 < self.proxy_port < 65536:
            raise ValueError(f"trunk {self.name!r}: proxy_port {self.proxy_port} is no port")

    @property
    def server(self) -> Server | None:
        """Where calls go out; None: this trunk takes none."""
        if self.proxy_host is None:
            return None
        return Server(self.proxy_host, self.proxy_port, self.transport)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySettings:
    """Numbers that lead to one entry of the application: a flow, a queue, an announcement."""

    name: str
    numbers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    """What phones of ours dial with or without more behind it, as `*8` and `*81002`."""


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
    """Name of a trunk or of a group."""
    prefixes: tuple[str, ...] = ()
    min_digits: int | None = None
    """Numbers of digits alone, at least this many, take the route whatever their prefix."""

    def why(self, number: str) -> str:
        """Say by which rule the route takes a number."""
        for prefix in self.prefixes:
            if number.startswith(prefix):
                return f"prefix {prefix}"
        return f"{self.min_digits} digits or more"

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
    """Where every number leads. Looked at in this order: emergency, entries, phones, routes."""

    entries: tuple[EntrySettings, ...] = ()
    phones: tuple[PhoneRange, ...] = ()
    routes: tuple[RouteSettings, ...] = ()
    trunks: Mapping[str, TrunkSettings] = field(default_factory=dict)
    groups: Mapping[str, GroupSettings] = field(default_factory=dict)
    region: str = "US"
    """Country in which dialled numbers are read."""
    blocked: tuple[str, ...] = ()
    """Prefixes of international numbers (`+1900`) that nobody may call."""
    emergency: EmergencySettings | None = None
