"""Somebody answered: an agent, the campaign's flow, or the message for abandoned calls has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from acd.contact import Contact, Stage
from acd.contact_events import ContactEvent, ContactResult, ContactStarted
from acd.contacts import Contacts
from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import AttemptInput
from acd.dialer.course import Course
from acd.dialer.model import Mode, Outcome
from acd.dialer.ports import Callers
from acd.distribution import Distribution
from acd.inputs import Withdraw
from acd.model import AgentId
from ivr.speaking import prompts
from switch.calls.causes import EndCause, Result
from switch.calls.events import DigitPressed, PlayFinished
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId

MARGIN_S: Final = 0.1
"""So much before the end of the person's patience the message begins: it has to be heard by then."""
LONGEST_MESSAGE_S: Final = 60.0
"""A message whose end is never heard of is over then."""

_OVER: Final = EndCause(Result.COMPLETED, "no-agent")
_OPTED_OUT: Final = EndCause(Result.COMPLETED, "opted-out")
_UNANSWERED: Final = EndCause(Result.CANCELLED, "campaign-over")
_MACHINE: Final = EndCause(Result.COMPLETED, "machine")


class People:
    """What is done with who answered; the effects of the table from the verdict on."""

    def __init__(
        self,
        *,
        course: Course,
        contacts: Contacts,
        distribution: Distribution,
        callers: Callers,
        control: CallControl,
        clock: Clock,
        report: Callable[[ContactEvent], None],
    ) -> None:
        self._course = course
        self._contacts = contacts
        self._distribution = distribution
        self._callers = callers
        self._control = control
        self._clock = clock
        self._report = report
        self.free_for: dict[AgentId, float] = {}
        """How long agents who have a contact were free before it."""
        self.chosen_at: dict[AgentId, float] = {}
        """When they were chosen for it."""

    # --- who it is ------------------------------------------------------------------------------

    def person(self, attempt: LiveAttempt, waiting_s: float = 0.0) -> None:
        """It is a person, or may be one, whose greeting has been over for `waiting_s`."""
        now = self._clock.now()
        attempt.needed_at = now - waiting_s
        if attempt.is_paced:
            assert attempt.answered_at is not None
            attempt.is_paced = False
            self._course.run_of(attempt).pacer.needs_agent(now, attempt.answered_at)
        if attempt.mode is Mode.ANNOUNCEMENT:
            self._course.feed(attempt, AttemptInput.PERSON_FOR_FLOW)
        else:
            self._course.feed(attempt, AttemptInput.PERSON)

    # --- to an agent ----------------------------------------------------------------------------

    def contact(self, attempt: LiveAttempt, leg: LegId, *, stage: Stage) -> Contact:
        """The attempt is a contact from now on."""
        settings = self._course.run_of(attempt).settings
        candidate, now = attempt.candidate, self._clock.now()
        contact = Contact(
            id=attempt.contact,
            call=attempt.call,
            customer_leg=leg,
            caller_number=candidate.number,
            caller_name=candidate.name,
            called=candidate.number,
            started_at=now,
            stage=stage,
            record=settings.record,
            language=settings.language,
            customer_answered=bool(leg),
            facts=dict(candidate.facts),
            campaign=settings.name,
            list_record=candidate.record,
        )
        if leg:
            self._contacts.bind(leg, contact)
        self._report(
            ContactStarted(
                contact=contact.id,
                call=contact.call,
                at=now,
                caller_number=candidate.number,
                caller_name=candidate.name,
                called=candidate.number,
                outbound=True,
                agent=attempt.agent,
                campaign=settings.name,
                list_record=candidate.record,
                agent_first=attempt.agent_first,
            )
        )
        self._contacts.add(contact)
        return contact

    def queue(self, attempt: LiveAttempt) -> None:
        """Let the person have an agent, at once."""
        assert attempt.leg is not None
        settings = self._course.run_of(attempt).settings
        contact = self.contact(attempt, attempt.leg, stage=Stage.WAITING)
        contact.silent = True
        now = self._clock.now()
        self.watch(attempt)
        priority = settings.priority
        if priority >= 0:
            head = self._distribution.priority_of_head(settings.queue, now)
            priority = max(priority, head)
        self._callers.enqueue(contact, settings.queue, priority=priority)

    def watch(self, attempt: LiveAttempt) -> None:
        """Let the person wait no longer than the law allows."""
        cap = self._course.run_of(attempt).settings.cap
        since = self._clock.now() if attempt.needed_at is None else attempt.needed_at
        due = max(self._clock.now(), since + max(cap.patience_s - MARGIN_S, 0.0))
        attempt.timer = self._clock.call_at(
            due, lambda: self._course.tell(attempt, AttemptInput.TOO_LATE)
        )

    def agent_answered(self, attempt: LiveAttempt, agent: AgentId) -> None:
        """An agent hears the person who was brought through the queue."""
        attempt.agent = agent
        self._course.feed(attempt, AttemptInput.AGENT)

    def told(self, attempt: LiveAttempt) -> None:
        """Note that the two talk."""
        run, now = self._course.run_of(attempt), self._clock.now()
        self._course.connected(attempt)
        if attempt.agent is None:
            return
        chosen_at = self.chosen_at.pop(attempt.agent, None)
        if run.is_paced and not attempt.agent_first and chosen_at is not None:
            run.pacer.connected(now, chosen_at)
        waited = self.free_for.pop(attempt.agent, None)
        if waited is not None:
            run.figures.agent_waited(waited)

    # --- no agent -------------------------------------------------------------------------------

    def regret(self, attempt: LiveAttempt) -> None:
        """Nobody came: say who called, and how not to be called again."""
        self._course.count(attempt, Outcome.ABANDONED)
        contact = self._contacts.get(attempt.contact)
        if contact is None:
            return
        self._leave_queue(contact, "no-agent", is_unheeded=True)
        contact.stop_waiting(self._clock.now())
        contact.stage, contact.silent = Stage.DIRECT, False
        settings = self._course.run_of(attempt).settings
        self._play(attempt, settings.abandon_message, settings.language)

    def leave_message(self, attempt: LiveAttempt) -> None:
        """The machine has beeped: say what the campaign wants to be said."""
        settings = self._course.run_of(attempt).settings
        self._play(attempt, settings.answers.message, settings.language)

    def _play(self, attempt: LiveAttempt, message: str, language: str) -> None:
        assert attempt.leg is not None
        attempt.message_began_at = self._clock.now()
        attempt.player = self._control.play(attempt.leg, prompts([message], language))
        contact = self._contacts.get(attempt.contact)
        if contact is not None:  # so that it plays on over a restart
            contact.announcement = attempt.player
        attempt.timer = self._clock.call_at(
            self._clock.now() + LONGEST_MESSAGE_S,
            lambda: self._course.tell(attempt, AttemptInput.MESSAGE_OVER),
        )

    def play_finished(self, event: PlayFinished) -> None:
        """A message of ours is over."""
        attempt = self._course.of_leg(event.leg)
        if attempt is not None and attempt.player == event.player:
            self._course.feed(attempt, AttemptInput.MESSAGE_OVER)

    def digit_pressed(self, event: DigitPressed) -> None:
        """A key during a message: the one that opts out is taken."""
        attempt = self._course.of_leg(event.leg)
        if attempt is None:
            return
        digit = self._course.run_of(attempt).settings.opt_out_digit
        if digit and event.digit == digit:
            self._course.feed(attempt, AttemptInput.OPTED_OUT)

    # --- flows, ends ----------------------------------------------------------------------------

    def run_flow(self, attempt: LiveAttempt) -> None:
        """Let the person hear the announcement."""
        assert attempt.leg is not None
        self._course.count(attempt, Outcome.ANNOUNCED)
        flow = self._course.run_of(attempt).settings.flow
        attempt.message_began_at = self._clock.now()
        contact = self.contact(attempt, attempt.leg, stage=Stage.MENU)
        self._callers.run_flow(contact, flow)

    def hang_up(self, attempt: LiveAttempt) -> None:
        """End what there is of it: the contact, or the customer's leg."""
        contact = self._contacts.get(attempt.contact)
        if contact is not None:
            self._end(contact, attempt)
        elif attempt.leg is not None:
            is_answered = attempt.answered_at is not None
            self._control.hang_up(attempt.leg, _MACHINE if is_answered else _UNANSWERED)

    def _end(self, contact: Contact, attempt: LiveAttempt) -> None:
        outcome = attempt.outcome
        if contact.flow is not None:
            contact.flow.caller_gone()
        self._leave_queue(contact, "campaign")
        if outcome is Outcome.OPTED_OUT:
            has_agents = attempt.mode is not Mode.ANNOUNCEMENT
            result = ContactResult.ABANDONED if has_agents else ContactResult.MENU
            self._contacts.finish(contact, result, "opted-out", hang_up=_OPTED_OUT)
        elif outcome is Outcome.ABANDONED:
            self._contacts.finish(contact, ContactResult.ABANDONED, "no-agent", hang_up=_OVER)
        else:
            reason = attempt.reason or str(outcome or "campaign-over")
            self._contacts.finish(contact, ContactResult.CANCELLED, reason, hang_up=_UNANSWERED)

    def _leave_queue(self, contact: Contact, reason: str, *, is_unheeded: bool = False) -> None:
        if self._distribution.has(contact):
            self._distribution.tell(
                Withdraw(contact=contact.id, reason=reason, is_unheeded=is_unheeded)
            )
            self._distribution.drop_agent_leg(contact, EndCause(Result.CANCELLED, reason))
