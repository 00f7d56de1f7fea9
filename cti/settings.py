"""The configuration file: TOML read into typed, frozen settings.

An unknown key, a wrong type or a value out of range fails with the file, the key and what is
wrong. `docs/configuration.md` lists every key; the shipped `config/lab.toml` is a full example.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from cti.campaign_settings import CampaignsSection as CampaignsSection
from cti.park_settings import ParkSection as ParkSection
from cti.ranges import SettingsError as SettingsError
from cti.ranges import expand as expand
from cti.ranges import port_range as port_range
from cti.section import Section
from cti.settings_check import problems_of
from cti.settings_faults import Lines, Salvage
from cti.trunk_settings import TRUNK_FILES, Srtp
from cti.trunk_settings import EmergencySection as EmergencySection
from cti.trunk_settings import NumberingSection as NumberingSection
from cti.trunk_settings import StirSection as StirSection
from cti.trunk_settings import TrunkGroupSection as TrunkGroupSection
from cti.trunk_settings import TrunkSection as TrunkSection

_S = TypeVar("_S", bound=msgspec.Struct)
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=86400.0)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Level = Annotated[int, msgspec.Meta(ge=1, le=5)]


class SiteSection(Section, frozen=True, kw_only=True):
    """What concerns the whole site."""

    name: str = "Switchroom"
    region: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")] = "US"
    """Country (ISO 3166) in which numbers without a country code are read."""
    language: str = "en"
    not_ready_reasons: tuple[str, ...] = ("break", "lunch", "meeting")
    flows: str = ""
    """Folder of your own flows (`NAME.yaml`), from where this file lies; they go before the shipped."""
    prompts: str = ""
    """Folder of your own prompts (`NAME.ulaw`), from where this file lies; they go before the shipped."""


class SipSection(Section, frozen=True, kw_only=True):
    """Where SIP is spoken."""

    host: str = "127.0.0.1"
    port: Port = 5060
    """For UDP and TCP; 0: any free one."""
    tls_port: Port = 0
    """0: no TLS."""
    ws_port: Port = 0
    """0: no WebSocket."""
    wss_port: Port = 0
    """0: no WebSocket over TLS."""
    more_hosts: tuple[str, ...] = ()
    """Further addresses to listen at, such as one of IPv6; the ports are the same."""
    advertise: str = ""
    """What stands in Contact and Via instead of `host` where a NAT lies between; empty: `host`."""
    local_networks: tuple[str, ...] = ()
    """Peers there are told the address that they reach, not what is advertised."""
    certificate: str = ""
    """PEM with its chain; empty: one of the server's own, made at the first start."""
    certificate_key: str = ""
    client_ca: str = ""
    """PEM of the authorities whose certificates may tell who connects; empty: nobody is asked."""
    trusted_ca: str = ""
    """PEM of the authorities of TLS servers that we connect to; empty: those of the system."""
    origins: tuple[str, ...] = ()
    """Web pages whose scripts may open a WebSocket; empty: all."""
    proxies: tuple[str, ...] = ()
    """Proxies in front of the WebSocket ports: their `Forwarded` and `X-Forwarded-For` are believed."""
    dns: tuple[str, ...] = ()
    """Servers to ask for names, `address` or `address:port`; empty: as the system does."""
    realm: str = "switchroom"
    digests: Annotated[tuple[Literal["SHA-256", "MD5"], ...], msgspec.Meta(min_length=1)] = (
        "SHA-256",
        "MD5",
    )
    """What phones are challenged with, the first one first; some read no further (RFC 8760)."""
    domains: tuple[str, ...] = ()
    service_route: tuple[str, ...] = ()
    """Told to phones as the route of their requests: proxies that they have to pass."""
    least_expires_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 30
    """Shorter registrations get 423."""
    most_expires_s: Annotated[int, msgspec.Meta(ge=60, le=86400)] = 7200
    """Longer ones are cut to this."""
    max_calls: Annotated[int, msgspec.Meta(ge=1)] = 5000
    """Calls at a time; more are refused with 503 and Retry-After."""
    session_interval_s: Annotated[int, msgspec.Meta(ge=0, le=86400)] = 1800
    """How long a session lives without being refreshed (RFC 4028); 0: for ever."""
    session_min_s: Annotated[int, msgspec.Meta(ge=90, le=86400)] = 90
    """Peers that want a shorter interval are asked for this one."""


