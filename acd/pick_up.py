"""Pick-up: somebody takes what rings at another one's phone; one that is named, or any of the queue.

A phone asks by a code that it dials, or names what rings as its busy lamp told it (INVITE with
Replaces); a desk asks by a command. Three things ring at phones: offers of queues, parked calls that are
called back, and direct calls. An offer moves to the agent who picks it up and is an offer as before, so
that card, failure and figures are those of every other; only agents of its queue may have it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Literal

from acd.at_once import AT_ONCE
from acd.contact import Contact, Stage
from acd.contacts import Contacts
from acd.distribution import Distribution
from acd.errors import AcdError, CannotReachError, NotNowError
from acd.model import AgentId
from acd.park_state import ParkState
from acd.parking import Parking
from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg, LegAnswered, LegEnded, PickUpAsked
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl, Features, RingingCall
from switch.ids import LegId

log = logging.getLogger(__name__)

Whose = Literal["all", "queue", "nobody"]
"""Whose calls one may pick up: everybody's, those of agents of one's queues, or none."""

_OWN_RING_S: Final = 20.0
_TOO_LATE: Final = EndCause(Result.CANCELLED, "picked-up-elsewhere")


class PickUps:
    """Finds what rings, and gives it to who asks. Commands raise `AcdError`."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        distribution: Distribution,
        parking: Parking,
        control: CallControl,
        features: Features,
        agents: Mapping[str, AgentId],
        whose: Whose,
        disengage: Callable[[LegId], None],
    ) -> None:
        """`agents` maps a phone's number to its agent; `disengage` is told of legs that become offers."""
        self._contacts = contacts
        self._distribution = distribution
        self._parking = parking
        self._control = control
        self._features = features
        self._agents = agents
        self._whose = whose
        self._disengage = disengage
        self._wanted: dict[LegId, LegId] = {}
        """Our call to who picks up at a desk, and the leg that rings."""
        self.takes: Takes = {
            PickUpAsked: self._asked,
            LegAnswered: self._leg_moved,
            LegEnded: self._leg_moved,
        }
        """Who names what rings; news of the calls to those who ask at a desk, and of what rings for them."""
        self.counted: Counter[str] = Counter()
        """Pick-ups by what rang: `offer`, `parked`, `direct`, `nothing`."""

    def dialled(self, event: IncomingLeg, number: str) -> None:
        """A phone asks with the call that it makes; `number` empty: whatever rings in its queues."""
        found = self._find(event.source_name, number)
        ringing = found.leg if isinstance(found, RingingCall) else found
        self._give(ringing, event.leg, event.source_name)

    def ask(self, phone: str, number: str, *, at_once: bool = False) -> None:
        """A desk asks for a phone, which is called; `at_once`: it is asked to answer by itself."""
        agent = self._agents.get(phone)
        if not self._control.is_reachable(phone):
            raise CannotReachError("Your phone is not registered", number=phone)
        if agent is not None and not self._distribution.can_join(agent):
            raise CannotReachError("Your phone is on a call", number=phone)
        found = self._find(phone, number)
        if isinstance(found, RingingCall):
            leg = self._control.call_phone(
                phone,
                call=found.call,
                caller_number=found.caller,
                caller_name="",
                ring_timeout_s=_OWN_RING_S,
                headers=AT_ONCE if at_once else {},
            )
            self._wanted[leg] = found.leg
        elif found.park is not None:
            self._parking.fetch(found.park.slot, phone, at_once=at_once)
        elif agent is not None:
            self._distribution.pick_up(found, agent, at_once=at_once)

    def _leg_moved(self, event: LegAnswered | LegEnded) -> None:
        if not self._wanted:
            return
        ringing = self._wanted.pop(event.leg, None)
        if ringing is not None:
            if isinstance(event, LegAnswered) and not self._features.pick_up(event.leg, ringing):
                self._control.hang_up(event.leg, _TOO_LATE)
            return
        for leg in [leg for leg, rings in self._wanted.items() if rings == event.leg]:
            del self._wanted[leg]
            self._control.hang_up(leg, _TOO_LATE)

    # --- inside ---------------------------------------------------------------------------------

    def _asked(self, event: PickUpAsked) -> None:
        """A phone names what rings: the rights are those of who dials the code."""
        try:
            self._give(self._named(event), event.leg, event.phone)
        except AcdError as error:
            log.info("phone %s may not have leg %s: %s", event.phone, event.ringing, error)
            self._control.reject(event.leg, 403, str(error))

    def _give(self, ringing: Contact | LegId, leg: LegId, phone: str) -> None:
        """Let a phone that has called us for it have a contact, or the direct call that rings at a leg."""
        agent = self._agents.get(phone)
        if not isinstance(ringing, Contact):
            if not self._features.pick_up(leg, ringing):
                raise NotNowError("Nothing rings there that you may pick up")
        elif ringing.park is not None:
            self._parking.fetch_by_leg(ringing.park.slot, leg, phone)
        elif agent is not None:
            self._distribution.pick_up(ringing, agent, leg)
            self._disengage(leg)

    def _named(self, event: PickUpAsked) -> Contact | LegId:
        """What rings at a leg that a phone has named. Raises CannotReachError."""
        phone, rings_at = event.phone, event.rings_at
        if rings_at is None:
            raise CannotReachError("You may not pick up calls there")
        # One device of a number may answer what rings at another one, whatever holds for calls of others.
        phones = frozenset((phone,)) if rings_at == phone else self._phones(phone, rings_at)
        contact = self._contacts.of_leg(event.ringing)
        what = "direct"
        if contact is not None:
            what = self._rings(contact, self._agents.get(phone), phones)
        if not what:
            raise CannotReachError("You may not pick up that call", number=rings_at)
        self.counted[what] += 1
        return event.ringing if contact is None else contact

    def _find(self, phone: str, number: str) -> Contact | RingingCall:
        """What rings at the others. Raises NotNowError, CannotReachError."""
        phones = self._phones(phone, number)
        agent = self._agents.get(phone)
        for contact in self._contacts.live():
            what = self._rings(contact, agent, phones)
            if what:
                self.counted[what] += 1
                return contact
        found = self._features.ringing_call(phones)
        self.counted["nothing" if found is None else "direct"] += 1
        if found is None:
            raise NotNowError("Nothing rings there that you may pick up", number=number)
        return found

    def _rings(self, contact: Contact, agent: AgentId | None, phones: frozenset[str]) -> str:
        """What of a contact rings at one of these phones and may be picked up; empty: nothing."""
        if contact.stage is Stage.OFFERED and contact.agent_leg is not None:
            may = agent is not None and self._distribution.may_pick_up(agent, contact)
            return "offer" if may and str(contact.agent) in phones else ""
        park = contact.park
        if park is None or park.state is not ParkState.RECALLING or park.caller is None:
            return ""
        return "parked" if park.caller.number in phones else ""

    def _phones(self, phone: str, number: str) -> frozenset[str]:
        """Those whose calls this phone may pick up now."""
        agent = self._agents.get(phone)
        theirs = () if agent is None else self._distribution.colleagues(agent)
        colleagues = frozenset(map(str, theirs))
        if self._whose == "nobody":
            raise CannotReachError("Calls of others are not picked up here", number=number)
        if not number:
            return colleagues
        if number == phone or (self._whose == "queue" and number not in colleagues):
            raise CannotReachError("You may not pick up calls there", number=number)
        return frozenset((number,))
