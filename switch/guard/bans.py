"""What is told of a ban, and what the guard has counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from switch.guard.offences import Offence


class Verdict(StrEnum):
    """What becomes of a message or a connection."""

    PASS = "pass"
    LIMIT = "limit"
    """Above its rate: dropped."""
    BAN = "ban"
    """Its source is banned: dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """One ban. Times are monotonic seconds."""

    source: str
    """An IPv4 address or an IPv6 network of 64 bits; with `/udp`: datagrams in its name only."""
    reason: Offence
    since: float
    until: float
    times: int
    """How often the source was banned, this one included."""
    dropped: int
    """Messages and connections turned away so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardCounters:
    """What the guard holds now, and totals since the start."""

    sources: int = 0
    """Addresses remembered now."""
    known: int = 0
    """Of those, the ones that proved a password not long ago."""
    banned: int = 0
    """Banned now."""
    bans: int = 0
    bans_lifted: int = 0
    """By hand; others ended by themselves."""
    dropped_banned: int = 0
    """Messages and connections of banned sources."""
    dropped_source: int = 0
    """Messages above the rate of their source."""
    dropped_strangers: int = 0
    """Messages of strangers above the rate of all strangers."""
    dropped_exempt: int = 0
    """Datagrams above the rate of an exempt source."""
    passwords_put_off: int = 0
    """Not looked at, because of a pause after wrong ones."""
    sources_forgotten: int = 0
    """Pushed out by others because the table was full."""
    offences: Mapping[str, int] = field(default_factory=dict)
    """By slug, those of exempt sources included."""
