"""Calls through trunks: the hunt for one that takes the call, behind one leg.

start            the first address of the first trunk
take             what its session reports; a failure of the trunk leads on to the next
nothing heard    not even 100 within the trunk's time: given up there, and on to the next

The layers above see one leg all the time, at one RTP port. Which trunks there are, in what order, and
what leads on is decided in `switch.trunks`.
"""

from __future__ import annotations

import logging

from switch.calls.attempt import Attempt
from switch.calls.causes import INTERNAL_ERROR, EndCause, Result
from switch.calls.departing import Departing
from switch.calls.destinations import cause_of_nowhere
from switch.calls.hunted import Hunted
from switch.calls.inviting import Inviter
from switch.calls.leg import Leg, State
from switch.calls.leg_media import LegMedia
from switch.calls.legs import Legs
from switch.calls.status import failure_of
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.errors import MediaUnavailableError
from switch.sip import usage
from switch.sip.events import Answered, Failed, Progress, SessionEvent
from switch.sip.user_agent import UserAgent
from switch.trunks.failover import Failure
from switch.trunks.hunt import Departure, Hunt, Nowhere
from switch.trunks.trunks import Trunks

log = logging.getLogger(__name__)


class Hunting:
    """Keeps the hunts of all legs that have one."""

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        trunks: Trunks,
        media: LegMedia,
        legs: Legs,
        departing: Departing,
        inviter: Inviter,
        clock: Clock,
        turn: Turn,
    ) -> None:
        self._ua = user_agent
        self._trunks = trunks
        self._media = media
        self._legs = legs
        self._departing = departing
        self._inviter = inviter
        self._clock = clock
        self._turn = turn
        self.moved = 0
        """Attempts that led on to another address or trunk, since the start."""

    def start(self, leg: Leg, attempt: Attempt, hunt: Hunt) -> None:
        """Invite; whatever goes wrong, the leg is reported as started and as ended."""
        departure = hunt.next(leg.began)
        if isinstance(departure, Nowhere):
            self._legs.report_stillborn(leg, cause_of_nowhere(departure))
            return
        self._turn.guard(None, self._begin, leg, Hunted(hunt, attempt, departure))
        if self._legs.get(leg.id) is None and leg.state is not State.ENDED:
            self._legs.report_stillborn(leg, INTERNAL_ERROR)

    def take(self, leg: Leg, event: SessionEvent) -> bool:
        """Take what the session of a leg reports; True when the leg need not hear of it."""
        hunted = leg.hunted
        if hunted is None:
            return False
        match event:
            case Progress(status=status):
                if hunted.departure.trunk.credentials is not None and not hunted.is_working:
                    self._legs.note_invite(leg)  # it may have been sent again, with credentials
                hunted.is_working = True
                hunted.has_rung |= status in (180, 183)
                hunted.stop()
            case Answered():
                self._trunks.heard(hunted.departure, self._clock.now())
                self._forget(leg)
            case Failed():
                return self._failed(leg, hunted, event)
        return False

    @staticmethod
    def _forget(leg: Leg) -> None:
        """The leg is answered or has failed."""
        if leg.hunted is not None:
            leg.hunted.stop()
            leg.hunted = None

    # --- inside ---------------------------------------------------------------------------------

    def _begin(self, leg: Leg, hunted: Hunted) -> None:
        self._settle_on(leg, hunted.departure)
        try:
            self._media.open(leg)
        except MediaUnavailableError:
            self._legs.report_stillborn(leg, EndCause(Result.FAILED, "no-media", 503))
            return
        leg.attempt = hunted.attempt
        try:
            self._invite(leg, hunted, leg.began)
        except BaseException:
            self._media.discard(leg)
            raise
        leg.hunted = hunted
        self._legs.add(leg, setup_timeout_s=hunted.attempt.silence_s)
        self._watch(leg, hunted)

    def _failed(self, leg: Leg, hunted: Hunted, event: Failed) -> bool:
        """One attempt is over: the next, or the leg hears how this one ended."""
        failure = failure_of(event)
        self._trunks.failed(hunted.departure, failure, self._clock.now())
        if not hunted.hunt.failed(failure, has_rung=hunted.has_rung) or not self._go_on(
            leg, hunted
        ):
            self._forget(leg)
            return False
        return True

    def _go_on(self, leg: Leg, hunted: Hunted) -> bool:
        """Try the next address; False when none is left."""
        now = self._clock.now()
        hunted.stop()
        departure = hunted.hunt.next(now)
        if isinstance(departure, Nowhere):
            return False
        log.info(
            "leg %s of call %s leaves trunk %s for %s at %s:%d",
            *(leg.id, leg.call, hunted.departure.trunk.name, departure.trunk.name),
            *(departure.target.host, departure.target.port),
        )
        self.moved += 1
        self._legs.end_early_media(leg)
        hunted.departure, hunted.has_rung, hunted.is_working = departure, False, False
        self._legs.unlink(leg.session)
        self._settle_on(leg, departure)
        leg.negotiation = self._media.negotiate_anew(leg)
        self._invite(leg, hunted, now)
        self._legs.moved(leg)
        self._watch(leg, hunted)
        return True

    def _settle_on(self, leg: Leg, departure: Departure) -> None:
        leg.trunk, leg.group = departure.trunk.name, departure.group
        leg.dtmf = str(departure.trunk.dtmf)

    def _invite(self, leg: Leg, hunted: Hunted, now: float) -> None:
        where = self._departing.target(
            hunted.departure, is_passed_on=self._is_passed_on(leg, hunted)
        )
        assert leg.negotiation is not None
        leg.has_offer = not where.late_offer
        leg.session = self._inviter.invite(hunted.attempt, where, leg.negotiation, now)

    def _is_passed_on(self, leg: Leg, hunted: Hunted) -> bool:
        """Whether the caller's number is one that came in on a trunk: others answer for it."""
        number = hunted.attempt.caller_number
        return any(
            not each.outbound and each.trunk is not None and each.number == number
            for each in self._legs.of_call(leg.call)
        )

    def _watch(self, leg: Leg, hunted: Hunted) -> None:
        """Wait for a sign of life, if there is another trunk for the case that none comes."""
        silence_s = hunted.departure.trunk.silence_s
        if hunted.departure.has_others and silence_s > 0:
            when = self._clock.now() + silence_s
            hunted.timer = self._turn.call_at(when, leg.id, lambda: self._silent(leg, hunted))

    def _silent(self, leg: Leg, hunted: Hunted) -> None:
        hunted.timer = None
        if leg.hunted is not hunted or leg.state is State.ENDED:
            return
        record = self._ua.record(leg.session)
        if record is None or record.state != usage.State.CALLING:
            return  # it said 100 at least: it works on it
        failure = Failure(408, heard_back=False)
        self._trunks.failed(hunted.departure, failure, self._clock.now())
        given_up = leg.session
        if self._go_on(leg, hunted):
            self._ua.end(given_up, self._clock.now())
