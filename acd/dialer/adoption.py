"""Campaigns and attempts of an earlier process: described while they live, and taken up.

    restore    when legs and contacts are restored: commands nobody
    resume     when calls can be made again: who waits goes on to wait, what is lost is settled

No attempt is lost without an outcome. Who was being judged goes to an agent: what was heard is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from acd.contacts import Contacts
from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import (
    UNANSWERED,
    WITH_AGENT_FIRST,
    AttemptInput,
    AttemptState,
)
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.course import Course
from acd.dialer.model import AttemptId, CampaignName, CampaignState, Outcome
from acd.dialer.people import LONGEST_MESSAGE_S, People
from acd.dialer.records import (
    AttemptRecord,
    Moment,
    RunRecord,
    attempt_record,
    restored_attempt,
    restored_run,
    run_record,
)
from acd.dialer.reserving import Reserving
from acd.dialer.roster import Roster
from acd.distribution import Distribution
from switch.calls.causes import EndCause, Result
from switch.clock import Clock
from switch.ids import LegId

LOST: Final = EndCause(Result.FAILED, "call-agent-lost")
_S: Final = AttemptState


class AttemptAdoption:
    """Over a restart of the call agent."""

    def __init__(
        self,
        *,
        runs: dict[CampaignName, CampaignRun],
        course: Course,
        people: People,
        reserving: Reserving,
        contacts: Contacts,
        roster: Roster,
        distribution: Distribution,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._course = course
        self._people = people
        self._reserving = reserving
        self._contacts = contacts
        self._roster = roster
        self._distribution = distribution
        self._clock = clock
        self._lost: list[LiveAttempt] = []
        self._tell_run: Callable[[CampaignName], None] = lambda name: None

    # --- describing -----------------------------------------------------------------------------

    def keep(
        self, attempt: Callable[[AttemptId], None], run: Callable[[CampaignName], None]
    ) -> None:
        """Say who is told of attempts and campaigns of which there is something else to be kept."""
        self._course.on_change = attempt
        self._tell_run = run

    def run_changed(self, name: CampaignName) -> None:
        """Something else is to be kept of a campaign."""
        self._tell_run(name)

    def run(self, name: CampaignName, wall: Moment) -> RunRecord | None:
        """Describe a campaign; None for one that neither runs nor has anything under way."""
        run = self._runs.get(name)
        if run is None or not (run.attempts or run.state is CampaignState.RUNNING):
            return None
        return run_record(run, wall)

    def attempt(self, name: AttemptId, wall: Moment) -> AttemptRecord | None:
        """Describe an attempt; None when it is over."""
        attempt = self._course.live.get(name)
        return None if attempt is None or attempt.state is None else attempt_record(attempt, wall)

    # --- taking up ------------------------------------------------------------------------------

    def restore(
        self,
        runs: Mapping[CampaignName, RunRecord],
        attempts: Mapping[AttemptId, AttemptRecord],
        mono: Moment,
        lives: Callable[[LegId], bool],
    ) -> list[str]:
        """Take up all of them; returns in words what could not be."""
        faults, now = [], self._clock.now()
        for name, kept in runs.items():
            try:
                self._runs[name] = restored_run(kept, mono, now)
            except ValueError as error:
                faults.append(f"campaign {name}: {error}")
        for id, record in sorted(attempts.items(), key=lambda item: item[1].began):
            try:
                attempt = restored_attempt(id, record, mono)
            except ValueError as error:
                faults.append(f"attempt {id}: {error}")
                continue
            run = self._runs.get(attempt.campaign)
            if run is None:
                faults.append(f"attempt {id}: its campaign {attempt.campaign} was not kept")
                continue
            self._take_up(run, attempt, lives)
        return faults

    def _take_up(
        self, run: CampaignRun, attempt: LiveAttempt, lives: Callable[[LegId], bool]
    ) -> None:
        leg, attempt.leg = attempt.leg, None
        self._course.begin(attempt)
        if attempt.agent_first and attempt.agent is not None:
            self._reserving.by_agent[attempt.agent] = attempt.id
        if leg is not None and lives(leg):
            self._course.bind(leg, attempt)
            if attempt.state in UNANSWERED and run.is_paced and not attempt.agent_first:
                attempt.is_paced = True
                run.pacer.dialled(
                    attempt.began if attempt.dialled_at is None else attempt.dialled_at
                )
        elif attempt.state not in WITH_AGENT_FIRST:
            self._lost.append(attempt)

    def resume(self) -> None:
        """Let everybody go on; after the contacts have resumed."""
        self._roster.load(self._distribution.agents())
        for attempt in self._lost:
            self._course.lost(attempt, LOST, by_peer=False)
        self._lost.clear()
        for attempt in tuple(self._course.live.values()):
            self._go_on(attempt)
        for contact in tuple(self._contacts.live()):
            if contact.silent and contact.campaign and self._course.of_contact(contact.id) is None:
                contact.silent = False  # nobody watches its patience any more: a caller as others

    def _go_on(self, attempt: LiveAttempt) -> None:
        contact = self._contacts.get(attempt.contact)
        now = self._clock.now()
        match attempt.state:
            case _S.JUDGING:
                self._people.person(attempt)
            case _S.WAITING if contact is not None and contact.talking_since is None:
                self._people.watch(attempt)
            case _S.WAITING if contact is not None and contact.agent is not None:
                self._people.agent_answered(attempt, contact.agent)
            case _S.REGRETTING if contact is not None:
                attempt.timer = self._clock.call_at(
                    now + LONGEST_MESSAGE_S,
                    lambda: self._course.tell(attempt, AttemptInput.MESSAGE_OVER),
                )
            case _S.LEAVING_MESSAGE:
                attempt.outcome = Outcome.MACHINE  # whether all of it was heard is not known
                self._course.feed(attempt, AttemptInput.MESSAGE_OVER)
            case _S.READING | _S.CALLING_AGENT if contact is not None:
                self._reserving.resume(attempt, contact)
            case _S.DIALLING | _S.RINGING | _S.ANNOUNCING | _S.TALKING:
                pass
            case _:
                self._course.lost(attempt, LOST, by_peer=False)