class MediaSection(Section, frozen=True, kw_only=True):
    """Where RTP is spoken, and from which ports."""

    address: str = "127.0.0.1"
    advertise: str = ""
    """What stands in SDP instead of `address` where a NAT lies between; empty: `address`."""
    ports: str = "16000-31999"
    rtp_timeout_s: Seconds = 30.0
    dtls: bool = True
    """Whether DTLS-SRTP (browsers) can be spoken."""
    linger_s: Seconds = 60.0
    """How long sound goes on when the call agent died; then the gateway ends by itself."""
    reserve: Annotated[int, msgspec.Meta(ge=2, le=4000)] = 512
    """RTP ports that each gateway keeps open ahead, so that an answer waits for nothing."""
    gateways: Annotated[int, msgspec.Meta(ge=0, le=64)] | Literal["auto"] = 1
    """Gateway processes on this machine; `auto`: one for each core but one."""
    codecs: Annotated[
        tuple[Literal["PCMU", "PCMA", "G722", "opus"], ...], msgspec.Meta(min_length=1)
    ] = ("PCMU", "PCMA", "G722", "opus")
    """What is spoken, in the order of our offers."""


class GatewaySection(Section, frozen=True, kw_only=True):
    """A media gateway on another machine, which `switchroom gateway --listen` runs there."""

    name: Name
    address: str
    """Where it listens, `tcp://host:port`."""
    secret_file: str
    """What both ends know, from where this file lies."""
    weight: Annotated[float, msgspec.Meta(gt=0.0, le=1000.0)] = 1.0
    """Its share of the calls, compared with that of a gateway of this machine."""


class ApiSection(Section, frozen=True, kw_only=True):
    """Where the HTTP and WebSocket API listens."""

    host: str = "127.0.0.1"
    port: Port = 8080
    proxies: tuple[str, ...] = ()
    """Reverse proxies in front of it: their `Forwarded` and `X-Forwarded-For` are believed."""


Rate = Annotated[float, msgspec.Meta(ge=1.0, le=1e6)]


