"""Calls customers for attempts: by which way, showing which number, as far as there is room."""

from __future__ import annotations

from collections.abc import Callable

from acd.contacts import Contacts
from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import AttemptInput
from acd.dialer.campaign_run import CampaignRun
from acd.dialer.course import Course
from acd.dialer.model import AttemptId, Candidate, Outcome
from acd.dialer.outcomes import is_trunk_failure, of_unanswered
from acd.dialer.ports import DialRoutes
from acd.dialer.trunk_watch import TrunkWatch
from acd.ports import NoRoute, ToPhone, ToTrunk
from switch.calls.causes import EndCause, Result
from switch.calls.events import LegEnded
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import CallId

UNKNOWN_NUMBER = "unknown-number"
"""The reason of `NoRoute` that is the number's own fault; others are those of the way out."""


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

    def obstacle(self, run: CampaignRun, number: str) -> str:
        """What keeps a number from being dialled now, as one slug; empty: nothing, or the number itself."""
        way = self._way(run, number)
        return way if isinstance(way, str) else self.why_not(way)

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

    def failing_until(self, run: CampaignRun, number: str) -> float | None:
        """When a way that fails is tried again."""
        to = self._way(run, number)
        if not isinstance(to, ToTrunk):
            return None
        return self.watch.until(to.trunk, self._clock.now())

    def _way(self, run: CampaignRun, number: str) -> ToPhone | ToTrunk | str:
        to = self._routes.customer(run.settings.trunk, number)
        if isinstance(to, NoRoute):
            return "" if to.reason == UNKNOWN_NUMBER else to.reason
        return to

    # --- the call -------------------------------------------------------------------------------

    def dial(self, attempt: LiveAttempt) -> None:
        """Call the customer. An attempt whose number leads nowhere is over at once."""
        run = self._course.run_of(attempt)
        candidate = attempt.candidate
        to = self._routes.customer(run.settings.trunk, candidate.number)
        attempt.caller_id = run.next_caller_id()
        attempt.dialled_at = self._clock.now()
        if isinstance(to, NoRoute):
            is_its_own = to.reason == UNKNOWN_NUMBER
            attempt.outcome = Outcome.INVALID_NUMBER if is_its_own else Outcome.CONGESTED
            attempt.dialled_at = None
            attempt.reason = to.reason
            self._no_way(attempt)
            return
        if isinstance(to, ToPhone):
            leg = self._control.call_phone(
                to.phone,
                call=attempt.call,
                caller_number=attempt.caller_id,
                caller_name="",
                ring_timeout_s=run.ring_s,
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

    def _no_way(self, attempt: LiveAttempt) -> None:
        """Without a leg nothing will be heard of it."""
        self._course.feed(attempt, AttemptInput.CANCEL)

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


CANCELLED = EndCause(Result.CANCELLED, "campaign-over")
"""How a dial ends that is not wanted any more."""
