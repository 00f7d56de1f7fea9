"""Legs that we call: phones at all of their bindings, numbers through a trunk."""

from __future__ import annotations

from collections.abc import Callable

from switch.calls.attempt import Attempt
from switch.calls.causes import EndCause
from switch.calls.destinations import Destinations, Groups
from switch.calls.forking import Forking
from switch.calls.leg import Leg, State
from switch.calls.legs import Legs
from switch.clock import Clock
from switch.ids import LegId
from switch.sip.events import SessionId


class Outgoing:
    """Starts outbound legs. A leg that cannot start is reported as started and ended at once."""

    def __init__(
        self,
        *,
        destinations: Destinations,
        legs: Legs,
        forking: Forking,
        clock: Clock,
        new_id: Callable[[str], str],
    ) -> None:
        self._destinations = destinations
        self._legs = legs
        self._forking = forking
        self._clock = clock
        self._new_id = new_id

    def phone(self, attempt: Attempt) -> LegId:
        """Call the phone `attempt.number` at all of its bindings."""
        leg = self._leg(attempt, phone=attempt.number, trunk=None)
        return self._start(leg, attempt, self._destinations.phone(attempt.number, leg.began))

    def trunk(self, name: str, attempt: Attempt) -> LegId:
        """Call `attempt.number` through the trunk `name`."""
        leg = self._leg(attempt, phone=None, trunk=name)
        return self._start(leg, attempt, self._destinations.trunk(name, attempt.number))

    def _start(self, leg: Leg, attempt: Attempt, groups: Groups | EndCause) -> LegId:
        if isinstance(groups, EndCause):
            self._legs.report_stillborn(leg, groups)
        else:
            self._forking.start(leg, attempt, groups)
        return leg.id

    def _leg(self, attempt: Attempt, *, phone: str | None, trunk: str | None) -> Leg:
        return Leg(
            id=LegId(self._new_id("leg")),
            call=attempt.call,
            session=SessionId(""),
            outbound=True,
            number=attempt.number,
            phone=phone,
            trunk=trunk,
            state=State.CALLING,
            began=self._clock.now(),
        )
