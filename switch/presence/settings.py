"""Bounds of subscriptions, publications and messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Watch(StrEnum):
    """Whom a phone of ours may watch."""

    PHONES = "phones"
    """Every phone."""
    OWN = "own"
    """Itself alone."""
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceSettings:
    """Who may watch, and how much of it there may be."""

    host: str = "127.0.0.1"
    """Our domain or address, in what we write of phones."""
    watch: Watch = Watch.PHONES
    see_numbers: frozenset[str] = frozenset()
    """The phones that are told whom the phones they watch talk with, and the names of dialogs that ring;
    all see it of themselves."""
    places: frozenset[str] = frozenset()
    """Numbers that are no phones and whose dialogs all may watch: parking places."""
    default_expires_s: int = 3600
    """Of a SUBSCRIBE or PUBLISH that asks for no time."""
    min_expires_s: int = 30
    max_expires_s: int = 3600
    interval_s: float = 1.0
    """Between two notifications of one subscription; the last state is kept meanwhile (RFC 6446)."""
    most: int = 20_000
    """Subscriptions in all."""
    most_of_watcher: int = 200
    """Subscriptions of one phone; its oldest gives way to one more, as after a restart of the phone."""
    most_of_phone: int = 500
    """Subscriptions to one phone."""
    burst: int = 32
    """Notifications in one turn; calls are not to wait behind more."""
    most_on_their_way: int = 4000
    """Notifications without an answer yet; calls have the rest of the transactions."""
    most_publications: int = 4
    """Of one phone."""
    most_text: int = 1300
    """Octets of a MESSAGE's body (RFC 3428 section 8)."""
    texts_a_minute: int = 30
    """Of one sender."""
    most_texts: int = 1000
    """Messages that wait for an answer, in all."""
