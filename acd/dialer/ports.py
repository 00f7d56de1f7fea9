"""What the dialer needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from acd.dialer.model import Attempt, CampaignName, Candidate, Funnel, RecordId
from acd.model import AgentId


class ListStore(Protocol):
    """The lists of all campaigns. Never asked on the path of a call: the dialer keeps a few ahead.

    Times are seconds since 1970. Errors are those of the store, and delay dialing, not calls.
    """

    async def claim(
        self, campaign: CampaignName, at: float, most: int, *, for_agent: AgentId | None = None
    ) -> list[Candidate]:
        """Take the next records that every rule allows now, best first, and mark them claimed.

        With `for_agent` call-backs of that agent come first; without, those of named agents are
        left out. A claim that was neither released nor settled within ten minutes lapses.
        """

    async def release(self, records: Sequence[RecordId]) -> None:
        """Give back what was not dialled after all; as if it had never been claimed."""

    async def settle(self, attempts: Sequence[Attempt]) -> None:
        """Keep attempts for good, and move their records: done, blocked, or ready again later."""

    async def forbid(self, number: str, *, campaign: CampaignName | None, reason: str) -> None:
        """Put a number on the do-not-call list of a campaign, or of the centre (None)."""

    async def funnel(self, campaign: CampaignName, at: float) -> Funnel:
        """Count what each filter leaves of the list."""
