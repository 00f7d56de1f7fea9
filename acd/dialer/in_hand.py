"""Records that the dialer holds: whose claims have to be kept up, and which are to be let go.

The store is not asked on the path of a call, so a record may be held that must not be called any more:
its number was forbidden meanwhile, or somebody else has claimed it. Who looks after the lists asks what
is held, and withdraws what nobody has dialled yet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from msgspec import structs

from acd.dialer.attempt_state import WITH_AGENT_FIRST, AttemptInput
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.course import Course
from acd.dialer.model import CampaignName, Candidate, Held, RecordId

FORBIDDEN: Final = "forbidden"
"""Why records are withdrawn: their number must not be called."""
LAPSED: Final = "claim-lapsed"
"""Or: they are held no longer."""


class InHand:
    """All records of all campaigns that came from the store and did not go back yet."""

    def __init__(self, runs: Mapping[CampaignName, CampaignRun], course: Course) -> None:
        self._runs = runs
        self._course = course
        self.give_back: Callable[[CampaignRun, Sequence[Candidate], str], None] = (
            lambda run, candidates, reason: None
        )

    def under_way(self, before: float) -> list[Candidate]:
        """Whom attempts call that began before a moment (monotonic), or talk with, or show an agent."""
        live = self._course.live.values()
        return [each.candidate for each in live if each.began < before and each.candidate.claim]

    def not_dialled(self, name: CampaignName) -> list[Candidate]:
        """Records of a campaign that are at hand, or that agents have before them."""
        run = self._runs.get(name)
        if run is None:
            return []
        shown = [each.candidate for each in run.attempts.values() if each.state in WITH_AGENT_FIRST]
        return [*(candidate for candidate, _ in run.supply), *shown]

    def kept_up(self, until: Mapping[RecordId, float]) -> None:
        """The store holds these records until then, in seconds since 1970."""
        for attempt in self._course.live.values():
            lapses_at = until.get(attempt.candidate.record)
            if lapses_at is not None:
                attempt.candidate = structs.replace(attempt.candidate, lapses_at=lapses_at)

    def withdraw(self, records: Collection[Held], reason: str) -> int:
        """Let go of records that nobody has dialled yet, those before agents too; gives how many."""
        found = 0
        for run in tuple(self._runs.values()):
            taken = run.take(lambda each: each.held in records)
            if taken:
                self.give_back(run, taken, reason)
            shown = [
                each
                for each in run.attempts.values()
                if each.state in WITH_AGENT_FIRST and each.candidate.held in records
            ]
            for attempt in shown:
                attempt.reason = reason
                self._course.feed(attempt, AttemptInput.AGENT_GONE)
            found += len(taken) + len(shown)
        return found
