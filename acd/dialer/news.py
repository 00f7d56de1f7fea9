"""What happens to legs, contacts and agents, as news of attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from acd.contact_events import ContactEvent, ContactFinished
from acd.contacts import Contacts
from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import AttemptInput
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.course import Course
from acd.dialer.dialling import Dialling
from acd.dialer.judging import Judging
from acd.dialer.limits import Limits
from acd.dialer.model import CampaignName
from acd.dialer.people import People
from acd.dialer.reserving import Reserving
from acd.dialer.roster import Roster
from acd.dialer.rounds import Rounds
from acd.events import AcdEvent, AgentStateChanged, ContactAnswered
from acd.model import AgentId, AgentState
from switch.calls.events import (
    DigitPressed,
    GatewayChanged,
    LegAnswered,
    LegEarlyMedia,
    LegEnded,
    LegReplaced,
    LegRinging,
    PlayFinished,
    SoundHeard,
)
from switch.calls.fan_out import Takes
from switch.clock import Clock

_IN_TALK: Final = (AgentState.TALKING, AgentState.HELD)


class News:
    """Who is told what. Decides nothing."""

    def __init__(
        self,
        *,
        course: Course,
        dialling: Dialling,
        people: People,
        judging: Judging,
        reserving: Reserving,
        rounds: Rounds,
        limits: Limits,
        contacts: Contacts,
        roster: Roster,
        runs: Mapping[CampaignName, CampaignRun],
        clock: Clock,
    ) -> None:
        self._course = course
        self._dialling = dialling
        self._people = people
        self._judging = judging
        self._reserving = reserving
        self._rounds = rounds
        self._limits = limits
        self._contacts = contacts
        self._runs = runs
        self._roster = roster
        self._talks_since: dict[AgentId, float] = {}
        """Since when agents talk; on hold or not."""
        self._clock = clock
        self.takes: Takes = {
            LegRinging: self._leg_ringing,
            LegEarlyMedia: self._leg_sounds,
            LegAnswered: self._leg_answered,
            LegReplaced: self._leg_replaced,
            LegEnded: self._leg_ended,
            DigitPressed: people.digit_pressed,
            SoundHeard: judging.heard,
            PlayFinished: people.play_finished,
            GatewayChanged: self._gateway_changed,
        }
        self._acd_takes: dict[type[Any], Callable[[Any], None]] = {
            AgentStateChanged: self._agent_changed,
            ContactAnswered: self._contact_answered,
            ContactFinished: self._contact_finished,
        }

    def acd_event(self, event: AcdEvent | ContactEvent) -> None:
        """What the distribution and the contacts report."""
        take = self._acd_takes.get(type(event))
        if take is not None:
            take(event)

    # --- legs -----------------------------------------------------------------------------------

    def _leg_ringing(self, event: LegRinging) -> None:
        attempt = self._course.of_leg(event.leg)
        if attempt is not None:
            attempt.rang_at = attempt.rang_at or event.at
            self._dialling.got_through(attempt)
            if self._course.feed(attempt, AttemptInput.RINGS):
                self._reserving.tell(attempt)

    def _leg_sounds(self, event: LegEarlyMedia) -> None:
        attempt = self._course.of_leg(event.leg)
        if attempt is None:
            return
        attempt.rang_at = attempt.rang_at or event.at  # its ring-back may be sound alone
        self._dialling.got_through(attempt)
        if attempt.agent_first:
            self._reserving.sounds(attempt)
        else:
            self._judging.sounds(attempt)

    def _leg_answered(self, event: LegAnswered) -> None:
        attempt = self._course.of_leg(event.leg)
        if attempt is not None:
            self._customer_answered(attempt, event.at)
            return
        contact = self._contacts.of_leg(event.leg)
        if contact is not None and contact.agent_here and event.leg == contact.agent_leg:
            self._reserving.agent_answered(contact)

    def _customer_answered(self, attempt: LiveAttempt, at: float) -> None:
        if attempt.answered_at is not None:
            return
        attempt.answered_at = at
        self._dialling.got_through(attempt)
        if attempt.is_paced:
            assert attempt.dialled_at is not None
            self._course.run_of(attempt).pacer.answered(at, attempt.dialled_at)
        if attempt.agent_first:
            attempt.needed_at = at
            self._course.feed(attempt, AttemptInput.PERSON_WITH_AGENT)
            self._reserving.tell(attempt)
        elif self._judging.wants(attempt):
            self._course.feed(attempt, AttemptInput.ANSWERED)
        else:
            self._people.person(attempt)

    def _leg_replaced(self, event: LegReplaced) -> None:
        """The customer goes on at another leg: a transfer of its own."""
        attempt = self._course.of_leg(event.leg)
        if attempt is not None:
            self._course.bind(event.by, attempt)

    def _leg_ended(self, event: LegEnded) -> None:
        attempt = self._course.of_leg(event.leg)
        if attempt is not None:
            self._dialling.ended(attempt, event)
            self._course.ended(attempt, event)

    def _gateway_changed(self, event: GatewayChanged) -> None:
        self._limits.has_gateway = event.available
        self._rounds.soon()

    # --- contacts and agents --------------------------------------------------------------------

    def _contact_answered(self, event: ContactAnswered) -> None:
        attempt = self._course.of_contact(event.contact)
        if attempt is None:
            for run in self._runs.values():
                if event.agent in run.claim.members and run.is_paced:
                    run.pacer.caller_took_agent(event.at)
        elif not attempt.agent_first:
            self._people.agent_answered(attempt, event.agent)

    def _contact_finished(self, event: ContactFinished) -> None:
        self._reserving.contact_over(event.contact, event.reason)

    def _agent_changed(self, event: AgentStateChanged) -> None:
        agent, was, state = event.agent, event.previous, event.state
        self._roster.changed(event)
        if was is state:
            return
        if was is AgentState.AVAILABLE:
            self._people.free_for[agent] = event.previous_for_s
            self._people.chosen_at[agent] = event.at
        if state in _IN_TALK and was not in _IN_TALK:
            self._talks_since[agent] = event.at
        elif was in _IN_TALK and state not in _IN_TALK:
            began = self._talks_since.pop(agent, None)
            if began is not None:
                self._tell_pacers(event, lambda run: run.pacer.talked(event.at - began))
            if state is not AgentState.WRAP_UP:
                self._tell_pacers(event, lambda run: run.pacer.wrapped_up(0.0))
        if was is AgentState.WRAP_UP:
            self._tell_pacers(event, lambda run: run.pacer.wrapped_up(event.previous_for_s))
        if state is AgentState.AVAILABLE:
            self._rounds.soon()

    def _tell_pacers(self, event: AgentStateChanged, tell: Callable[[CampaignRun], None]) -> None:
        for run in self._runs.values():
            if run.is_paced and event.agent in run.claim.members:
                tell(run)
