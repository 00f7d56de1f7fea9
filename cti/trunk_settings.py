"""Sections of the configuration about carriers: trunks, groups, numbering, emergency calls."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from cti.section import Section

Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=86400.0)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Region = Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{2})?$")]
International = Annotated[str, msgspec.Meta(pattern=r"^(\+[0-9]{1,15})?$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


TRUNK_FILES: Final = (
    *("rates", "password_file", "inbound_password_file"),
    *("tls_ca", "tls_certificate", "tls_key"),
)
"""Keys of a trunk that name files, from where the configuration lies."""


class RuleTable(Section, frozen=True, kw_only=True):
    """One translation rule: either a prefix or a pattern."""

    prefix: str | None = None
    pattern: str | None = None
    put: str = ""


class MemberTable(Section, frozen=True, kw_only=True):
    """One trunk of a group."""

    trunk: Name
    order: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    weight: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1


class LocationTable(Section, frozen=True, kw_only=True):
    """Phones that stand in one place."""

    phones: str
    caller: International


Srtp = Literal["off", "accept", "optional", "required", "dtls"]


class TrunkSection(Section, frozen=True, kw_only=True):
    """A way in or out."""

    name: Name
    from_addresses: tuple[str, ...] = ()
    """Calls from these addresses are calls from this trunk."""
    proxy: str = ""
    """Where calls out go: `sip:host:port`."""
    callers: tuple[str, ...] = ()
    """Phones (numbers or ranges) that may call out through it."""
    prefixes: tuple[str, ...] = ()
    least_digits: Annotated[int, msgspec.Meta(ge=0, le=20)] = 0
    max_calls: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Calls at a time; 0: no limit of its own."""
    max_calls_per_second: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    call_backs: bool = False
    """The server itself may call customers back through it whom it cut off."""
    campaigns: bool = False
    """Campaigns may call the people on their lists through it."""
    trusts_identity: bool = False
    """Its P-Asserted-Identity or Remote-Party-ID says who calls."""
    late_offer: bool = False
    """Calls to it offer no sound: the carrier does, with its 2xx."""
    redirects_out: bool = False
    """A 3xx of its may send calls on to numbers outside, as far as the caller may dial them."""
    registrars: tuple[str, ...] = ()
    """Where we register: `sip:host:port`, at each of them."""
    register_s: Annotated[int, msgspec.Meta(ge=30, le=604_800)] = 600
    username: str = ""
    """Who we are to the carrier."""
    password: str = ""
    password_file: str = ""
    password_env: str = ""
    realm: str = ""
    """Only challenges of this realm are answered; empty: of any."""
    domain: str = ""
    """Host in our address of record and in From."""
    inbound_username: str = ""
    """Calls in must prove this name and password."""
    inbound_password: str = ""
    inbound_password_file: str = ""
    inbound_password_env: str = ""
    tls_ca: str = ""
    """PEM file of the authorities for its servers' certificates; empty: the system's."""
    tls_pins: tuple[Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")], ...] = ()
    """SHA-256 of its servers' certificates: believed whoever signed them."""
    tls_certificate: str = ""
    tls_key: str = ""
    certificates: tuple[str, ...] = ()
    """Names in client certificates; calls over such connections are calls from this trunk."""
    probe_s: Annotated[float, msgspec.Meta(ge=0.0, le=3600.0)] = 0.0
    """Pause between two OPTIONS to each address; 0: none."""
    probe_down_after: Annotated[int, msgspec.Meta(ge=1, le=100)] = 2
    probe_up_after: Annotated[int, msgspec.Meta(ge=1, le=100)] = 2
    srtp: Srtp = "accept"
    """Whether its sound is encrypted: `off`, `accept` (if it offers it), `optional`, `required`, `dtls`."""
    silence_s: Annotated[float, msgspec.Meta(ge=0.0, le=32.0)] = 5.0
    """Without any answer for so long the next trunk of the group is tried; 0: after 32 s."""
    failover_on: tuple[Annotated[int, msgspec.Meta(ge=400, le=599)], ...] = ()
    region: Region = ""
    """Country of the trunk's national numbers; empty: the site's."""
    number_format: Literal["as-dialled", "plus", "e164", "national", "00"] = "as-dialled"
    rules_out: tuple[RuleTable, ...] = ()
    rules_in: tuple[RuleTable, ...] = ()
    caller_rules_in: tuple[RuleTable, ...] = ()
    numbers: tuple[str, ...] = ()
    """Numbers that are ours on this trunk: `+12025550100`, a range, or a prefix with `*`."""
    caller: International = ""
    """Shown for callers without a number of their own."""
    callers_shown: dict[str, International] = msgspec.field(default_factory=dict)
    """Extension and the number that is shown for it."""
    caller_header: Literal["from", "asserted", "account"] = "from"
    pass_foreign: bool = True
    """False: a number that is not ours is replaced by `caller`."""
    rates: str = ""
    """CSV file of prefixes and costs, from where this file lies."""
    codecs: tuple[str, ...] = ()
    dtmf: Literal["rfc4733", "info", "inband"] = "rfc4733"
    verify: Literal["off", "tag", "reject"] = "off"
    """What becomes of signatures of callers' numbers (STIR)."""
    sign: bool = False
    """Calls out are signed."""


class TrunkGroupSection(Section, frozen=True, kw_only=True):
    """Trunks that stand in for each other."""

    name: Name
    members: tuple[MemberTable, ...]
    choice: Literal["order", "cost"] = "order"
    callers: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    least_digits: Annotated[int, msgspec.Meta(ge=0, le=20)] = 0
    max_calls: Count = 0
    max_calls_per_second: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    call_backs: bool = False
    campaigns: bool = False


class NumberingSection(Section, frozen=True, kw_only=True):
    """What holds for numbers of all trunks."""

    blocked: tuple[Annotated[str, msgspec.Meta(pattern=r"^\+[0-9]{1,15}$")], ...] = ()
    """Prefixes of international numbers that nobody may call."""


class EmergencySection(Section, frozen=True, kw_only=True):
    """Where emergency calls go."""

    trunk: str = ""
    """Trunk or group; empty: emergency numbers are numbers like others."""
    numbers: tuple[Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2,6}$")], ...] = ()
    """As they are dialled; empty: those of the site's region."""
    caller: International = ""
    """Number that tells the place of callers without a location of their own."""
    locations: tuple[LocationTable, ...] = ()


class StirSection(Section, frozen=True, kw_only=True):
    """Signatures of callers' numbers (STIR/SHAKEN)."""

    authorities: str = ""
    """PEM file of the authorities whose certificates are believed."""
    certificates: str = ""
    """Folder where certificates of other providers are kept."""
    fetch: bool = False
    """Fetch certificates that are missing, for the next call."""
    fetch_inside: tuple[str, ...] = ()
    """Addresses and networks of one's own from which they may come too; others must be public."""
    key: str = ""
    """PEM file of our key (EC, P-256)."""
    certificate: str = ""
    """PEM file of our certificate, to check the key with."""
    certificate_url: str = ""
    """Where others find our certificate (https)."""
    origin: str = ""
    """UUID that stands for this switch in signatures; empty: one for each call."""
    max_age_s: Annotated[float, msgspec.Meta(ge=1.0, le=3600.0)] = 60.0
    require_number_authority: bool = True
    """Only certificates that name numbers or a provider code are believed (RFC 8226)."""
