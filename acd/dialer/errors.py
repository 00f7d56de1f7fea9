"""Errors of outbound.

DialerError
├── UnknownCampaignError   no campaign of this name is loaded
├── BadCampaignError       settings that cannot work here: no such queue, flow or trunk
├── NotThatStateError      a campaign cannot be started, paused or finished as it is
├── NothingToDialError     asked for a record or a dial when none may be had; says which blocker
└── NoPreviewError         the agent has no record before it
"""

from __future__ import annotations

from acd.dialer.model import Blocker, CampaignName, CampaignState
from acd.errors import AcdError
from acd.model import AgentId


class DialerError(AcdError):
    """Base of the errors of outbound."""

    error_id = "dialer-error"


class UnknownCampaignError(DialerError):
    """No campaign of this name is loaded."""

    error_id = "unknown-campaign"

    def __init__(self, campaign: str) -> None:
        super().__init__(f"no campaign {campaign!r} is loaded", campaign=campaign)


class BadCampaignError(DialerError):
    """Settings that cannot work here."""

    error_id = "bad-campaign"

    def __init__(self, campaign: CampaignName, field: str, problem: str) -> None:
        message = f"campaign {campaign}: {field}: {problem}"
        super().__init__(message, campaign=campaign, field=field)


class NotThatStateError(DialerError):
    """The campaign cannot do that as it is."""

    error_id = "campaign-state"

    def __init__(self, campaign: CampaignName, state: CampaignState, wanted: str) -> None:
        message = f"campaign {campaign} is {state.value} and cannot {wanted}"
        super().__init__(message, campaign=campaign, state=state.value, wanted=wanted)


class NothingToDialError(DialerError):
    """Nothing can be dialled for who asks."""

    error_id = "nothing-to-dial"

    def __init__(self, campaign: CampaignName, blocker: Blocker) -> None:
        super().__init__(blocker.words, campaign=campaign, blocker=blocker.code)


class NoPreviewError(DialerError):
    """The agent has no record before it that this could mean."""

    error_id = "no-preview"

    def __init__(self, agent: AgentId, problem: str = "has no record to dial") -> None:
        super().__init__(f"agent {agent} {problem}", agent=agent)
