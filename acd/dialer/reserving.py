"""Agents who come before the customer: preview and manual mode, and records that need one reserved.

    reserve --> the card and the record are shown --> consent, or the time is over
            --> the agent's phone is called --> the customer is called, the agent hears it ring

The agent is held by the distribution as for any offer, so it is free for nobody else and shown as
reserved. Whatever ends it early gives the agent back its place among the free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from acd.agent_dial import OWN_PHONE_RING_S, RINGBACK
from acd.contact import Contact, Stage
from acd.contacts import Contacts
from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import AttemptInput, AttemptState
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.course import Course
from acd.dialer.dialling import Dialling
from acd.dialer.errors import NoPreviewError
from acd.dialer.model import Attempt, AttemptId, Candidate, Mode
from acd.dialer.people import People
from acd.dialer.ports import Callers
from acd.dialer.script import fill
from acd.dialer.views import PreviewStep, PreviewView
from acd.distribution import Distribution
from acd.model import AgentId, ContactId
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId

LONGEST_READ_S: Final = 1800.0
"""A record that is neither dialled nor given back goes back then; until then its claim is kept up."""
_MARGIN_S: Final = 30.0

_STEPS: Final = {
    AttemptState.READING: PreviewStep.READING,
    AttemptState.CALLING_AGENT: PreviewStep.CALLING_AGENT,
    AttemptState.DIALLING: PreviewStep.DIALLING,
    AttemptState.RINGING: PreviewStep.RINGING,
    AttemptState.TALKING: PreviewStep.TALKING,
}


class Reserving:
    """All attempts whose agent comes first."""

    def __init__(
        self,
        *,
        course: Course,
        people: People,
        dialling: Dialling,
        contacts: Contacts,
        distribution: Distribution,
        callers: Callers,
        control: CallControl,
        clock: Clock,
        tell: Callable[[PreviewView], None],
    ) -> None:
        self._course = course
        self._people = people
        self._dialling = dialling
        self._contacts = contacts
        self._distribution = distribution
        self._callers = callers
        self._control = control
        self._clock = clock
        self._tell = tell
        self.by_agent: dict[AgentId, AttemptId] = {}
        """The record that each agent has before it."""

    # --- the agent ------------------------------------------------------------------------------

    def can_show(self, run: CampaignRun, agent: AgentId) -> bool:
        """Whether the agent sees the record where it is to be read: nobody consents to what it cannot see."""
        return not run.is_read or self._distribution.is_at_desk(agent)

    def reserve(self, run: CampaignRun, candidate: Candidate, agent: AgentId) -> LiveAttempt:
        """Keep a free agent for a record; if it is free no more, the attempt is over on return."""
        attempt = self._dialling.make(run, candidate)
        attempt.state = AttemptState.READING
        attempt.agent, attempt.agent_first = agent, True
        self._course.begin(attempt)
        self.by_agent[agent] = attempt.id
        contact = self._people.contact(attempt, LegId(""), stage=Stage.WAITING)
        contact.silent = contact.agent_first = True
        read_s, dial_s = self.read_s(run), run.silence_s + run.ring_s
        self._callers.enqueue(
            contact,
            run.settings.queue,
            preferred=agent,
            patience_s=(read_s or LONGEST_READ_S) + OWN_PHONE_RING_S + dial_s + _MARGIN_S,
        )
        return attempt

    @staticmethod
    def read_s(run: CampaignRun) -> float:
        """How long an agent may read; 0: as long as it likes."""
        return run.settings.preview_s if run.settings.mode is Mode.PREVIEW else 0.0

    def shown(self, contact: Contact) -> None:
        """The card is on the screen: the record follows, and the time to read begins."""
        attempt = self._course.of_contact(contact.id)
        if attempt is None or attempt.state is not AttemptState.READING:
            return
        run = self._course.run_of(attempt)
        if not run.is_read:
            self._course.feed(attempt, AttemptInput.CONSENT)  # reserved because the rules want it
            return
        now, read_s = self._clock.now(), self.read_s(run)
        attempt.reads_until = now + read_s if read_s > 0 else None
        due = now + (read_s or LONGEST_READ_S)
        attempt.timer = self._clock.call_at(due, lambda: self._read_out(attempt))
        self.tell(attempt)

    def _read_out(self, attempt: LiveAttempt) -> None:
        settings = self._course.run_of(attempt).settings
        dials = settings.mode is Mode.PREVIEW and settings.preview_dials_itself
        if dials and not settings.human_initiated:
            self._course.feed(attempt, AttemptInput.CONSENT)
        else:
            self._give_back(attempt, "not-dialled")

    def resume(self, attempt: LiveAttempt, contact: Contact) -> None:
        """An earlier process has left it here: go on from where the agent is."""
        if attempt.state is AttemptState.READING:
            left = attempt.reads_until
            if left is None:
                left = attempt.since + LONGEST_READ_S
            due = max(self._clock.now(), left)
            attempt.timer = self._clock.call_at(due, lambda: self._read_out(attempt))
        elif contact.agent_here:
            self.agent_answered(contact)
        else:
            self._distribution.call_again(contact)

    def dial(self, agent: AgentId) -> None:
        """The agent consents. Raises NoPreviewError."""
        attempt = self._of(agent)
        if attempt.state is not AttemptState.READING:
            raise NoPreviewError(agent, "has dialled its record already")
        attempt.clicked_by, attempt.clicked_at = str(agent), self._clock.now()
        self._course.feed(attempt, AttemptInput.CONSENT)

    def skip(self, agent: AgentId, reason: str) -> None:
        """The agent gives its record back. Raises NoPreviewError."""
        attempt = self._of(agent)
        if attempt.answered_at is not None:
            raise NoPreviewError(agent, "talks to its customer already")
        self._give_back(attempt, reason)

    def _of(self, agent: AgentId) -> LiveAttempt:
        name = self.by_agent.get(agent)
        attempt = None if name is None else self._course.live.get(name)
        if attempt is None or attempt.state is None:
            raise NoPreviewError(agent)
        return attempt

    def _give_back(self, attempt: LiveAttempt, reason: str) -> None:
        attempt.reason = reason
        self._course.feed(attempt, AttemptInput.AGENT_GONE)

    # --- the calls ------------------------------------------------------------------------------

    def call_agent(self, attempt: LiveAttempt) -> None:
        """Call the agent's own phone."""
        contact = self._contacts.get(attempt.contact)
        if contact is not None:
            self._distribution.call_again(contact)
        self.tell(attempt)

    def agent_answered(self, contact: Contact) -> None:
        """The agent is on the line: the customer is called, and the agent hears it ring."""
        attempt = self._course.of_contact(contact.id)
        if attempt is None or contact.agent_leg is None or not contact.agent_here:
            return
        contact.announcement = self._control.play(contact.agent_leg, RINGBACK, loop=True)
        if self._course.feed(attempt, AttemptInput.AGENT_READY):
            self.tell(attempt)

    def sounds(self, attempt: LiveAttempt) -> None:
        """The customer's network sends its own ring-back, or says something: the agent hears that."""
        contact = self._contacts.get(attempt.contact)
        if contact is None or contact.agent_leg is None or not contact.agent_here:
            return
        if contact.announcement is not None:
            self._control.stop(contact.announcement)
            contact.announcement = None
        self._control.hear_early(contact.agent_leg, contact.customer_leg)

    def contact_over(self, contact: ContactId, reason: str) -> None:
        """The distribution has let go of it: the agent does not take it, or is gone."""
        attempt = self._course.of_contact(contact)
        if attempt is None or not attempt.agent_first or attempt.leg is not None:
            return
        attempt.reason = attempt.reason or reason
        self._course.feed(attempt, AttemptInput.AGENT_GONE)

    # --- what is shown --------------------------------------------------------------------------

    def over(self, attempt: LiveAttempt, result: Attempt) -> None:
        """Tell the desk how it ended."""
        agent = attempt.agent
        if not attempt.agent_first or agent is None:
            return
        if self.by_agent.get(agent) == attempt.id:
            del self.by_agent[agent]
        self._tell(self._view(attempt, PreviewStep.OVER, result))

    def tell(self, attempt: LiveAttempt) -> None:
        """Tell the desk where it is."""
        step = _STEPS.get(attempt.state) if attempt.state is not None else None
        if attempt.agent_first and step is not None:
            self._tell(self._view(attempt, step, None))

    def view(self, agent: AgentId) -> PreviewView | None:
        """The record that an agent has before it."""
        name = self.by_agent.get(agent)
        attempt = None if name is None else self._course.live.get(name)
        if attempt is None or attempt.state is None:
            return None
        return self._view(attempt, _STEPS.get(attempt.state, PreviewStep.DIALLING), None)

    def _view(self, attempt: LiveAttempt, step: PreviewStep, result: Attempt | None) -> PreviewView:
        settings, candidate = self._course.run_of(attempt).settings, attempt.candidate
        assert attempt.agent is not None
        facts = {"name": candidate.name, "number": candidate.number, **dict(candidate.facts)}
        return PreviewView(
            agent=attempt.agent,
            attempt=attempt.id,
            campaign=attempt.campaign,
            title=settings.title or settings.name,
            mode=settings.mode,
            step=step,
            candidate=candidate,
            script=fill(settings.script, facts),
            dispositions=settings.dispositions,
            since=attempt.since,
            until=attempt.reads_until if step is PreviewStep.READING else None,
            dials_itself=settings.preview_dials_itself and not settings.human_initiated,
            outcome=None if result is None else result.outcome,
            reason="" if result is None else result.reason,
        )
