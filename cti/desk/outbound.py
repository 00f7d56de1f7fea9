"""What a screen knows of campaigns, and how news change it. Pure; part of `cti.desk.reduce`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cti.desk.text import spaced_number
from cti.schema import CampaignView, PreviewView, ScreenPop

READING: Final = "reading"
_ON_ITS_WAY: Final[Mapping[str, str]] = {
    READING: "preview",
    "calling-agent": "calling-agent",
    "dialling": "dialling",
    "ringing": "customer-rings",
}
"""Steps of a preview until the talk, and the agent's state as its desk shows it."""
SKIP_REASONS: Final = ("not-now", "spoken-to", "wrong-data", "somebody-else", "other")
"""Why an agent gives a record back; it says so by one of these."""
_WENT_BACK: Final = frozenset(
    {"not-dialled", "paused", "finished", "forbidden", "claim-lapsed", "outside-window", "stopping"}
)
"""Why a record goes back that nobody skipped, and for which no phone rang."""
TRACK_LENGTH: Final = 720
TRACK_EVERY_S: Final = 5.0
"""The course of a campaign is kept for an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPoint:
    """How a campaign stood at a moment."""

    at: float
    enforced: float
    """Percent."""
    dial_level: float
    in_flight: int
    talking: int


def shown_step(preview: PreviewView | None) -> str | None:
    """The agent's state as its desk shows it while a record is before it; None once it talks."""
    return _ON_ITS_WAY.get(preview.step) if preview is not None else None


def is_under_way(preview: PreviewView | None) -> bool:
    """Whether its call has begun, and nobody has answered yet."""
    return shown_step(preview) is not None and preview is not None and preview.step != READING


def is_open(preview: PreviewView) -> bool:
    """Whether the record is still the agent's."""
    return preview.step in _ON_ITS_WAY or preview.step == "talking"


def as_card(preview: PreviewView) -> ScreenPop:
    """The card of a record that is not a call yet."""
    card = preview.card
    return ScreenPop(
        interaction_id=preview.attempt_id,
        channel="voice",
        queue=None,
        queue_title=card.campaign_title,
        caller_number=card.number,
        caller_name=card.name,
        called="",
        waited_s=0.0,
        why="",
        customer=preview.customer,
        candidates=preview.candidates,
        outbound=card,
    )


def person_of(card: ScreenPop) -> str:
    """Whom a card is about: the customer, else as list or network call it, else the number."""
    if card.customer is not None:
        return card.customer.name
    listed = card.caller_name if card.outbound is None else card.outbound.name
    return listed or spaced_number(card.caller_number)


def told_over(
    preview: PreviewView, before: PreviewView | None
) -> tuple[str, str, dict[str, object]] | None:
    """What to say of a record that is over: key, severity, values; None: its talk says it all."""
    outcome, reason = preview.outcome, preview.reason
    told: dict[str, object] = {"who": person_of(as_card(preview)), "reason": reason}
    if outcome == "connected":
        return None
    if reason in SKIP_REASONS:
        return "notice.skipped", "information", told
    is_given_up = outcome in (None, "agent-gone", "cancelled")
    was_read = (  # so no phone rang
        before is not None and before.attempt_id == preview.attempt_id and before.step == READING
    )
    if is_given_up and (outcome is None or was_read or reason in _WENT_BACK):
        return "notice.preview_over", "information", told
    told["outcome"] = "cancelled" if reason == "given-up" else outcome
    severity = "information" if reason == "given-up" else "warning"
    return "notice.not_reached", severity, told


def running(campaigns: Mapping[str, CampaignView], *modes: str) -> list[CampaignView]:
    """Campaigns that run, of these modes or of all, by name."""
    return sorted(
        (c for c in campaigns.values() if c.state == "running" and (not modes or c.mode in modes)),
        key=lambda campaign: campaign.name,
    )


def waiting_clicks(campaigns: Mapping[str, CampaignView]) -> list[CampaignView]:
    """Campaigns that dial when somebody clicks, and have somebody to dial."""
    modes = ("progressive", "predictive", "announcement")  # with a preview, consent is the click
    return [each for each in running(campaigns, *modes) if each.human_initiated and each.ahead > 0]


def tracked(
    track: tuple[TrackPoint, ...], campaign: CampaignView, at: float
) -> tuple[TrackPoint, ...]:
    """The course of a campaign with this news; the last point follows until its time is full."""
    point = TrackPoint(
        at=at,
        enforced=campaign.enforced_percent or 0.0,
        dial_level=campaign.dial_level or 0.0,
        in_flight=campaign.in_flight,
        talking=campaign.talking,
    )
    if len(track) > 1 and at - track[-2].at <= TRACK_EVERY_S:
        return (*track[:-1], point)
    return (*track[-TRACK_LENGTH + 1 :], point)
