"""Commands about parked calls and pick-up, and what is seen of the places."""

from __future__ import annotations

from acd.contacts import Contacts
from acd.parking import Parking
from acd.pick_up import PickUps
from cti.party_desk import in_public_words, live_contact
from cti.schema import ParkedView
from cti.translate import Translator


class ParkDesk:
    """Satisfies `cti.api.ports.Parked`."""

    def __init__(
        self, *, contacts: Contacts, parking: Parking, pick_ups: PickUps, translator: Translator
    ) -> None:
        self._contacts = contacts
        self._parking = parking
        self._pick_ups = pick_ups
        self._translator = translator

    def list(self) -> tuple[ParkedView, ...]:
        """The places that are taken."""
        return self._translator.parked()

    def park(self, interaction_id: str, slot: str) -> str:
        """Park a talk; gives the place."""
        with live_contact(self._contacts, interaction_id) as contact:
            return self._parking.park(contact, slot=slot)

    def fetch(self, slot: str, phone: str, *, own: bool) -> None:
        """Call a phone that then has the call."""
        with in_public_words():
            self._parking.fetch(slot, phone, at_once=own)

    def pick_up(self, number: str, phone: str, *, own: bool) -> None:
        """Call a phone that then has what rings at `number`; empty: at its colleagues."""
        with in_public_words():
            self._pick_ups.ask(phone, number, at_once=own)
