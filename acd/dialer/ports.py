"""What the dialer needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from acd.contact import Contact
from acd.dialer.model import Attempt, CampaignName, Candidate, Funnel, Held, RecordId
from acd.model import AgentId, QueueName
from acd.ports import Destination


class ListStore(Protocol):
    """The lists of all campaigns. Never asked on the path of a call: the dialer keeps a few ahead.

    Times are seconds since 1970. Errors are those of the store, and delay dialing, not calls.
    """

    async def claim(
        self,
        campaign: CampaignName,
        at: float,
        most: int,
        *,
        for_agent: AgentId | None = None,
        own_only: bool = False,
    ) -> list[Candidate]:
        """Take the next records that every rule allows now, best first, and mark them claimed.

        With `for_agent` call-backs of that agent come first; without, those of named agents are
        left out; `own_only`: nothing but the agent's own. A claim that was neither released nor
        settled nor renewed within ten minutes lapses.
        """

    async def awaited(self, campaign: CampaignName, at: float) -> list[AgentId]:
        """The agents for whom records wait that are nobody else's, such as call-backs they promised."""

    async def free(self, campaign: CampaignName, agents: Sequence[AgentId], at: float) -> int:
        """Let anybody dial what waits for these agents, who are not there any more; gives how many."""

    async def release(self, held: Sequence[Held], *, at: float, reason: str = "") -> None:
        """Give back what was not dialled after all; as if it had never been claimed.

        What somebody else holds by now is passed over. `reason` is the dialer's, as one slug.
        """

    async def renew(self, held: Sequence[Held], *, at: float) -> dict[RecordId, float]:
        """Keep claims up, and the numbers of people who talk; gives until when each record is held.

        Records that are missing in the answer are held no longer by this claim.
        """

    async def forbidden(
        self, campaign: CampaignName, numbers: Sequence[str], at: float
    ) -> set[str]:
        """Those of the numbers, in E.164, that a campaign must not call now."""

    async def settle(self, attempts: Sequence[Attempt]) -> None:
        """Keep attempts for good, and move their records: done, blocked, or ready again later."""

    async def forbid(self, number: str, *, campaign: CampaignName | None, reason: str) -> None:
        """Put a number on the do-not-call list of a campaign, or of the centre (None)."""

    async def funnel(self, campaign: CampaignName, at: float) -> Funnel:
        """Count what each filter leaves of the list."""


class DialRoutes(Protocol):
    """Where the numbers of campaigns lead, and whether there is room. Asked for each dial: at once."""

    def customer(self, way: str, number: str) -> Destination:
        """Where to dial a number: by the trunk or group `way`, or if that is empty by the number plan.

        `NoRoute` says in one slug why not: `unknown-number`, `not-allowed`, `unknown-trunk`.
        """

    def why_not(self, way: str) -> str:
        """Why a trunk or group takes no further call now, as one slug; empty: it does.

        `unknown`, `down`, `max-calls`, `max-calls-per-second`.
        """


class Callers(Protocol):
    """What `acd.inbound.Inbound` does for people who answered a campaign."""

    def enqueue(
        self,
        contact: Contact,
        queue: QueueName,
        *,
        priority: int = 0,
        preferred: AgentId | None = None,
        patience_s: float = 0.0,
    ) -> None:
        """Let it have an agent: at once if one is free."""

    def has_flow(self, flow: str) -> bool:
        """Whether there is a flow of this name."""

    def run_flow(self, contact: Contact, flow: str) -> None:
        """Let it hear a flow, which may lead it on to a queue."""
