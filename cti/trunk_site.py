"""From the sections about carriers to what `switch.trunks` wants to know."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from cti.ranges import SettingsError, expand
from cti.settings import Settings
from cti.trunk_settings import EmergencySection, RuleTable, TrunkGroupSection, TrunkSection
from switch.sdp.transport import SrtpPolicy
from switch.trunks.credentials import TrunkCredentials
from switch.trunks.emergency import EmergencySettings, emergency_numbers_of
from switch.trunks.groups import Choice, GroupSettings, Member
from switch.trunks.health import HealthSettings
from switch.trunks.identity import PLAIN, CallerHeader, CallerPolicy, OwnNumbers
from switch.trunks.number_format import NumberFormat
from switch.trunks.rates import RateTable, read_rates
from switch.trunks.settings import (
    DtmfMode,
    RegistrationSettings,
    RouteSettings,
    TrunkSettings,
    TrunkTls,
    Verification,
)
from switch.trunks.targets import Server
from switch.trunks.translation import Rule

_LARGEST_FILE = 64 * 1024 * 1024
_T = TypeVar("_T")


def trunks_of(settings: Settings) -> dict[str, TrunkSettings]:
    """All trunks by name. Raises SettingsError, which names the key."""
    return {
        trunk.name: _trunk(trunk, f"trunks[{index}]", settings)
        for index, trunk in enumerate(settings.trunks)
    }


def groups_of(settings: Settings) -> dict[str, GroupSettings]:
    """All groups by name. Raises SettingsError, which names the key."""
    return {
        group.name: _group(group, f"trunk_groups[{index}]")
        for index, group in enumerate(settings.trunk_groups)
    }


def routes_of(settings: Settings) -> tuple[RouteSettings, ...]:
    """The numbers that lead out: those of groups first, then those of trunks, in the file's order."""
    ways: list[TrunkSection | TrunkGroupSection] = [*settings.trunk_groups]
    ways += [trunk for trunk in settings.trunks if trunk.proxy]
    return tuple(
        RouteSettings(trunk=way.name, prefixes=way.prefixes, min_digits=way.least_digits or None)
        for way in ways
    )


def emergency_of(settings: Settings) -> EmergencySettings | None:
    """Where emergency calls go; None when nothing is configured."""
    section = settings.emergency
    if not section.trunk:
        return None
    numbers = frozenset(section.numbers) or emergency_numbers_of(settings.site.region)
    return EmergencySettings(
        numbers=numbers,
        way=section.trunk,
        caller=section.caller,
        locations=tuple(locations(section)),
    )


def locations(section: EmergencySection) -> list[tuple[str, str]]:
    """Phone and the number of its place."""
    return [
        (phone, table.caller)
        for index, table in enumerate(section.locations)
        for phone in expand(table.phones, f"emergency.locations[{index}].phones")
    ]


def _trunk(trunk: TrunkSection, key: str, settings: Settings) -> TrunkSettings:
    server = _told(f"{key}.proxy", lambda: Server.parse(trunk.proxy)) if trunk.proxy else None
    callers = frozenset(
        number for each in trunk.callers for number in expand(each, f"{key}.callers")
    )
    credentials = credentials_of(
        trunk, key, "username", "password", "password_file", "password_env"
    )
    if credentials is None and trunk.registrars:
        raise SettingsError(f"{key}.username: who registers? Give username and password")
    inbound = credentials_of(
        trunk,
        key,
        *("inbound_username", "inbound_password", "inbound_password_file", "inbound_password_env"),
    )
    try:
        return TrunkSettings(
            name=trunk.name,
            match=trunk.from_addresses,
            certificates=tuple(name.lower() for name in trunk.certificates),
            inbound_credentials=inbound,
            proxy_host=None if server is None else server.host,
            proxy_port=None if server is None else server.port,
            transport=None if server is None else server.transport,
            tls=TrunkTls(
                authorities=trunk.tls_ca,
                pins=trunk.tls_pins,
                certificate=trunk.tls_certificate,
                key=trunk.tls_key,
            ),
            credentials=credentials,
            registration=_registration(trunk, key),
            callers=callers,
            max_calls=trunk.max_calls,
            max_calls_per_second=trunk.max_calls_per_second,
            call_backs=trunk.call_backs,
            campaigns=trunk.campaigns,
            health=HealthSettings(
                probe_s=trunk.probe_s,
                down_after=trunk.probe_down_after,
                up_after=trunk.probe_up_after,
            ),
            silence_s=trunk.silence_s,
            srtp=SrtpPolicy(trunk.srtp),
            failover_statuses=frozenset(trunk.failover_on),
            region=trunk.region or settings.site.region,
            number_format=NumberFormat(trunk.number_format),
            rules_out=rules(trunk.rules_out, f"{key}.rules_out"),
            rules_in=rules(trunk.rules_in, f"{key}.rules_in"),
            caller_rules_in=rules(trunk.caller_rules_in, f"{key}.caller_rules_in"),
            caller=_caller(trunk, key),
            rates=_rates(trunk.rates, f"{key}.rates") if trunk.rates else None,
            codecs=trunk.codecs,
            dtmf=DtmfMode(trunk.dtmf),
            trusts_identity=trunk.trusts_identity,
            late_offer=trunk.late_offer,
            redirects_out=trunk.redirects_out,
            verify=Verification(trunk.verify),
            sign=trunk.sign,
        )
    except ValueError as error:
        raise SettingsError(f"{key}: {error}") from None


