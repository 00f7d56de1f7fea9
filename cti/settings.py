"""The configuration file: TOML read into typed, frozen settings.

An unknown key, a wrong type or a value out of range fails with the file, the key and what is
wrong. `docs/configuration.md` lists every key; the shipped `config/lab.toml` is a full example.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=86400.0)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Level = Annotated[int, msgspec.Meta(ge=1, le=5)]

_MOST_NUMBERS = 100_000
_RANGE = re.compile(r"^(\d{1,15})-(\d{1,15})$")


class SettingsError(Exception):
    """The configuration cannot be used; the message names file, key and what to do."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""


class SiteSection(_Section, frozen=True, kw_only=True):
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


class SipSection(_Section, frozen=True, kw_only=True):
    """Where SIP is spoken."""

    host: str = "127.0.0.1"
    port: Port = 5060
    realm: str = "switchroom"
    domains: tuple[str, ...] = ()
    max_calls: Annotated[int, msgspec.Meta(ge=1)] = 5000
    """Calls at a time; more are refused with 503 and Retry-After."""


class MediaSection(_Section, frozen=True, kw_only=True):
    """Where RTP is spoken, and from which ports."""

    address: str = "127.0.0.1"
    ports: str = "16000-31999"
    rtp_timeout_s: Seconds = 30.0
    linger_s: Seconds = 60.0
    """How long sound goes on when the call agent died; then the gateway ends by itself."""
    reserve: Annotated[int, msgspec.Meta(ge=2, le=4000)] = 512
    """RTP ports kept open ahead, so that an answer waits for nothing."""


class ApiSection(_Section, frozen=True, kw_only=True):
    """Where the HTTP and WebSocket API listens."""

    host: str = "127.0.0.1"
    port: Port = 8080


class DataSection(_Section, frozen=True, kw_only=True):
    """Where things are kept."""

    folder: str = "data"
    database: str = ""
    """SQLAlchemy URL; empty: SQLite in the folder."""


class DispositionSection(_Section, frozen=True, kw_only=True):
    """An outcome that agents can choose."""

    code: Name
    en: str
    zh: str = ""


class UserSection(_Section, frozen=True, kw_only=True):
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


class PhoneSection(_Section, frozen=True, kw_only=True):
    """One phone, or a range of phones (`{number}` stands for the number)."""

    numbers: str
    password: str = ""
    ha1_sha256: str = ""
    """Instead of the password: SHA-256 of `number:realm:password`, as `switchroom users ha1` prints."""
    ha1_md5: str = ""
    binding: str = ""
    """A fixed address instead of registration."""


class QueueSection(_Section, frozen=True, kw_only=True):
    """One queue."""

    name: Name
    title: str = ""
    service_level_s: Seconds = 20.0
    announce_first_s: Seconds = 10.0
    announce_every_s: Seconds = 30.0
    max_wait_s: Seconds = 0.0
    priority: int = 0
    skills: dict[str, Level] = {}


class AgentSection(_Section, frozen=True, kw_only=True):
    """One agent, or a range; an agent has the number of its phone."""

    numbers: str
    queues: tuple[Name, ...]
    name: str = "Agent {number}"
    skills: dict[str, Level] = {}
    ring_timeout_s: Annotated[float, msgspec.Meta(ge=1.0, le=300.0)] = 20.0
    wrap_up_s: Seconds = 5.0
    static: bool = False
    retry_s: Seconds = 1.0


class TrunkSection(_Section, frozen=True, kw_only=True):
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


class EntrySection(_Section, frozen=True, kw_only=True):
    """A number that callers dial."""

    number: str
    flow: str = ""
    queue: str = ""
    record: bool = False
    language: str = "en"
    priority: int = 0


class Settings(_Section, frozen=True, kw_only=True):
    """The whole file."""

    site: SiteSection = SiteSection()
    sip: SipSection = SipSection()
    media: MediaSection = MediaSection()
    api: ApiSection = ApiSection()
    data: DataSection = DataSection()
    dispositions: tuple[DispositionSection, ...] = ()
    users: tuple[UserSection, ...] = ()
    phones: tuple[PhoneSection, ...] = ()
    queues: tuple[QueueSection, ...] = ()
    agents: tuple[AgentSection, ...] = ()
    trunks: tuple[TrunkSection, ...] = ()
    entries: tuple[EntrySection, ...] = ()


