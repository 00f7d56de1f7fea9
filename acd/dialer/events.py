"""What the dialer reports, beside `on_attempt`. Moments are monotonic seconds."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from acd.dialer.model import CampaignName, CampaignState
from acd.dialer.pacing.model import Decision
from acd.dialer.views import PreviewView


class CampaignMoved(Struct, frozen=True, kw_only=True):
    """A campaign was started, paused or finished, or its settings were changed."""

    campaign: CampaignName
    at: float
    state: CampaignState
    reason: str


class PreviewChanged(Struct, frozen=True, kw_only=True):
    """What an agent's desk shows of its next, or present, record."""

    view: PreviewView
    at: float


class PacerDecided(Struct, frozen=True, kw_only=True):
    """One decision of the pacer with everything it follows from; can be replayed.

    Only those that dial, or differ from the one before.
    """

    campaign: CampaignName
    at: float
    number: int
    dial: int
    vector: Mapping[str, float]
    """Its plain figures by name."""
    decision: Decision
    """All of it: `acd.dialer.pacing` can come to the same from it."""


DialerEvent = CampaignMoved | PreviewChanged | PacerDecided
