"""May this number be dialled now? Every rule that looks at one number, and the answer in words.

The order is that of `Hold`: what holds longest is asked first, so that the words name the reason that
matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct, structs

from acd.dialer.compliance_caps import judge_caps
from acd.dialer.compliance_places import Place
from acd.dialer.compliance_windows import Opening
from acd.dialer.model import Mode
from acd.dialer.settings import RULES_VERSION, CampaignSettings


class Hold(StrEnum):
    """Why a number is not dialled now."""

    NONE = ""
    FORBIDDEN = "do-not-call"
    EXHAUSTED = "exhausted"
    """Out of attempts for good."""
    QUOTA = "quota"
    """Enough of its kind were reached."""
    CAP = "cap"
    """Dialled often enough today, or in 24 hours."""
    IN_HAND = "in-hand"
    """The same number is being dialled from another record."""
    WINDOW = "window"


class Knowledge(Struct, frozen=True, kw_only=True):
    """What must be known of a record and its number."""

    place: Place
    opening: Opening
    attempts: int = 0
    """Of the record, those that count."""
    dialled: Sequence[float] = ()
    """When the number was dialled by anybody, as far back as `LOOK_BACK_S`."""
    abandoned_at: float | None = None
    """When a call to the number was abandoned last."""
    forbidden: str = ""
    """The do-not-call list it is on, in words."""
    full_quota: str = ""
    """The quota that it would fall under and that is reached, in words."""
    in_hand: bool = False
    is_promised: bool = False
    """The person asked to be called back: the record's own limit of attempts does not count."""


class Verdict(Struct, frozen=True, kw_only=True):
    """The answer."""

    hold: Hold
    why: str
    """In words, with the version of the rules."""
    free_at: float | None = None
    """When the hold may end by itself; None: not by itself."""
    needs_agent: bool = False
    """Only with an agent reserved first: a call to it was abandoned a short while ago."""
    until: float | None = None
    """When the permission ends."""

    @property
    def is_allowed(self) -> bool:
        return self.hold is Hold.NONE


def judge(settings: CampaignSettings, known: Knowledge, at: float) -> Verdict:
    """Judge one number of one record of a campaign."""
    if known.forbidden:
        return _held(Hold.FORBIDDEN, known.forbidden)
    limits = settings.limits
    if known.is_promised:
        limits = structs.replace(limits, attempts=0)
    caps = judge_caps(limits, known.place, known.attempts, known.dialled, at)
    if not caps.allowed and caps.free_at is None:
        return _held(Hold.EXHAUSTED, caps.words)
    if known.full_quota:
        return _held(Hold.QUOTA, known.full_quota)
    if not caps.allowed:
        return _held(Hold.CAP, caps.words, caps.free_at)
    if known.in_hand:
        return _held(Hold.IN_HAND, "the same number is being dialled from another record")
    if not known.opening.is_open:
        return _held(Hold.WINDOW, known.opening.words, known.opening.changes_at)
    lock_ends = (known.abandoned_at or 0.0) + 3600.0 * settings.cap.lock_hours
    needs_agent = known.abandoned_at is not None and at < lock_ends
    if needs_agent and settings.mode is Mode.ANNOUNCEMENT:
        words = f"abandoned less than {settings.cap.lock_hours:g} h ago, and no agents are here"
        return _held(Hold.CAP, words, lock_ends)
    parts = [known.opening.words, caps.words, "on no do-not-call list"]
    if known.is_promised:
        parts.insert(0, "call-back that was asked for")
    if needs_agent:
        parts.append(f"abandoned less than {settings.cap.lock_hours:g} h ago, so an agent first")
    return Verdict(
        hold=Hold.NONE,
        why=_worded(parts),
        needs_agent=needs_agent,
        until=known.opening.changes_at,
    )


def _held(hold: Hold, words: str, free_at: float | None = None) -> Verdict:
    return Verdict(hold=hold, why=_worded([words]), free_at=free_at)


def _worded(parts: list[str]) -> str:
    return "; ".join((*parts, f"rules {RULES_VERSION}"))