class LimitsSection(Section, frozen=True, kw_only=True):
    """How much others may ask, and who is shut out for asking too much."""

    exempt: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses and networks without bans, beside those of trunks and fixed phones."""
    exempt_rate: Rate = 20_000.0
    """Datagrams a second from one of them."""
    stranger_rate: Rate = 50.0
    """SIP messages a second from one address that has not proved a password."""
    known_rate: Rate = 1000.0
    strangers_rate: Rate = 1000.0
    """From all strangers together."""
    ban_after: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    """Wrong passwords."""
    ban_s: Annotated[float, msgspec.Meta(ge=1.0, le=86400.0)] = 600.0
    ban_max_s: Annotated[float, msgspec.Meta(ge=1.0, le=2592000.0)] = 86400.0
    max_transactions: Annotated[int, msgspec.Meta(ge=100, le=1000000)] = 20000
    max_connections: Annotated[int, msgspec.Meta(ge=10, le=100000)] = 2000


class ServerSection(Section, frozen=True, kw_only=True):
    """How the server ends."""

    drain_s: Annotated[float, msgspec.Meta(ge=0.0, le=86400.0)] = 60.0
    """So long running calls may go on when it is told to stop; 0: they end at once, untold."""


class PresenceSection(Section, frozen=True, kw_only=True):
    """Who may watch phones: busy lamps, presence, waiting messages."""

    watch: str = "phones"
    """Whom a phone may watch: `phones` (all of ours), `own` (itself), `nobody`."""
    see_numbers: tuple[str, ...] = ()
    """Phones (numbers or ranges) that see whom those they watch talk with, and may name what rings there."""
    texts_a_minute: Annotated[int, msgspec.Meta(ge=0, le=10000)] = 30
    """Short messages (MESSAGE) of one phone."""


class CaptureSection(Section, frozen=True, kw_only=True):
    """Who looks at signalling."""

    hep: str = ""
    """A capture server (Homer) as `address:port`, by HEP3 over UDP; empty: none."""
    hep_id: Annotated[int, msgspec.Meta(ge=0, le=4294967295)] = 2001
    """Our number there."""
    hep_password: Annotated[str, msgspec.Meta(max_length=128)] = ""
    trace_megabytes: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 8
    """Messages of calls kept for `switchroom trace`; 0: none."""


class DataSection(Section, frozen=True, kw_only=True):
    """Where things are kept."""

    folder: str = "data"
    database: str = ""
    """SQLAlchemy URL; empty: SQLite in the folder."""
    call_records_days: Annotated[int, msgspec.Meta(ge=0, le=36500)] = 365
    """Call detail records are dropped when they are so old; 0: never."""


class DispositionSection(Section, frozen=True, kw_only=True):
    """An outcome that agents can choose."""

    code: Name
    en: str
    zh: str = ""


class UserSection(Section, frozen=True, kw_only=True):
    """One user, or a range of users that follow a pattern (`{login}` stands for the login)."""

    logins: str
    role: str
    name: str = "{login}"
    agent: str = ""
    password: str = ""
    """In clear: for laboratories only."""
    password_hash: str = ""
    """argon2, as `switchroom users hash` prints it."""
    language: str = ""


class PhoneSection(Section, frozen=True, kw_only=True):
    """One phone, or a range of phones (`{number}` stands for the number)."""

    numbers: str
    password: str = ""
    ha1_sha256: str = ""
    """Instead of the password: SHA-256 of `number:realm:password`, as `switchroom users ha1` prints."""
    ha1_md5: str = ""
    binding: str = ""
    """A fixed address instead of registration."""
    srtp: Srtp = "accept"
    """Whether its sound is encrypted: `off`, `accept` (if it offers it), `optional`, `required`, `dtls`."""
    dtmf: Literal["rfc4733", "info", "inband"] = "rfc4733"
    """How digits travel between it and us."""


class TransfersSection(Section, frozen=True, kw_only=True):
    """What becomes of a call whose agent leaves, and what supervisors may do unseen."""

    agent_gone: Literal["target", "queue"] = "target"
    """Who has the customer when the agent hangs up while asking somebody: the one who is asked, or
    the head of the queue."""
    conference_goes_on: bool = True
    """The others talk on when the agent leaves a conference."""
    show_supervisors: bool = False
    """Agents see who listens, whispers or barges in."""
    record_whispers: bool = False
    """What a supervisor whispers is on the recording."""


class QueueSection(Section, frozen=True, kw_only=True):
    """One queue."""

    name: Name
    title: str = ""
    service_level_s: Seconds = 20.0
    announce_first_s: Seconds = 10.0
    announce_every_s: Seconds = 30.0
    max_wait_s: Seconds = 0.0
    priority: int = 0
    skills: dict[str, Level] = msgspec.field(default_factory=dict)
    music: str = ""
    """A prompt, or a folder of them, in the prompt folders; empty: everybody's music."""
    call_back_when_lost: bool = False
    """Call those back who waited or talked when our side cut them off."""
    call_back_attempts: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    call_back_pause_s: Seconds = 30.0


class AgentSection(Section, frozen=True, kw_only=True):
    """One agent, or a range; an agent has the number of its phone."""

    numbers: str
    queues: tuple[Name, ...]
    name: str = "Agent {number}"
    skills: dict[str, Level] = msgspec.field(default_factory=dict)
    ring_timeout_s: Annotated[float, msgspec.Meta(ge=1.0, le=300.0)] = 20.0
    wrap_up_s: Seconds = 5.0
    static: bool = False
    retry_s: Seconds = 1.0