def load(path: Path) -> Settings:
    """Read a configuration file.

    Raises:
        SettingsError: no such file, no TOML, unknown keys, wrong types, names that do not exist.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; give one with --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {_plain(str(error))}") from None
    settings = _beside(path, settings)
    problems = list(_check(settings))
    if problems:
        raise SettingsError("\n".join(f"{path}: {problem}" for problem in problems))
    return settings


def _beside(path: Path, settings: Settings) -> Settings:
    """Read the folders of flows and prompts from where the file lies, not from where one stands."""
    site, base = settings.site, path.absolute().parent
    flows = str(base / site.flows) if site.flows else ""
    prompts = str(base / site.prompts) if site.prompts else ""
    replace = msgspec.structs.replace
    return replace(settings, site=replace(site, flows=flows, prompts=prompts))


def _plain(message: str) -> str:
    """Turn the validator's `... - at `$.sip.port`` into words that name the key first."""
    text, _, place = message.partition(" - at `$")
    key = place.rstrip("`").lstrip(".") or "the file"
    hint = " (misspelt? see docs/configuration.md)" if "unknown field" in text else ""
    return f"{key}: {text[0].lower()}{text[1:]}{hint}"


def expand(numbers: str, key: str) -> list[str]:
    """List `1001-1050` or `1001` as single numbers or logins.

    Raises:
        SettingsError: the range is empty or larger than 100,000.
    """
    match = _RANGE.match(numbers)
    if match is None:
        return [numbers]
    low, high = match.groups()
    if len(low) != len(high) or int(high) < int(low):
        raise SettingsError(f"{key}: the range {numbers} is empty or mixes lengths")
    if int(high) - int(low) >= _MOST_NUMBERS:
        raise SettingsError(f"{key}: the range {numbers} has more than {_MOST_NUMBERS} numbers")
    return [str(n).zfill(len(low)) for n in range(int(low), int(high) + 1)]


def port_range(ports: str, key: str) -> tuple[int, int]:
    """Read `16000-31999`.

    Raises:
        SettingsError: not two ports in order, or fewer than 8.
    """
    match = _RANGE.match(ports)
    if match is None:
        raise SettingsError(f"{key}: write a range such as 16000-31999, not {ports!r}")
    low, high = int(match[1]), int(match[2])
    if not 1024 <= low < high <= 65535 or high - low < 7:
        raise SettingsError(f"{key}: {ports} must lie within 1024-65535 and hold at least 8 ports")
    return low, high


def _check(settings: Settings) -> Iterator[str]:
    """What types cannot say: names that must exist, things that must be given together."""
    try:
        port_range(settings.media.ports, "media.ports")
    except SettingsError as error:
        yield str(error)
    for key, address in (
        ("sip.host", settings.sip.host),
        ("media.address", settings.media.address),
    ):
        if address in ("0.0.0.0", "::"):
            yield f"{key}: {address} cannot be told to phones; give an address of this machine"
    queues = {queue.name for queue in settings.queues}
    phones: set[str] = set()
    agents: set[str] = set()
    for index, phone in enumerate(settings.phones):
        key = f"phones[{index}]"
        try:
            phones.update(expand(phone.numbers, f"{key}.numbers"))
        except SettingsError as error:
            yield str(error)
        if not (phone.password or phone.ha1_sha256 or phone.ha1_md5 or phone.binding):
            yield f"{key}: give a password, an ha1, or a binding"
    for index, agent in enumerate(settings.agents):
        key = f"agents[{index}]"
        for queue in agent.queues:
            if queue not in queues:
                yield f"{key}.queues: no queue is named {queue}"
        try:
            numbers = expand(agent.numbers, f"{key}.numbers")
            agents.update(numbers)
            missing = [number for number in numbers if number not in phones]
        except SettingsError as error:
            yield str(error)
            continue
        if missing:
            yield f"{key}.numbers: there is no phone {missing[0]}; add it under [[phones]]"
    for index, user in enumerate(settings.users):
        key = f"users[{index}]"
        if user.role not in ("agent", "supervisor", "administrator"):
            yield f"{key}.role: {user.role!r} is not agent, supervisor or administrator"
        if not (user.password or user.password_hash):
            yield f"{key}: give a password_hash (`switchroom users hash` makes one)"
        try:
            logins = expand(user.logins, f"{key}.logins") if user.agent else []
        except SettingsError as error:
            yield str(error)
            continue
        unknown = [n for n in (user.agent.replace("{login}", x) for x in logins) if n not in agents]
        if unknown:
            yield f"{key}.agent: there is no agent {unknown[0]}; add it under [[agents]]"
    seen: set[str] = set()
    for index, entry in enumerate(settings.entries):
        key = f"entries[{index}]"
        if entry.number in seen:
            yield f"{key}.number: {entry.number} is already an entry"
        seen.add(entry.number)
        if bool(entry.flow) == bool(entry.queue):
            yield f"{key}: give either a flow or a queue"
        if entry.queue and entry.queue not in queues:
            yield f"{key}.queue: no queue is named {entry.queue}"
    for index, trunk in enumerate(settings.trunks):
        if not (trunk.from_addresses or trunk.proxy):
            yield f"trunks[{index}]: give from_addresses (calls in), a proxy (calls out), or both"
