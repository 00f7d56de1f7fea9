"""What keeps a campaign from dialling, or from dialling more: for the pacer, and in words for people."""

from __future__ import annotations

from typing import Final

from acd.dialer.campaign_run import CampaignRun
from acd.dialer.dialling import Dialling
from acd.dialer.model import Blocker, CampaignState, Mode
from acd.dialer.pacing.model import Limit, Reason
from acd.dialer.roster import Roster
from acd.dialer.settings import Guard, moment
from acd.model import AgentState
from switch.clock import Clock

ANY_NUMBER: Final = 1_000_000
LIST_HAS_NONE: Final = "No record is at hand: see what the list has left."
"""Who knows the list may say more."""

_STATES: Final = {
    CampaignState.DRAFT: "The campaign has not been started: start it.",
    CampaignState.PAUSED: "The campaign is paused: start it again.",
    CampaignState.FINISHED: "The campaign is finished: start it again to go on.",
}
_TRUNK: Final = {
    "failing": "Trunk {trunk} fails again and again; it is tried once in a while. See its state.",
    "down": "No address of trunk {trunk} is good, or it is not registered. See its state.",
    "max-calls": "Trunk {trunk} carries as many calls as it may: wait, or raise its max_calls.",
    "max-calls-per-second": "Trunk {trunk} begins as many calls a second as it may.",
    "unknown": "There is no trunk or group {trunk}: change the campaign's trunk.",
    "unknown-trunk": "There is no trunk or group {trunk}: change the campaign's trunk.",
    "not-allowed": "No trunk may be used for that: set campaigns = true on one that reaches it.",
    "unknown-number": "The number plan has no way to these numbers: see the trunk and its prefixes.",
    "blocked": "The number plan blocks these numbers (`[numbering] blocked`).",
}
_CODES: Final = {
    "failing": "trunk-failing",
    "down": "trunk-down",
    "max-calls": "trunk-full",
    "max-calls-per-second": "trunk-full",
    "unknown": "trunk-unknown",
    "unknown-trunk": "trunk-unknown",
    "not-allowed": "trunk-not-allowed",
    "unknown-number": "no-route",
    "blocked": "numbers-blocked",
}


