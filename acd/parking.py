"""Parked calls: a customer waits in a numbered place until somebody fetches it, from any phone.

The course is the table of `acd.park_state`. A call comes here from a desk, by the dialled code, or
because a phone transfers it to a place; one that was between two phones becomes a contact by that. It
leaves with whoever fetches it, with who parked it, with its queue, or with its customer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from acd.contact import Contact, Stage
from acd.contact_events import (
    ContactEvent,
    ContactParked,
    ContactResult,
    ContactStarted,
    ParkNews,
    TransferKind,
)
from acd.contacts import Contacts
from acd.distribution import Distribution
from acd.errors import CannotReachError, NotNowError
from acd.hand_over import HandOver
from acd.invitations import Invitations
from acd.model import AgentId, ContactId
from acd.park import Park, ParkSettings
from acd.park_state import Effect, ParkInput, ParkState, find_step
from acd.parking_places import ParkingPlaces
from acd.parties import Parties
from acd.party import Party
from acd.place_telling import PlaceTelling
from acd.ports import ToPhone
from acd.waiting_room import WaitingRoom
from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg, LegAnswered, LegEnded, PlayFinished
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId

log = logging.getLogger(__name__)

_TAKEN: Final = EndCause(Result.CANCELLED, "fetched-elsewhere")
_NOBODY: Final = EndCause(Result.COMPLETED, "nobody-fetched")

BeginAt = Callable[[Contact, str], bool]


class Parking:
    """All parked contacts. Commands raise `AcdError` where they make no sense."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        distribution: Distribution,
        hand_over: HandOver,
        parties: Parties,
        invitations: Invitations,
        waiting_room: WaitingRoom,
        control: CallControl,
        clock: Clock,
        agents: Mapping[str, AgentId],
        settings: ParkSettings,
        begin_at: BeginAt,
        new_id: Callable[[str], str],
        report: Callable[[ContactEvent], None],
    ) -> None:
        """`agents` maps a phone's number to its agent; `begin_at` lets a contact begin at an entry."""
        self._contacts = contacts
        self._distribution = distribution
        self._hand_over = hand_over
        self._parties = parties
        self._invitations = invitations
        self._waiting_room = waiting_room
        self._control = control
        self._clock = clock
        self._agents = agents
        self._settings = settings
        self._begin_at = begin_at
        self._new_id = new_id
        self._report = report
        self.takes: Takes = {
            LegAnswered: self._leg_answered,
            LegEnded: self._leg_ended,
            PlayFinished: self._play_finished,
        }
        """News of parked contacts; before consultations have it, whose parties look alike."""
        self.places = ParkingPlaces(settings.slots, contacts, clock)
        self.telling = PlaceTelling(control, settings.language)

    # --- commands -------------------------------------------------------------------------------

    def park(self, contact: Contact, by: str = "", slot: str = "") -> str:
        """Park a talk; gives the place. `by`: the phone to call back, if not the agent's."""
        self._invitations.demand_talk(contact, alone=True)
        place = self.places.free(slot)
        by = by or str(contact.agent or "")
        self._hand_over.to_park(contact, place)
        self._begin(contact, place, by)
        return place

    def take(self, event: IncomingLeg, slot: str = "") -> None:
        """A phone has transferred somebody to a place: its contact, or whom it called itself."""
        contact = self._contacts.of_leg(event.leg)
        try:
            place = self.places.free(slot)
        except (NotNowError, CannotReachError):
            place = self.places.free()  # it was asked for before; somebody was faster
        if contact is None:
            contact = self._make(event)
        self._hand_over.to_park(contact, place)
        self._begin(contact, place, event.redirected_by)

    def fetch(self, slot: str, phone: str, *, at_once: bool = False) -> None:
        """Call a phone that then has the contact of a place; `at_once`: it is asked to answer by itself."""
        contact = self.places.occupant(slot)
        agent = self._invitations.demand_phone(contact, phone, own=True)
        self._fetch(contact, Party(number=phone, agent=agent, at_once=at_once))

    def fetch_by_leg(self, slot: str, leg: LegId, phone: str) -> None:
        """A phone has called us for a place: it has the contact as soon as it is connected."""
        contact = self.places.occupant(slot)
        self._fetch(contact, Party(number=phone, agent=self._agents.get(phone), leg=leg))

    # --- what happens ---------------------------------------------------------------------------

    def _leg_answered(self, event: LegAnswered) -> None:
        contact = self._contacts.of_leg(event.leg)
        caller = None if contact is None or contact.park is None else contact.park.caller
        if contact is not None and caller is not None and caller.leg == event.leg:
            caller.answered = True
            self._feed(contact, ParkInput.ANSWERED)

    def _leg_ended(self, event: LegEnded) -> None:
        if event.leg in self.telling:
            self._told(event.leg)
        contact = self._contacts.of_leg(event.leg)
        park = None if contact is None else contact.park
        if contact is None or park is None:
            return
        if event.leg == contact.customer_leg:
            self._leave(contact, park, ParkNews.GONE)
        elif park.caller is not None and park.caller.leg == event.leg:
            self._parties.ended(contact, park.caller, event.cause.reason)
            self._caller_gone(contact, park)

    def _told(self, leg: LegId) -> None:
        """Who was told a place has hung up, or knows it."""
        self.telling.forget(leg)
        for contact in self._contacts.live():
            if contact.park is not None and contact.park.telling == leg:
                contact.park.telling = None

    def _play_finished(self, event: PlayFinished) -> None:
        contact = self._contacts.of_leg(event.leg)
        park = None if contact is None else contact.park
        if contact is not None and park is not None and event.player == contact.announcement:
            contact.announcement = None
            if park.state is ParkState.LEAVING:
                self._feed(contact, ParkInput.TOLD)

    def go_on(self, contact: Contact) -> None:
        """A contact was taken up from an earlier process."""
        park = contact.park
        if park is None:
            return
        self.places.taken(park.slot, contact.id)
        if park.telling is not None:
            self.telling.again(park.telling, park.slot)
        if park.state is ParkState.LEAVING:
            if contact.announcement is None:
                self._do(Effect.TELL, contact, park)
            return
        self._waiting_room.enter(contact)
        if park.state is ParkState.WAITING:
            self._wait(contact, park)
        elif park.caller is None or park.caller.leg not in contact.others:
            self._caller_gone(contact, park)

    # --- inside ---------------------------------------------------------------------------------

    def _make(self, event: IncomingLeg) -> Contact:
        """Two phones have talked, and nobody kept books of it."""
        contact = Contact(
            id=ContactId(self._new_id("i")),
            call=event.call,
            customer_leg=event.leg,
            caller_number=event.caller_number,
            caller_name=event.caller_name,
            called=event.redirected_by,
            started_at=event.at,
            stage=Stage.DIRECT,
            record=False,
            language=self._settings.language,
            customer_answered=True,
        )
        self._contacts.bind(event.leg, contact)
        self._report(
            ContactStarted(
                contact=contact.id,
                call=contact.call,
                at=event.at,
                caller_number=contact.caller_number,
                caller_name=contact.caller_name,
                called=contact.called,
            )
        )
        self._contacts.add(contact)
        return contact

    def _begin(self, contact: Contact, slot: str, by: str) -> None:
        now = self._clock.now()
        park = contact.park = Park(slot=slot, by=by, since=now, due=now)
        park.telling = self.telling.of(slot)
        self.places.taken(slot, contact.id)
        self._waiting_room.enter(contact)
        self._wait(contact, park, self._settings.ring_back_s)
        log.info("contact %s is parked in %s by %s", contact.id, slot, by)
        self._tell(contact, park, ParkNews.PARKED)

    def _fetch(self, contact: Contact, party: Party) -> None:
        park = contact.park
        assert park is not None
        if find_step(park.state, ParkInput.FETCH) is None:
            raise NotNowError("Somebody else is fetching that call", contact=contact.id)
        self._feed(contact, ParkInput.FETCH, party)

    def _caller_gone(self, contact: Contact, park: Park) -> None:
        if park.state is not ParkState.RECALLING:
            self._feed(contact, ParkInput.GONE)
            return
        park.ring_backs += 1
        if park.ring_backs < self._settings.ring_backs:
            self._feed(contact, ParkInput.GONE)
        elif contact.queue is not None or self._settings.otherwise:
            self._feed(contact, ParkInput.NOBODY)
        else:
            self._feed(contact, ParkInput.NOWHERE)

    def _feed(self, contact: Contact, what: ParkInput, party: Party | None = None) -> None:
        """Apply the table: the only place where a parked contact moves. `party`: who fetches it."""
        park = contact.park
        assert park is not None
        step = find_step(park.state, what)
        if step is None:
            log.error("contact %s: parked and %s it cannot meet %s", contact.id, park.state, what)
            return
        log.debug("contact %s: parked, %s, %s -> %s", contact.id, what, park.state, step.to)
        was = park.state
        if step.to is not None:
            park.state = step.to
        for effect in step.effects:
            self._do(effect, contact, park, party, was)

    def _do(
        self,
        effect: Effect,
        contact: Contact,
        park: Park,
        party: Party | None = None,
        was: ParkState = ParkState.WAITING,
    ) -> None:
        match effect:
            case Effect.DROP:
                caller, park.caller = park.caller, None
                if caller is not None:
                    self._hand_over.drop(contact, caller, _TAKEN.reason, _TAKEN)
            case Effect.HUSH:
                self._waiting_room.leave(contact)
                self._waiting_room.enter(contact)
            case Effect.CALL if party is not None:
                self._call(contact, park, party)
            case Effect.RING_BACK:
                self._ring_back(contact, park)
            case Effect.WAIT:
                park.caller = None
                patience = self._settings.ring_back_s if was is ParkState.RECALLING else None
                self._wait(contact, park, patience)
                self._tell(contact, park, ParkNews.PARKED)
            case Effect.HAND_OVER:
                self._give(contact, park, back=was is ParkState.RECALLING)
            case Effect.PASS_ON:
                self._pass_on(contact, park)
            case Effect.TELL:
                self._waiting_room.leave(contact)
                self._waiting_room.regret(contact)
            case Effect.LET_GO:
                self._leave(contact, park, ParkNews.GONE)
                reason = _NOBODY.reason
                self._contacts.finish(contact, ContactResult.TIMEOUT, reason, hang_up=_NOBODY)
            case _:
                pass

    def _call(self, contact: Contact, park: Park, party: Party) -> None:
        """It is called, or has called and is answered."""
        park.caller = party
        if party.leg:
            self._parties.add(contact, party)
            self._control.answer(party.leg)
        else:
            self._invite(contact, park, party, "fetched")
        self._tell(contact, park, ParkNews.FETCHING)

    def _ring_back(self, contact: Contact, park: Park) -> None:
        party = Party(number=park.by)
        try:
            party.agent = self._invitations.demand_phone(contact, park.by)
        except CannotReachError as error:
            log.info("contact %s cannot ring back at %s: %s", contact.id, park.by, error)
            self._caller_gone(contact, park)
            return
        park.caller = party
        self._invite(contact, park, party, "ring-back")
        self._tell(contact, park, ParkNews.RECALLING)

    def _invite(self, contact: Contact, park: Park, party: Party, rule: str) -> None:
        self._invitations.invite(
            contact,
            party,
            ToPhone(phone=party.number),
            rule=rule,
            by=None,
            is_wanted=lambda: contact.park is park and park.caller is party,
        )

    def _give(self, contact: Contact, park: Park, *, back: bool) -> None:
        """Who has answered talks to the customer from now on."""
        party = park.caller
        assert party is not None
        self._waiting_room.leave(contact)
        contact.stage = Stage.DIRECT
        contact.talking_since = self._clock.now()
        kind = TransferKind.RETURNED if back else TransferKind.PICKED_UP
        self._hand_over.to_party(contact, party, kind)
        self._leave(contact, park, ParkNews.RETURNED if back else ParkNews.FETCHED)

    def _pass_on(self, contact: Contact, park: Park) -> None:
        """Nobody wanted it: its queue has it, at its head, or the configured entry."""
        self._leave(contact, park, ParkNews.PASSED_ON)
        if contact.queue is not None:
            self._hand_over.to_queue(contact, contact.queue, TransferKind.RETURNED, head=True)
            return
        self._waiting_room.leave(contact)
        contact.stage = Stage.MENU
        if not self._begin_at(contact, self._settings.otherwise):
            self._contacts.finish(contact, ContactResult.FAILED, "no-such-entry", hang_up=_NOBODY)

    def _leave(self, contact: Contact, park: Park, news: ParkNews) -> None:
        """The place is free."""
        self.places.left(park.slot, contact.id)
        contact.park = None
        self._tell(contact, park, news)

    def _wait(self, contact: Contact, park: Park, patience: float | None = None) -> None:
        """Call back who parked it when it is due; `patience`: so many seconds from now."""
        now = self._clock.now()
        due = park.due = max(now, park.due) if patience is None else now + patience

        def is_due() -> None:
            if contact.park is park and park.state is ParkState.WAITING and park.due == due:
                self._feed(contact, ParkInput.DUE)

        self._clock.call_at(due, is_due)

    def _tell(self, contact: Contact, park: Park, news: ParkNews) -> None:
        self.places.counted[news] += 1
        self._report(
            ContactParked(
                contact=contact.id,
                at=self._clock.now(),
                slot=park.slot,
                by=park.by,
                since=park.since,
                due=park.due,
                news=news,
                number="" if park.caller is None else park.caller.number,
            )
        )