class EntrySection(Section, frozen=True, kw_only=True):
    """A number that callers dial."""

    number: str
    flow: str = ""
    queue: str = ""
    record: bool = False
    language: str = "en"
    priority: int = 0


class Settings(Section, frozen=True, kw_only=True):
    """The whole file."""

    site: SiteSection = SiteSection()
    sip: SipSection = SipSection()
    media: MediaSection = MediaSection()
    gateways: tuple[GatewaySection, ...] = ()
    api: ApiSection = ApiSection()
    limits: LimitsSection = LimitsSection()
    server: ServerSection = ServerSection()
    data: DataSection = DataSection()
    presence: PresenceSection = PresenceSection()
    capture: CaptureSection = CaptureSection()
    transfers: TransfersSection = TransfersSection()
    park: ParkSection = ParkSection()
    campaigns: CampaignsSection = CampaignsSection()
    dispositions: tuple[DispositionSection, ...] = ()
    users: tuple[UserSection, ...] = ()
    phones: tuple[PhoneSection, ...] = ()
    queues: tuple[QueueSection, ...] = ()
    agents: tuple[AgentSection, ...] = ()
    trunks: tuple[TrunkSection, ...] = ()
    trunk_groups: tuple[TrunkGroupSection, ...] = ()
    numbering: NumberingSection = NumberingSection()
    emergency: EmergencySection = EmergencySection()
    stir: StirSection = StirSection()
    entries: tuple[EntrySection, ...] = ()


def load(path: Path) -> Settings:
    """Read a configuration file.

    Raises:
        SettingsError: no such file, no TOML, unknown keys, wrong types, names that do not exist;
            all that is wrong, a line each.
    """
    settings, problems = examine(path)
    if problems or settings is None:
        raise SettingsError("\n".join(problems))
    return settings


def examine(path: Path) -> tuple[Settings | None, list[str]]:
    """Read a configuration file, and say all that is wrong in it.

    The settings are without what is wrong; None when a whole section is lost, or the file.

    Raises:
        SettingsError: no such file, or no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; give one with --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    lost = False
    problems: list[str] = []
    try:
        settings = _beside(path, msgspec.convert(raw, Settings))
        problems += problems_of(settings)
    except msgspec.ValidationError:
        salvage = Salvage(raw, Settings)
        settings = _beside(path, msgspec.convert(salvage.good, Settings))
        problems += (*salvage.faults, *salvage.of_the_rest(problems_of(settings)))
        lost = bool(salvage.lost)
    lines = Lines(text)
    told = [_placed(path, lines.of(problem), problem) for problem in problems]
    return None if lost else settings, told


def _placed(path: Path, line: int | None, problem: str) -> str:
    return f"{path}: {problem}" if line is None else f"{path}:{line}: {problem}"


def _beside(path: Path, settings: Settings) -> Settings:
    """Read folders and files that are named from where the file lies, not from where one stands."""
    replace, base = msgspec.structs.replace, path.parent

    def placed(section: _S, *names: str) -> _S:
        given = {name: getattr(section, name) for name in names}
        return replace(section, **{n: str(base / value) for n, value in given.items() if value})

    def of_trunk(trunk: TrunkSection) -> TrunkSection:
        return placed(trunk, *TRUNK_FILES)

    return replace(
        settings,
        site=placed(settings.site, "flows", "prompts"),
        sip=placed(settings.sip, "certificate", "certificate_key", "client_ca", "trusted_ca"),
        gateways=tuple(placed(each, "secret_file") for each in settings.gateways),
        trunks=tuple(map(of_trunk, settings.trunks)),
        stir=placed(settings.stir, "authorities", "certificates", "key", "certificate"),
    )
