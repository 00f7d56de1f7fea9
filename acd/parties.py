"""The legs of a contact beside those of its customer and its agent: found, told of, and gone."""

from __future__ import annotations

from collections.abc import Callable

from acd.contact import Contact
from acd.contact_events import ContactEvent, ContactParty
from acd.contacts import Contacts
from acd.party import Party, PartyState
from switch.clock import Clock
from switch.ids import LegId


class Parties:
    """What consultations, supervisors and parked calls do alike with those who are called for them."""

    def __init__(
        self, *, contacts: Contacts, clock: Clock, report: Callable[[ContactEvent], None]
    ) -> None:
        self._contacts = contacts
        self._clock = clock
        self._report = report

    def find(self, leg: LegId) -> tuple[Contact, Party] | None:
        """The contact and the party of a leg; None for legs of customers, agents and strangers."""
        contact = self._contacts.of_leg(leg)
        party = None if contact is None else contact.others.get(leg)
        return None if contact is None or party is None else (contact, party)

    def add(self, contact: Contact, party: Party) -> None:
        """The party's leg, which exists now, belongs to the contact."""
        contact.others[party.leg] = party
        self._contacts.bind(party.leg, contact)
        self.tell(contact, party, PartyState.CALLING)

    def rings(self, contact: Contact, party: Party) -> None:
        """Its phone alerts; told once."""
        if not party.rang:
            party.rang = True
            self.tell(contact, party, PartyState.RINGING)

    def ended(self, contact: Contact, party: Party, reason: str) -> None:
        """Its leg is gone."""
        self._contacts.unbind(party.leg)
        del contact.others[party.leg]
        state = PartyState.LEFT if party.answered else PartyState.FAILED
        self.tell(contact, party, state, reason)

    def tell(self, contact: Contact, party: Party, state: PartyState, reason: str = "") -> None:
        """Report where it stands now."""
        self._report(
            ContactParty(
                contact=contact.id,
                at=self._clock.now(),
                number=party.number,
                agent=party.agent,
                state=state,
                role=party.role,
                by=party.watcher,
                reason=reason,
            )
        )
