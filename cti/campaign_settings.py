"""The section `campaigns` of the configuration: what holds for outbound as a whole.

Campaigns themselves are in the store: made and changed by the API and `switchroom campaigns`.
"""

from __future__ import annotations

from cti.section import Section


class CampaignsSection(Section, frozen=True, kw_only=True):
    """Outbound as a whole."""

    flows: tuple[str, ...] = ()
    """Flows that announcements may use, beside those of the entries."""
    resume: bool = True
    """Campaigns that ran when the server stopped run on when it starts; no: they are paused."""
