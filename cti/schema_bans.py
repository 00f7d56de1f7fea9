"""The part of the public catalogue that is about bans; `cti.schema` has it too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BanView:
    """A source of messages that is shut out for a while."""

    source: str
    """An IPv4 address, or an IPv6 network of 64 bits."""
    reason: str
    """One slug: `wrong-password`, `flood`, `scanner`, ..."""
    words: str
    """The reason in words."""
    since: float
    until: float
    times: int = 1
    """How often it was banned, this time included."""
    dropped: int = 0
    """Messages and connections turned away so far."""
    lifted_by: str = ""
    """Who ended it, in `SourceUnbanned`; empty: it ran out."""
    datagrams_only: bool = False
    """What it did came over UDP, and others may have sent it: it may still connect over TCP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftBanRequest:
    """Body of `POST /api/v1/bans/lift`."""

    source: str
    """As `GET /api/v1/bans` names it, or one of its addresses."""
