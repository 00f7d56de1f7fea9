"""The section `campaigns` of the configuration: what holds for outbound as a whole.

Campaigns themselves are in the store: made and changed by the API and `switchroom campaigns`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from cti.section import Section


class CampaignsSection(Section, frozen=True, kw_only=True):
    """Outbound as a whole."""

    flows: tuple[str, ...] = ()
    """Flows that announcements may use, beside those of the entries."""
    resume: bool = True
    """Campaigns that ran when the server stopped run on when it starts; no: they are paused."""
    decisions_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 90
    """The pacers' decisions are kept so long."""
    decisions_mb: Annotated[int, msgspec.Meta(ge=10, le=1_000_000)] = 1000
    """And of each campaign no more than so much, packed; the oldest go."""