class Limits:
    """Asked for each decision and each view, so that both say the same."""

    def __init__(self, *, dialling: Dialling, roster: Roster, clock: Clock) -> None:
        self._dialling = dialling
        self._roster = roster
        self._clock = clock
        self.has_gateway = False
        self.is_closed = False

    # --- for decisions --------------------------------------------------------------------------

    def halt(self, run: CampaignRun) -> bool:
        """Whether nothing at all is to be begun."""
        return bool(self._halts(run))

    def room(self, run: CampaignRun, *, clicks: int = 0) -> int:
        """How many dials the limits allow now."""
        return min(each.most for each in self.limits(run, clicks=clicks))

    def may_begin(self, run: CampaignRun) -> bool:
        """Whether it could dial if it had an agent."""
        return bool(run.supply) and self._calls_left(run) > 0 and not self._obstacle(run)

    def may_reserve(self, run: CampaignRun) -> bool:
        """Whether an agent may be reserved for one more record."""
        return self._calls_left(run) > 0

    def limits(self, run: CampaignRun, *, clicks: int = 0) -> tuple[Limit, ...]:
        """Everything outside the pacer that bounds the number of dials."""
        found = [Limit(code="list-empty", most=run.for_anyone())]
        if run.settings.limits.calls > 0:
            found.append(Limit(code="calls", most=self._calls_left(run)))
        per_s = run.settings.limits.calls_per_s
        if per_s > 0:
            found.append(Limit(code="calls-per-second", most=max(1, round(per_s))))
        if run.settings.human_initiated:
            found.append(Limit(code="waiting-for-click", most=clicks))
        obstacle = self._obstacle(run)
        if obstacle:
            found.append(Limit(code=_CODES.get(obstacle, obstacle), most=0))
        return tuple(found)

    def _calls_left(self, run: CampaignRun) -> int:
        most = run.settings.limits.calls
        return max(0, most - len(run.attempts)) if most > 0 else ANY_NUMBER

    def _obstacle(self, run: CampaignRun) -> str:
        """What keeps the next records from being dialled."""
        return self._dialling.obstacle(run)

    # --- in words -------------------------------------------------------------------------------

    def blockers(self, run: CampaignRun) -> tuple[Blocker, ...]:
        """Why nothing, or not more, is dialled; the most important first."""
        found = self._halts(run)
        if found:
            return tuple(found)
        found += self._of_agents(run)
        found += self._of_way(run)
        found += self._of_cap(run)
        if run.settings.human_initiated:
            words = "Each dial of this campaign waits for a person's click."
            found.append(Blocker(code="waiting-for-click", words=words))
        if not run.supply:
            words = LIST_HAS_NONE
            if not run.is_list_empty:
                words = "No record is at hand yet; the list is being asked."
            found.append(Blocker(code="list-empty", words=words))
        decision = run.decision
        is_predictive = run.settings.mode is Mode.PREDICTIVE
        if is_predictive and decision is not None and decision.reason is Reason.LEARNING:
            words = (
                "One dial for each free agent until enough talks are known "
                f"({decision.talks:.0f} so far)."
            )
            found.append(Blocker(code="learning", words=words))
        return tuple(found)

    def _halts(self, run: CampaignRun) -> list[Blocker]:
        words = _STATES.get(run.state)
        if words is not None:
            return [Blocker(code="not-running", words=words)]
        wall = self._clock.wall()
        begins, ends = moment(run.settings.begins), moment(run.settings.ends)
        if begins is not None and wall < begins:
            words = f"The campaign begins at {run.settings.begins}."
            return [Blocker(code="before-begin", words=words, until=begins)]
        if ends is not None and wall >= ends:
            words = f"The campaign ended at {run.settings.ends}: change its end to go on."
            return [Blocker(code="after-end", words=words)]
        if self.is_closed:
            return [Blocker(code="stopping", words="The server is stopping.")]
        if not self.has_gateway:
            words = "No media gateway is there: calls would have no sound."
            return [Blocker(code="gateway-away", words=words)]
        return []

    def _of_agents(self, run: CampaignRun) -> list[Blocker]:
        settings = run.settings
        if settings.mode is Mode.ANNOUNCEMENT:
            return []
        states = self._roster.counts(settings.queue)
        free, away = states[AgentState.AVAILABLE], states[AgentState.LOGGED_OUT]
        if sum(states.values()) == away:
            words = f"No agent of queue {settings.queue} is signed on."
            return [Blocker(code="no-agents", words=words)]
        if not free:
            doing = ", ".join(
                f"{count} {state.value}"
                for state, count in states.most_common()
                if state is not AgentState.LOGGED_OUT
            )
            words = f"No agent of queue {settings.queue} is free: {doing}."
            return [Blocker(code="no-agent-free", words=words)]
        if settings.mode is Mode.MANUAL:
            return [Blocker(code="manual", words="Agents take records and dial them by hand.")]
        if run.share or not self.may_begin(run):
            return []
        if run.without_desk:
            return [Blocker(code="no-desk", words=_no_desk(run.without_desk))]
        if free <= settings.inbound_reserve:
            words = (
                f"{free} free agents are kept for the queue's own callers "
                f"(inbound_reserve = {settings.inbound_reserve})."
            )
            return [Blocker(code="inbound-reserve", words=words)]
        words = f"The {free} free agents are dialled for by other campaigns."
        return [Blocker(code="agents-shared", words=words)]

    def _of_way(self, run: CampaignRun) -> list[Blocker]:
        found = []
        most = run.settings.limits.calls
        if most > 0 and not self._calls_left(run):
            words = f"{len(run.attempts)} calls are in flight or talking, and {most} is the limit."
            found.append(Blocker(code="calls", words=words))
        decision = run.decision
        if decision is not None and decision.limit == "calls-per-second":
            words = f"No more than {run.settings.limits.calls_per_s:g} dials a second are allowed."
            found.append(Blocker(code="calls-per-second", words=words))
        obstacle = self._obstacle(run)
        if obstacle:
            words = _TRUNK.get(obstacle, f"The next number cannot be dialled: {obstacle}.")
            words = words.replace("{trunk}", self._dialling.way_of(run))
            until = None
            if obstacle == "failing":
                until = self._failing_until(run)
            found.append(Blocker(code=_CODES.get(obstacle, obstacle), words=words, until=until))
        return found

    def _failing_until(self, run: CampaignRun) -> float | None:
        until = self._dialling.failing_until(run)
        now = self._clock.now()
        return None if until is None else self._clock.wall() + until - now

    def _of_cap(self, run: CampaignRun) -> list[Blocker]:
        """The cap holds the campaign back: at one dial for each free agent, or behind an agent."""
        if not run.is_paced:
            return []
        decision = run.decision
        held = run.ledger.enforced(self._clock.wall(), run.settings.cap)
        counts = f"{_calls(held.abandoned)} of {_calls(held.answered)}"
        if held.is_broken:
            words = (
                f"The abandon rate ({held.formula.value}: {counts}, "
                f"{100 * held.rate:.2f} %) is over the cap of {100 * held.cap:g} %: each agent is called "
                "before its customer until it is not."
            )
            return [Blocker(code="abandon-cap", words=words)]
        at_floor = decision is not None and decision.reason is Reason.FREE_AGENTS
        if run.settings.mode is not Mode.PREDICTIVE or held.answered == 0.0:
            return []
        if held.is_kept and not at_floor:
            return []
        what = "upper bound " if held.guard is Guard.STATISTICAL else ""
        words = (
            f"The abandon rate ({held.formula.value}: {counts}, "
            f"{what}{100 * held.value:.2f} %) leaves no room under the cap of "
            f"{100 * held.cap:g} %: one dial for each free agent."
        )
        return [Blocker(code="abandon-cap", words=words)]


def _no_desk(agents: int) -> str:
    who = "1 free agent is" if agents == 1 else f"{agents} free agents are"
    return (
        f"{who} signed on without a desk: nobody would see the record. "
        "Open a desk for each, or set the campaign to mode progressive."
    )


def _calls(count: float) -> str:
    """A number of calls: parts of one, where somebody may have been a machine, with one decimal."""
    return f"{count:.1f}".removesuffix(".0")
