"""What phones dial to park a call, to fetch one, and to pick up one that rings.

    *68        park the call that the phone has on hold, in the next free place; the place is said
    *68705     the same in place 705
    701        fetch who is parked there; if nobody is, park the held call there
    *8         pick up what rings at the agents of the same queues
    *81002     pick up what rings at 1002; *8701 fetches as 701 does

A transfer (REFER) to a place or to the code parks without a held call. Trunks reach none of this.
"""

from __future__ import annotations

import logging
from typing import Final

from acd.contact import Stage
from acd.contacts import Contacts
from acd.errors import AcdError, CannotReachError, NotNowError
from acd.parking import Parking
from acd.pick_up import PickUps
from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl, Features
from switch.ids import LegId
from switch.trunks.source import Source

log = logging.getLogger(__name__)

PARK: Final = "park"
PICK_UP: Final = "pick-up"
"""The entries of the number plan to which the codes lead."""

_CANNOT: Final = EndCause(Result.COMPLETED, "cannot-park")


class DialledCodes:
    """Carries out what was dialled, or refuses the call that dialled it."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        parking: Parking,
        pick_ups: PickUps,
        control: CallControl,
        features: Features,
        park_code: str,
        pick_up_code: str,
    ) -> None:
        self._contacts = contacts
        self._parking = parking
        self._pick_ups = pick_ups
        self._control = control
        self._features = features
        self._park_code = park_code
        self._pick_up_code = pick_up_code
        self.takes: Takes = parking.telling.takes
        """News of those who are told a place."""

    def refuses(self, entry: str, number: str, leg: LegId) -> int | None:
        """With which status a transfer of this leg to an entry is refused; None: it is welcome.

        Of a contact only the customer can be brought anywhere: without its agent, or who is asked, it
        would be alone.
        """
        contact = self._contacts.of_leg(leg)
        if entry == PICK_UP or (contact is not None and leg != contact.customer_leg):
            return 403
        if entry != PARK:
            return None
        if contact is not None and contact.stage not in (Stage.TALKING, Stage.DIRECT):
            return 403
        try:
            self._parking.places.free(self._slot(number))
        except CannotReachError:
            return 404
        except NotNowError:
            return 486
        return None

    def incoming(self, event: IncomingLeg) -> bool:
        """Take a call that dialled a code; False: it has dialled something else."""
        if event.entry not in (PARK, PICK_UP):
            return False
        self._incoming(event)
        return True

    # --- inside ---------------------------------------------------------------------------------

    def _incoming(self, event: IncomingLeg) -> None:
        if event.is_answered:
            self._transferred(event)
            return
        if event.source is not Source.PHONE:
            self._control.reject(event.leg, 404, "Not Found")
            return
        try:
            if event.entry == PARK:
                self._park(event)
            else:
                self._pick_up(event)
        except AcdError as error:
            log.info("phone %s dialled %r: %s", event.source_name, event.called[:32], error)
            self._control.reject(event.leg, 480, str(error))

    def _transferred(self, event: IncomingLeg) -> None:
        """The door (`refuses`) has let it in."""
        contact = self._contacts.of_leg(event.leg)
        if event.entry != PARK or (contact is not None and contact.customer_leg != event.leg):
            self._control.hang_up(event.leg, _CANNOT)
            return
        self._parking.take(event, self._slot(event.called))

    def _park(self, event: IncomingLeg) -> None:
        slot = self._slot(event.called)
        if event.called == slot and self._parking.places.is_taken(slot):
            self._parking.fetch_by_leg(slot, event.leg, event.source_name)
            return
        held = self._features.held_call(event.source_name)
        if held is None and event.called == slot:
            self._parking.places.occupant(slot)  # raises: there is nobody to be fetched
        if held is None:
            raise NotNowError("No call is on hold to be parked")
        free = self._parking.places.free(slot)
        telling = self._parking.telling
        telling.expect(event.leg, free)
        if not self._features.deflect(held.leg, PARK, free):
            telling.forget(event.leg)
            raise NotNowError("That call cannot be parked")
        self._control.answer(event.leg)

    def _pick_up(self, event: IncomingLeg) -> None:
        number = event.called.removeprefix(self._pick_up_code)
        if number in self._parking.places:
            self._parking.fetch_by_leg(number, event.leg, event.source_name)
        else:
            self._pick_ups.dialled(event, number)

    def _slot(self, number: str) -> str:
        """The place in what was dialled; empty: any."""
        return number.removeprefix(self._park_code)
