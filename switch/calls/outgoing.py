"""Legs that we call: phones at all of their bindings, numbers through trunks."""

from __future__ import annotations

import logging
from collections.abc import Callable

from switch.calls.attempt import Attempt
from switch.calls.causes import EndCause
from switch.calls.destinations import Destinations
from switch.calls.events import EmergencyCalled
from switch.calls.forking import Forking
from switch.calls.hunting import Hunting
from switch.calls.leg import Leg, State
from switch.calls.legs import Legs
from switch.calls.turn import Turn
from switch.clock import Clock
from switch.ids import LegId
from switch.sip.events import SessionId
from switch.trunks.trunks import Trunks

log = logging.getLogger(__name__)


class Outgoing:
    """Starts outbound legs. A leg that cannot start is reported as started and ended at once."""

    def __init__(
        self,
        *,
        destinations: Destinations,
        trunks: Trunks,
        legs: Legs,
        forking: Forking,
        hunting: Hunting,
        clock: Clock,
        turn: Turn,
        new_id: Callable[[str], str],
    ) -> None:
        self._destinations = destinations
        self._trunks = trunks
        self._legs = legs
        self._forking = forking
        self._hunting = hunting
        self._clock = clock
        self._turn = turn
        self._new_id = new_id

    def phone(self, attempt: Attempt) -> LegId:
        """Call the phone `attempt.number` at all of its bindings."""
        leg = self._leg(attempt, phone=attempt.number, trunk=None)
        groups = self._destinations.phone(attempt.number, leg.began)
        if isinstance(groups, EndCause):
            self._legs.report_stillborn(leg, groups)
        else:
            self._forking.start(leg, attempt, groups)
        return leg.id

    def trunk(self, name: str, attempt: Attempt) -> LegId:
        """Call `attempt.number` through the trunk or group `name`."""
        leg = self._leg(attempt, phone=None, trunk=name)
        hunt = self._trunks.hunt(
            name,
            attempt.number,
            caller_number=attempt.caller_number,
            caller_name=attempt.caller_name,
            phone=attempt.phone,
        )
        if hunt.is_emergency:
            self._report_emergency(leg, attempt)
        self._hunting.start(leg, attempt, hunt)
        return leg.id

    def _report_emergency(self, leg: Leg, attempt: Attempt) -> None:
        caller = attempt.phone or attempt.caller_number
        log.warning("emergency call to %s by %s", attempt.number, caller or "unknown")
        self._turn.emit(
            EmergencyCalled(
                leg=leg.id,
                call=leg.call,
                at=leg.began,
                number=attempt.number,
                caller_number=caller,
                location=self._trunks.location_of(caller),
            )
        )

    def _leg(self, attempt: Attempt, *, phone: str | None, trunk: str | None) -> Leg:
        return Leg(
            id=LegId(self._new_id("leg")),
            call=attempt.call,
            session=SessionId(""),
            outbound=True,
            number=attempt.number,
            phone=phone,
            trunk=trunk,
            dtmf="rfc4733" if phone is None else self._destinations.dtmf_of_phone(phone),
            state=State.CALLING,
            began=self._clock.now(),
            rings_for_s=attempt.ring_timeout_s if attempt.alert_within_s else 0.0,
        )
