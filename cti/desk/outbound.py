"""What a screen knows of campaigns, and how news change it. Pure; part of `cti.desk.reduce`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cti.schema import CampaignView, PreviewView, ScreenPop

READING: Final = "reading"
_ON_ITS_WAY: Final[Mapping[str, str]] = {
    READING: "preview",
    "calling-agent": "calling-agent",
    "dialling": "dialling",
    "ringing": "customer-rings",
}
"""Steps of a preview until the talk, and the agent's state as its desk shows it."""
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
