"""What people take and start themselves: records by hand, and dials by a click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from acd.dialer.attempt import LiveAttempt
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.dialling import Dialling
from acd.dialer.errors import NothingToDialError, UnknownCampaignError
from acd.dialer.limits import Limits
from acd.dialer.model import AttemptId, Blocker, CampaignName, Mode
from acd.dialer.reserving import Reserving
from acd.dialer.rounds import Rounds
from acd.dialer.views import PreviewView
from acd.distribution import Distribution
from acd.model import AgentId, AgentState

_NO_CAMPAIGN: Final = Blocker(
    code="no-campaign", words="No campaign of your queues has records for agents."
)
_NOT_FREE: Final = Blocker(
    code="not-free", words="Finish what you are at, and be ready, to take a record."
)
_NO_RECORD: Final = Blocker(code="list-empty", words="No record is at hand: try again in a moment.")


class ByHand:
    """Refuses in words where there is nothing to be had."""

    def __init__(
        self,
        *,
        runs: Mapping[CampaignName, CampaignRun],
        dialling: Dialling,
        reserving: Reserving,
        rounds: Rounds,
        limits: Limits,
        distribution: Distribution,
    ) -> None:
        self._runs = runs
        self._dialling = dialling
        self._reserving = reserving
        self._rounds = rounds
        self._limits = limits
        self._distribution = distribution

    def take(self, agent: AgentId, name: CampaignName | None = None) -> PreviewView:
        """The agent takes its next record, of this campaign or of any, and is reserved for it.

        Raises NothingToDialError, UnknownCampaignError.
        """
        runs = [self._run(name)] if name is not None else list(self._runs.values())
        blocker = _NO_CAMPAIGN
        for run in runs:
            if run.settings.mode is Mode.ANNOUNCEMENT:
                continue
            if agent not in self._distribution.members(run.settings.queue):
                continue
            halts = self._limits.blockers(run)
            if self._limits.halt(run):
                blocker = halts[0]
                continue
            attempt = self._take(run, agent)
            view = None if attempt is None else self._reserving.view(agent)
            if view is not None:
                return view
            blocker = _NOT_FREE if not self._is_free(agent) else _NO_RECORD
        raise NothingToDialError(name or CampaignName(""), blocker)

    def _take(self, run: CampaignRun, agent: AgentId) -> LiveAttempt | None:
        if not self._is_free(agent):
            return None
        candidate = run.next_for(agent, self._dialling.has_way(run), only_special=False)
        if candidate is None:
            return None
        return self._reserving.reserve(run, candidate, agent)

    def _is_free(self, agent: AgentId) -> bool:
        return self._distribution.agent_state(agent) is AgentState.AVAILABLE

    def click(self, name: CampaignName, by: str) -> AttemptId:
        """A person starts one dial, which is kept with the attempt. Raises NothingToDialError."""
        run = self._run(name)
        attempt = self._rounds.click(run, by)
        if attempt is None:
            others = (b for b in self._limits.blockers(run) if b.code != "waiting-for-click")
            raise NothingToDialError(name, next(others, _NO_RECORD))
        return attempt.id

    def _run(self, name: CampaignName) -> CampaignRun:
        try:
            return self._runs[name]
        except KeyError:
            raise UnknownCampaignError(name) from None