def _registration(trunk: TrunkSection, key: str) -> RegistrationSettings | None:
    if not trunk.registrars:
        return None
    return RegistrationSettings(
        registrars=tuple(
            _told(f"{key}.registrars", lambda text=text: Server.parse(text))  # type: ignore[misc]
            for text in trunk.registrars
        ),
        expires_s=trunk.register_s,
        domain=trunk.domain,
    )


def _caller(trunk: TrunkSection, key: str) -> CallerPolicy:
    shown = [
        (phone, number)
        for phones, number in trunk.callers_shown.items()
        for phone in expand(phones, f"{key}.callers_shown")
    ]
    policy = CallerPolicy(
        header=CallerHeader(trunk.caller_header),
        main=trunk.caller,
        shown=tuple(shown),
        own=_told(f"{key}.numbers", lambda: OwnNumbers.parse(trunk.numbers)),
        passes_foreign=trunk.pass_foreign,
        domain=trunk.domain,
    )
    return PLAIN if policy == PLAIN else policy


def rules(tables: tuple[RuleTable, ...], key: str) -> tuple[Rule, ...]:
    """Translation rules. Raises SettingsError, which names the key."""
    return tuple(
        _told(
            f"{key}[{index}]",
            lambda table=table: Rule(prefix=table.prefix, pattern=table.pattern, put=table.put),  # type: ignore[misc]
        )
        for index, table in enumerate(tables)
    )


def credentials_of(
    trunk: TrunkSection, key: str, username: str, password: str, file: str, env: str
) -> TrunkCredentials | None:
    """User name and password, from wherever the configuration says that the password is.

    Raises:
        SettingsError: it says so in two places or none, or nothing can be read there. The password
            itself stands in no error.
    """
    user = getattr(trunk, username)
    places = [name for name in (password, file, env) if getattr(trunk, name)]
    if not user:
        if places:
            raise SettingsError(f"{key}.{username}: whose is the password? Give a user name")
        return None
    if len(places) != 1:
        words = f"give one of {password}, {file} and {env}"
        raise SettingsError(f"{key}.{username}: {words}, not {len(places)} of them")
    secret = getattr(trunk, password)
    if getattr(trunk, file):
        secret = _first_line(Path(getattr(trunk, file)), f"{key}.{file}")
    elif getattr(trunk, env):
        name = getattr(trunk, env)
        secret = os.environ.get(name, "")
        if not secret:
            raise SettingsError(f"{key}.{env}: the environment variable {name} is not set")
    return TrunkCredentials(username=user, password=secret, realm=trunk.realm or None)


def _first_line(path: Path, key: str) -> str:
    lines = read_text(path, key).splitlines()
    if not lines or not lines[0].strip():
        raise SettingsError(f"{key}: {path}: the first line, which is the password, is empty")
    return lines[0].strip()


def read_text(path: Path, key: str) -> str:
    """The text of a file that the configuration names. Raises SettingsError."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise SettingsError(f"{key}: {path} is larger than {_LARGEST_FILE} octets")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"{key}: {path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{key}: {path}: cannot be read: {error}") from None


def _rates(file: str, key: str) -> RateTable:
    text = read_text(Path(file), key)
    return _told(key, lambda: read_rates(text, file))


def _group(group: TrunkGroupSection, key: str) -> GroupSettings:
    return GroupSettings(
        name=group.name,
        members=tuple(
            Member(trunk=each.trunk, order=each.order, weight=each.weight) for each in group.members
        ),
        choice=Choice(group.choice),
        callers=frozenset(
            number for each in group.callers for number in expand(each, f"{key}.callers")
        ),
        max_calls=group.max_calls,
        max_calls_per_second=group.max_calls_per_second,
        call_backs=group.call_backs,
        campaigns=group.campaigns,
    )


def _told(key: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except ValueError as error:
        raise SettingsError(f"{key}: {error}") from None


def ways_of(settings: Settings) -> Mapping[str, TrunkSection | TrunkGroupSection]:
    """Everything that numbers can lead out by, by name."""
    return {
        **{trunk.name: trunk for trunk in settings.trunks if trunk.proxy},
        **{group.name: group for group in settings.trunk_groups},
    }
