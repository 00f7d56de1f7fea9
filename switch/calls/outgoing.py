"""Legs that we call: phones at all of their bindings, numbers through a trunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from switch.calls.attempt import Attempt, Target, groups_of
from switch.calls.causes import EndCause, Result
from switch.calls.forking import USER_SAFE, Forking
from switch.calls.leg import Leg, State
from switch.calls.legs import Legs
from switch.calls.settings import CallSettings
from switch.clock import Clock
from switch.ids import LegId
from switch.registrar.location import Location
from switch.sip.events import SessionId
from switch.sip.flow import Flow
from switch.sip.uri import Uri
from switch.trunks.limits import TrunkLimits
from switch.trunks.settings import TrunkSettings


class Outgoing:
    """Starts outbound legs. A leg that cannot start is reported as started and ended at once."""

    def __init__(
        self,
        *,
        location: Location,
        trunks: Mapping[str, TrunkSettings],
        limits: TrunkLimits,
        legs: Legs,
        forking: Forking,
        settings: CallSettings,
        clock: Clock,
        new_id: Callable[[str], str],
    ) -> None:
        self._location = location
        self._trunks = trunks
        self._limits = limits
        self._legs = legs
        self._forking = forking
        self._settings = settings
        self._clock = clock
        self._new_id = new_id

    def phone(self, attempt: Attempt) -> LegId:
        """Call the phone `attempt.number` at all of its bindings."""
        leg = self._leg(attempt, phone=attempt.number, trunk=None)
        bindings = self._location.bindings(attempt.number, leg.began)
        if not bindings:
            self._legs.report_stillborn(leg, EndCause(Result.UNREACHABLE, "no-binding", 480))
            return leg.id
        self._forking.start(leg, attempt, groups_of(bindings))
        return leg.id

    def trunk(self, name: str, attempt: Attempt) -> LegId:
        """Call `attempt.number` through the trunk `name`."""
        leg = self._leg(attempt, phone=None, trunk=name)
        trunk = self._trunks.get(name)
        if trunk is None or trunk.proxy_host is None:
            self._legs.report_stillborn(leg, EndCause(Result.UNREACHABLE, "no-route", 404))
        elif not self._limits.has_room(name):
            self._legs.report_stillborn(leg, EndCause(Result.REJECTED, "trunk-full", 503))
        else:
            remote = (trunk.proxy_host, trunk.proxy_port)
            uri = Uri("sip", quote(attempt.number, USER_SAFE), *remote)
            flow = Flow(trunk.transport, remote, self._settings.sip_address)
            target = Target(request_uri=str(uri), flow=flow)
            self._forking.start(leg, attempt, [(target,)])
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
