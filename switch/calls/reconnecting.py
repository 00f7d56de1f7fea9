"""A phone whose connection broke, or whose server was started anew, registers by another one.

Its calls go on: what we have to say in them takes the new connection (RFC 5626 section 5.3, where the flow
of a dialog is the one that its device has now). Until the phone is back nothing reaches it but sound.
"""

from __future__ import annotations

import logging

from switch.calls.legs import Legs
from switch.clock import Clock
from switch.registrar.coming_back import ComingBack
from switch.registrar.location import Binding, Location
from switch.sip.user_agent import UserAgent

log = logging.getLogger(__name__)


class Reconnecting:
    """Gives legs the connections that their phones have now."""

    def __init__(self, user_agent: UserAgent, legs: Legs, location: Location, clock: Clock) -> None:
        self._ua = user_agent
        self._legs = legs
        self._location = location
        self._clock = clock

    def came_back(self, phone: str, binding: Binding) -> None:
        """A phone has registered by a connection that it had not before."""
        device = ComingBack(self._location, phone, binding, self._clock.now())
        for leg in self._legs:
            if leg.phone == phone:
                way = self._ua.way_to(leg.session)
                if way is not None and device.takes(*way):
                    log.info("leg %s goes on by another connection of phone %s", leg.id, phone)
                    self._ua.go_by(leg.session, binding.flow)
                    self._legs.note_change(leg)
