"""Calls customers for attempts: by which way, showing which number, as far as there is room."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from acd.contacts import Contacts
from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import AttemptInput
from acd.dialer.campaign_run import MOST_LOOKS, CampaignRun
from acd.dialer.course import Course
from acd.dialer.in_hand import LAPSED
from acd.dialer.model import AttemptId, Candidate, Outcome
from acd.dialer.outcomes import is_trunk_failure, of_unanswered
from acd.dialer.ports import DialRoutes
from acd.dialer.trunk_watch import TrunkWatch
from acd.ports import NoRoute, ToPhone, ToTrunk
from switch.calls.events import LegEnded
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import CallId


class Dialling:
    """Makes attempts, and the calls of attempts."""

    def __init__(
        self,
        *,
        course: Course,
        contacts: Contacts,
        control: CallControl,
        clock: Clock,
        routes: DialRoutes,
        new_id: Callable[[str], str],
    ) -> None:
        self._course = course
        self._contacts = contacts
        self._control = control
        self._clock = clock
        self._routes = routes
        self._new_id = new_id
        self.watch = TrunkWatch()

    def make(self, run: CampaignRun, candidate: Candidate) -> LiveAttempt:
        """An attempt that is not under way yet."""
        return LiveAttempt(
            attempt=AttemptId(self._new_id("i")),
            call=CallId(self._new_id("c")),
            campaign=run.name,
            candidate=candidate,
            mode=run.settings.mode,
            now=self._clock.now(),
        )

    # --- is there a way? ------------------------------------------------------------------------

    def has_way(self, run: CampaignRun) -> Callable[[Candidate], bool]:
        """Whether records of a campaign can be dialled now."""
        return lambda candidate: not self._obstacle(run, candidate.number)

    def obstacle(self, run: CampaignRun) -> str:
        """What keeps the next records from being dialled now, as one slug; empty: nothing."""
        first = ""
        for candidate, _ in islice(run.supply, MOST_LOOKS):
            found = self._obstacle(run, candidate.number)
            if not found:
                return ""
            first = first or found
        return first

    def _obstacle(self, run: CampaignRun, number: str) -> str:
        to = self._routes.customer(run.settings.trunk, number)
        return to.reason if isinstance(to, NoRoute) else self.why_not(to)

    def why_not(self, to: ToPhone | ToTrunk) -> str:
        """Why this way takes no further call now; empty: it does."""
        if isinstance(to, ToPhone):
            return ""
        if self.watch.until(to.trunk, self._clock.now()) is not None:
            return "failing"
        if self.watch.is_trying(to.trunk) and any(
            each.way == to.trunk and each.rang_at is None and each.answered_at is None
            for each in self._course.live.values()
        ):
            return "failing"  # one dial is out to see whether it works again
        return self._routes.why_not(to.trunk)

    def way_of(self, run: CampaignRun) -> str:
        """The trunk or group by which its next record would be dialled."""
        if not run.supply:
            return run.settings.trunk
        to = self._routes.customer(run.settings.trunk, run.supply[0][0].number)
        return to.trunk if isinstance(to, ToTrunk) else run.settings.trunk

    def failing_until(self, run: CampaignRun) -> float | None:
        """When a way that fails is tried again."""
        to = self._routes.customer(run.settings.trunk, run.supply[0][0].number)
        if not isinstance(to, ToTrunk):
            return None
        return self.watch.until(to.trunk, self._clock.now())

    # --- the call -------------------------------------------------------------------------------

    def dial(self, attempt: LiveAttempt) -> None:
        """Call the customer."""
        run = self._course.run_of(attempt)
        candidate = attempt.candidate
        if too_late := self._too_late(candidate):
            # It was read, or its agent's phone rang, until the person may not be called any more.
            attempt.outcome, attempt.reason = Outcome.CANCELLED, too_late
            self._course.feed(attempt, AttemptInput.CANCEL)
            return
        to = self._routes.customer(run.settings.trunk, candidate.number)
        attempt.caller_id = run.next_caller_id()
        attempt.dialled_at = self._clock.now()
        if isinstance(to, NoRoute):
            # There was a way when the record was taken: nobody is called, and it comes again.
            attempt.outcome, attempt.reason = Outcome.CONGESTED, to.reason
            attempt.dialled_at, attempt.caller_id = None, ""
            self._course.feed(attempt, AttemptInput.CANCEL)
            return
        if isinstance(to, ToPhone):
            leg = self._control.call_phone(
                to.phone,
                call=attempt.call,
                caller_number=attempt.caller_id,
                caller_name="",
                ring_timeout_s=run.ring_s,
                alert_within_s=run.silence_s,
                headers={},
            )
        else:
            attempt.way = to.trunk
            leg = self._control.call_trunk(
                to.trunk,
                to.number,
                call=attempt.call,
                caller_number=attempt.caller_id,
                caller_name="",
                ring_timeout_s=run.ring_s,
                alert_within_s=run.silence_s,
            )
        self._course.bind(leg, attempt)
        contact = self._contacts.get(attempt.contact)
        if contact is not None:  # its agent waits for the customer already
            contact.customer_leg = leg
            self._contacts.bind(leg, contact)
        else:
            attempt.is_paced = True
            run.pacer.dialled(attempt.dialled_at)
        self._course.on_change(attempt.id)

    def _too_late(self, candidate: Candidate) -> str:
        """Why a record that was brought may not be dialled any more, as one slug; empty: it may."""
        wall = self._clock.wall()
        if candidate.until is not None and wall >= candidate.until:
            return "outside-window"
        if candidate.lapses_at is not None and wall >= candidate.lapses_at:
            return LAPSED  # somebody else may have it by now
        return ""

    # --- what is learnt of the way --------------------------------------------------------------

    def got_through(self, attempt: LiveAttempt) -> None:
        """It rings, or somebody answered."""
        if attempt.way:
            self.watch.worked(attempt.way)

    def ended(self, attempt: LiveAttempt, event: LegEnded) -> None:
        """An unanswered dial is over: of a failure the trunk may be the cause."""
        if not attempt.way or attempt.answered_at is not None:
            return
        outcome = of_unanswered(event.cause)
        if is_trunk_failure(outcome, event.cause):
            self.watch.failed(attempt.way, self._clock.now())
        elif outcome not in (Outcome.CANCELLED, Outcome.AGENT_GONE, Outcome.CONGESTED):
            self.watch.worked(attempt.way)
