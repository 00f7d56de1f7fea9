"""Each campaign's share of the agents, now: who of them is free, and how long the others are busy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Final

from acd.contacts import Contacts
from acd.dialer.attempt_state import AttemptState
from acd.dialer.campaign_run import WITH_AGENTS, CampaignRun
from acd.dialer.limits import Limits
from acd.dialer.model import CampaignName, Mode
from acd.dialer.pacing.model import Floor
from acd.dialer.roster import Roster, ages
from acd.dialer.sharing import split
from acd.distribution import Distribution
from acd.model import AgentId, QueueName
from switch.clock import Clock

MOST_FREE: Final = 2000
"""So many free agents are looked at in a round; nobody dials for more at once."""


class Shares:
    """Asked at the beginning of each round, for all campaigns that run."""

    def __init__(
        self,
        *,
        limits: Limits,
        roster: Roster,
        contacts: Contacts,
        distribution: Distribution,
        clock: Clock,
    ) -> None:
        self._limits = limits
        self._roster = roster
        self._contacts = contacts
        self._distribution = distribution
        self._clock = clock

    def share(self, runs: Iterable[CampaignRun]) -> dict[CampaignName, Sequence[AgentId]]:
        """Give each agent to one campaign; returns the free ones, longest free first."""
        takers = [run for run in runs if run.settings.mode in WITH_AGENTS]
        for run in takers:
            run.claim.members = self._members(run)
            run.claim.weight = run.settings.weight
            run.claim.committed = self._committed(run)
            run.claim.is_able = self._limits.may_begin(run)
        free = self._without_reserve(self._free(takers), takers)
        for run in takers:
            run.without_desk = self._without_desk(run, free)
        if len(takers) == 1:
            (only,) = takers
            free = [agent for agent in free if agent in only.claim.members]
            self._give(only, free, only.claim.members)
            return {only.name: free}
        busy = (*self._roster.wrapping, *self._roster.talking)
        given = split([*free, *busy], [run.claim for run in takers])
        shares: dict[CampaignName, Sequence[AgentId]] = {}
        for run in takers:
            mine = {agent for agent, name in given.items() if name == run.name}
            shares[run.name] = [agent for agent in free if agent in mine]
            self._give(run, shares[run.name], mine)
        return shares

    def _members(self, run: CampaignRun) -> Set[AgentId]:
        """Who may talk for it: a preview, shown at desks, leaves the other agents to other campaigns."""
        members = self._distribution.members(run.settings.queue)
        if run.settings.mode is not Mode.PREVIEW:
            return members
        return frozenset(filter(self._distribution.is_at_desk, members))

    def _without_desk(self, run: CampaignRun, free: Iterable[AgentId]) -> int:
        """How many free agents a preview passes over."""
        members = self._distribution.members(run.settings.queue)
        return sum(agent in members and agent not in run.claim.members for agent in free)

    def _give(self, run: CampaignRun, free: Sequence[AgentId], mine: Set[AgentId]) -> None:
        now = self._clock.now()
        run.share = len(free)
        run.floor = Floor(
            free=run.share,
            waiting=self._waiting(run),
            talking=ages(self._roster.talking, mine, now),
            wrapping=ages(self._roster.wrapping, mine, now),
            callers=self._callers(run),
        )

    def _free(self, runs: Iterable[CampaignRun]) -> list[AgentId]:
        """Who is free for any of them, longest first."""
        queues = {run.settings.queue for run in runs}
        lines = [self._distribution.idle(queue, MOST_FREE) for queue in queues]
        if len(lines) == 1:
            return [place[2] for place in lines[0]]
        places = sorted({place for line in lines for place in line})
        return [place[2] for place in places[:MOST_FREE]]

    def _without_reserve(self, free: list[AgentId], runs: Iterable[CampaignRun]) -> list[AgentId]:
        """Leave to the queues' callers who is kept for them: who would be theirs next."""
        kept: dict[QueueName, int] = {}
        for run in runs:
            if run.settings.inbound_reserve > 0:
                queue = run.settings.queue
                kept[queue] = max(kept.get(queue, 0), run.settings.inbound_reserve)
        if not kept:
            return free
        usable = []
        for agent in free:
            owed = [queue for queue in self._roster.queues_of(agent) if kept.get(queue, 0) > 0]
            for queue in owed:
                kept[queue] -= 1
            if not owed:
                usable.append(agent)
        return usable

    def _committed(self, run: CampaignRun) -> float:
        """Agents that its dials and the people who wait will need."""
        open_dials = float(run.on_their_own())
        decision = run.decision
        if decision is not None and decision.answer_rate > 0.0:
            open_dials *= decision.answer_rate * decision.human_rate
        return self._waiting(run) + open_dials

    def _waiting(self, run: CampaignRun) -> int:
        """People who have no agent yet, not even one whose phone is called."""
        waiting = 0
        for each in run.attempts.values():
            if each.state is AttemptState.WAITING:
                contact = self._contacts.get(each.contact)
                waiting += contact is not None and contact.agent is None
        return waiting

    def _callers(self, run: CampaignRun) -> int:
        """The queue's own callers who wait."""
        waiting = map(self._contacts.get, self._distribution.waiting(run.settings.queue))
        return sum(each is not None and not each.silent for each in waiting)
