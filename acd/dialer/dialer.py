"""Outbound: campaigns dial, people who answer are brought to agents, and every attempt is kept.

    store --supply--> campaigns --dial--> call control --takes--> attempts --> contacts in queues
                          ^                                          |
    clock, freed agents --'                                          '--on_attempt--> store

Synchronous, as everything on the path of a call. Nothing here asks the store: candidates are brought
ahead (`wanted`, `supply`), and what became of them is told (`on_attempt`, `on_release`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from acd.contact_events import ContactEvent
from acd.contacts import Contacts
from acd.dialer.adoption import AttemptAdoption
from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import Effect
from acd.dialer.by_hand import ByHand
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.campaign_state import CampaignInput
from acd.dialer.campaigns import Campaigns
from acd.dialer.course import Course
from acd.dialer.decided import Decided
from acd.dialer.dialling import Dialling
from acd.dialer.events import DialerEvent, PreviewChanged
from acd.dialer.in_hand import InHand
from acd.dialer.judging import Judging
from acd.dialer.legal import Counts
from acd.dialer.limits import Limits
from acd.dialer.model import (
    Attempt,
    AttemptId,
    Blocker,
    CampaignName,
    CampaignState,
    Candidate,
    Outcome,
)
from acd.dialer.news import News
from acd.dialer.panel import Panel
from acd.dialer.people import People
from acd.dialer.ports import Callers, DialRoutes
from acd.dialer.reserving import Reserving
from acd.dialer.roster import Roster
from acd.dialer.rounds import Rounds
from acd.dialer.settings import CampaignSettings
from acd.dialer.shares import Shares
from acd.dialer.views import AttemptView, CampaignView, PreviewView
from acd.distribution import Distribution
from acd.events import AcdEvent
from acd.model import AgentId, AgentState
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId


class Dialer:
    """All campaigns of a node. Called from the loop's thread only."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        distribution: Distribution,
        callers: Callers,
        control: CallControl,
        clock: Clock,
        routes: DialRoutes,
        new_id: Callable[[str], str],
        report: Callable[[ContactEvent], None],
    ) -> None:
        """`callers` is `acd.inbound.Inbound`; `takes` must come after its."""
        self._contacts = contacts
        self._distribution = distribution
        self._callers = callers
        self._control = control
        self._clock = clock
        self._runs: dict[CampaignName, CampaignRun] = {}
        self._course = course = Course(self._runs, clock)
        self._dialling = Dialling(
            course=course,
            contacts=contacts,
            control=control,
            clock=clock,
            routes=routes,
            new_id=new_id,
        )
        self._people = People(
            course=course,
            contacts=contacts,
            distribution=distribution,
            callers=callers,
            control=control,
            clock=clock,
            report=report,
        )
        self._reserving = Reserving(
            course=course,
            people=self._people,
            dialling=self._dialling,
            contacts=contacts,
            distribution=distribution,
            callers=callers,
            control=control,
            clock=clock,
            tell=self._preview_changed,
        )
        self._judging = Judging(
            course=course,
            control=control,
            clock=clock,
            on_person=self._people.person,
            leave_message=self._people.leave_message,
        )
        self._roster = Roster()
        self._roster.load(distribution.agents())
        self._limits = Limits(dialling=self._dialling, roster=self._roster, clock=clock)
        self._rounds = Rounds(
            runs=self._runs,
            course=course,
            dialling=self._dialling,
            reserving=self._reserving,
            limits=self._limits,
            shares=Shares(
                limits=self._limits,
                roster=self._roster,
                contacts=contacts,
                distribution=distribution,
                clock=clock,
            ),
            clock=clock,
        )
        self._campaigns = Campaigns(
            runs=self._runs,
            course=course,
            rounds=self._rounds,
            limits=self._limits,
            callers=callers,
            routes=routes,
            distribution=distribution,
            clock=clock,
        )
        self._by_hand = ByHand(
            runs=self._runs,
            dialling=self._dialling,
            reserving=self._reserving,
            rounds=self._rounds,
            limits=self._limits,
            distribution=distribution,
        )
        self.adoption = AttemptAdoption(
            runs=self._runs,
            course=course,
            people=self._people,
            reserving=self._reserving,
            contacts=contacts,
            roster=self._roster,
            distribution=distribution,
            clock=clock,
        )
        """For a restart of the call agent."""
        self.in_hand = InHand(self._runs, course)
        """For who looks after the lists: what is held of them."""
        self.in_hand.give_back = self._campaigns.release
        self._campaigns.on_run_change = self.adoption.run_changed
        self._rounds.before = self._campaigns.tidy
        self._rounds.on_decision = Decided(lambda event: self.on_event(event)).take
        self._panel = Panel(limits=self._limits, roster=self._roster, clock=clock)
        distribution.on_reserved = self._reserving.shown
        course.on_over = self._over
        self.recall = course.recall
        """Attempts of an earlier process, or that are long over: what their agents chose comes now."""
        course.effects |= {
            Effect.CALL_AGENT: self._reserving.call_agent,
            Effect.DIAL: self._dialling.dial,
            Effect.JUDGE: self._judging.judge,
            Effect.QUEUE: self._people.queue,
            Effect.REGRET: self._people.regret,
            Effect.LEAVE_MESSAGE: self._judging.wait_for_beep,
            Effect.RUN_FLOW: self._people.run_flow,
            Effect.TOLD: self._people.told,
            Effect.HANG_UP: self._people.hang_up,
        }
        self._news = News(
            course=course,
            dialling=self._dialling,
            people=self._people,
            judging=self._judging,
            reserving=self._reserving,
            rounds=self._rounds,
            limits=self._limits,
            contacts=contacts,
            roster=self._roster,
            runs=self._runs,
            clock=clock,
        )
        self.takes: Takes = self._news.takes
        """News from the switch; after `Inbound` had its own."""

    # --- who is told ----------------------------------------------------------------------------

    @property
    def on_release(self) -> Callable[[CampaignName, Sequence[Candidate], str], None]:
        """Told of records that were brought and are not dialled, with the reason: to be given back."""
        return self._campaigns.on_release

    @on_release.setter
    def on_release(self, tell: Callable[[CampaignName, Sequence[Candidate], str], None]) -> None:
        self._campaigns.on_release = tell

    @property
    def on_event(self) -> Callable[[DialerEvent], None]:
        """Told of campaigns, previews and decisions."""
        return self._campaigns.on_event

    @on_event.setter
    def on_event(self, tell: Callable[[DialerEvent], None]) -> None:
        self._campaigns.on_event = tell

    @property
    def on_attempt(self) -> Callable[[Attempt], None]:
        """Told when a talk begins, when an attempt is over, and when its disposition is known.

        Up to three times for one id, and the last word counts.
        """
        return self._course.on_attempt

    @on_attempt.setter
    def on_attempt(self, tell: Callable[[Attempt], None]) -> None:
        self._course.on_attempt = tell

    def acd_event(self, event: AcdEvent | ContactEvent) -> None:
        """News of agents and contacts: everything that is reported, after the translator had it."""
        self._news.acd_event(event)

    # --- campaigns ------------------------------------------------------------------------------

    def load(
        self,
        settings: CampaignSettings,
        *,
        state: CampaignState = CampaignState.DRAFT,
        totals: Mapping[Outcome, int] | None = None,
        today: Mapping[Outcome, int] | None = None,
        history: Sequence[tuple[float, Counts]] = (),
        learned: Mapping[str, Any] | None = None,
    ) -> None:
        """As `Campaigns.load`; `learned` is what its pacer had learned. Raises BadCampaignError."""
        self._campaigns.load(
            settings, state=state, totals=totals, today=today, history=history, learned=learned
        )

    def unload(self, name: CampaignName) -> None:
        """Forget a campaign; what is not answered is cancelled, and it goes with its last talk."""
        self._campaigns.unload(name)

    def names(self) -> tuple[CampaignName, ...]:
        """All that are loaded."""
        return tuple(name for name, run in self._runs.items() if not run.is_leaving)

    def settings(self, name: CampaignName) -> CampaignSettings:
        """What a campaign is told. Raises UnknownCampaignError."""
        return self._run(name).settings

    def start(self, name: CampaignName, by: str = "operator") -> None:
        """Dial. Raises NotThatStateError, UnknownCampaignError."""
        self._campaigns.step(name, CampaignInput.START, by)

    def pause(self, name: CampaignName, by: str = "operator") -> None:
        """Dial no more; what is in flight goes on. Raises as `start`."""
        self._campaigns.step(name, CampaignInput.PAUSE, by)

    def finish(self, name: CampaignName, by: str = "operator") -> None:
        """It is over; what is in flight goes on, since phones that ring have to ring long enough.

        Raises as `start`.
        """
        self._campaigns.step(name, CampaignInput.FINISH, by)

    def misjudged(
        self, name: CampaignName, answered_at: float, was: Outcome, doubt: float, *, today: bool
    ) -> None:
        """Who was taken for a machine was a person; `doubt` of it was counted. UnknownCampaignError."""
        self._campaigns.misjudged(name, answered_at, was, doubt, today=today)

    def wanted(self, name: CampaignName) -> int:
        """How many more candidates it would like to have at hand now."""
        return self._campaigns.wanted(name)

    def supply(self, name: CampaignName, candidates: Sequence[Candidate]) -> None:
        """Bring candidates, best first. An empty sequence says: the list has none now."""
        self._campaigns.supply(name, candidates)

    # --- people ---------------------------------------------------------------------------------

    def take(self, agent: AgentId, name: CampaignName | None = None) -> PreviewView:
        """The agent takes its next record, of this campaign or of any, and is reserved for it.

        Raises NothingToDialError, UnknownCampaignError.
        """
        return self._by_hand.take(agent, name)

    def dial(self, agent: AgentId) -> None:
        """The agent consents: its phone is called, then the customer. Raises NoPreviewError."""
        self._reserving.dial(agent)

    def skip(self, agent: AgentId, reason: str = "skipped") -> None:
        """The agent gives its record back before anybody answered. Raises NoPreviewError."""
        self._reserving.skip(agent, reason)

    def click(self, name: CampaignName, by: str) -> AttemptId:
        """A person starts one dial, which is kept with the attempt. Raises NothingToDialError."""
        return self._by_hand.click(name, by)

    def dispose(
        self,
        attempt: AttemptId,
        disposition: str,
        *,
        call_back_at: float | None = None,
        mine: bool = False,
    ) -> bool:
        """What the agent chose, the rest stays; False: the attempt is not known here (any more)."""
        return self._course.dispose(attempt, disposition, call_back_at, mine=mine)

    # --- what pacers learned ---------------------------------------------------------------------

    def decisions(self, name: CampaignName) -> int:
        """How many decisions its pacer has made. Raises UnknownCampaignError."""
        return self._run(name).pacer.decisions

    def learned(self, name: CampaignName) -> dict[str, Any]:
        """What its pacer has learned, for JSON: to be given to `load` after a restart."""
        return self._run(name).pacer.record()

    # --- what can be seen -----------------------------------------------------------------------

    def blockers(self, name: CampaignName) -> tuple[Blocker, ...]:
        """Why nothing, or not more, is dialled, but for the list; empty: nothing is in the way."""
        return self._limits.blockers(self._run(name))

    def view(self, name: CampaignName) -> CampaignView:
        """One campaign, now. Raises UnknownCampaignError."""
        return self._panel.view(self._run(name))

    def attempts(self, name: CampaignName) -> tuple[AttemptView, ...]:
        """What is under way, oldest first."""
        return tuple(each.view() for each in self._run(name).attempts.values())

    def undecided(self, name: CampaignName) -> frozenset[AttemptId]:
        """Talks whose outcome may be chosen any moment: they go on, or their agent is in wrap-up."""
        run = self._run(name)
        talks = {each.id for each in run.attempts.values() if each.connected_at is not None}
        for agent, contact in self._roster.wrap_ups.items():
            attempt = AttemptId(contact)
            known = self._course.recent(attempt)
            if known is not None:
                is_ours = known.campaign == name
            else:
                is_ours = contact in self._roster.taken_over and (
                    run.settings.queue in self._roster.queues_of(agent)
                )
            if is_ours:
                talks.add(attempt)
        return frozenset(talks)

    def candidate(self, attempt: AttemptId) -> Candidate | None:
        """Whom an attempt that is under way calls; None once it is over."""
        live = self._course.live.get(attempt)
        return None if live is None else live.candidate

    def preview(self, agent: AgentId) -> PreviewView | None:
        """The record that an agent has before it."""
        return self._reserving.view(agent)

    def agent_state(self, agent: AgentId) -> AgentState:
        """What an agent does; raises `UnknownAgentError`."""
        return self._distribution.agent_state(agent)

    def __len__(self) -> int:
        """Attempts that are under way."""
        return len(self._course.live)

    def is_mine(self, leg: LegId) -> bool:
        """Whether a leg is one of an attempt."""
        return self._course.of_leg(leg) is not None

    # --- the server -----------------------------------------------------------------------------

    def new_day(self) -> None:
        """The figures of the day begin anew."""
        for run in self._runs.values():
            run.figures.new_day()

    def close(self) -> None:
        """The server is stopping: nobody is called any more, unanswered dials are cancelled."""
        self._campaigns.close()

    # --- inside ---------------------------------------------------------------------------------

    def _preview_changed(self, view: PreviewView) -> None:
        self.on_event(PreviewChanged(view=view, at=self._clock.now()))

    def _over(self, attempt: LiveAttempt, result: Attempt) -> None:
        self._judging.forget(attempt)
        self._reserving.over(attempt, result)
        self._campaigns.drop(self._run(attempt.campaign))

    def _run(self, name: CampaignName) -> CampaignRun:
        return self._campaigns.run(name)
