"""An agent calls a number: its own phone rings first, then the number; the two are connected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from acd.contact import Contact, Stage
from acd.contact_events import (
    ContactConnected,
    ContactEvent,
    ContactResult,
    ContactStarted,
    of_unanswered,
)
from acd.contacts import Contacts
from acd.conversation import Conversation, reason_of_agent
from acd.model import AgentId, ContactId
from acd.ports import Destination, NoRoute, Routes, ToPhone, ToTrunk
from switch.calls.attempt import Rights
from switch.calls.causes import EndCause, Result
from switch.calls.events import LegAnswered, LegEarlyMedia, LegEnded, LegHeld, LegResumed
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.gateway.protocol import PlayItem, Silence, Tone
from switch.ids import CallId, LegId
from switch.trunks.source import Source

OWN_PHONE_RING_S: Final = 20.0
NUMBER_RING_S: Final = 60.0

RINGBACK: Final[tuple[PlayItem, ...]] = (
    Tone(frequencies_hz=(440.0, 480.0), duration_ms=2000, level_dbov=-22.0),
    Silence(duration_ms=4000),
)
"""What the agent hears while the number rings (ITU-T E.180 supplement 2, North America)."""

_NO_LEG: Final = LegId("")


class AgentDial:
    """Contacts that an agent began. Their legs count as engagements, not as offers."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        conversation: Conversation,
        control: CallControl,
        clock: Clock,
        routes: Routes,
        new_id: Callable[[str], str],
        report: Callable[[ContactEvent], None],
    ) -> None:
        self._contacts = contacts
        self._conversation = conversation
        self._control = control
        self._clock = clock
        self._routes = routes
        self._new_id = new_id
        self._report = report
        self._destinations: dict[ContactId, Destination] = {}
        self.agent_left: Callable[[Contact, LegEnded], bool] = lambda contact, event: False
        """Whether the contact goes on although its agent's leg ended (`acd.consultations`)."""
        self.is_closed = False
        """The server is stopping: nobody dials any more."""
        self.takes: Takes = {
            LegEarlyMedia: self._leg_sounds,
            LegAnswered: self._leg_answered,
            LegHeld: self._leg_held,
            LegResumed: self._leg_held,
            LegEnded: self._leg_ended,
        }
        """News of the legs that are ours."""

    def dial(self, agent: AgentId, number: str) -> str | None:
        """Begin; gives the reason in words when that cannot be."""
        if self.is_closed:
            return "The server is stopping and takes no new calls"
        if self._contacts.of_agent(agent) is not None:
            return "Finish the call you are on first"
        if not self._control.is_reachable(str(agent)):
            return "Your phone is not registered"
        destination = self._routes.destination(agent, number)
        if isinstance(destination, NoRoute):
            return destination.reason
        if isinstance(destination, ToPhone) and destination.phone == agent:
            return "That is your own number"
        now = self._clock.now()
        contact = Contact(
            id=ContactId(self._new_id("i")),
            call=CallId(self._new_id("c")),
            customer_leg=_NO_LEG,
            caller_number=number,
            caller_name="",
            called=number,
            started_at=now,
            stage=Stage.DIRECT,
            record=False,
            language="en",
            agent=agent,
            outbound=True,
        )
        self._destinations[contact.id] = destination
        self._report(
            ContactStarted(
                contact=contact.id,
                call=contact.call,
                at=now,
                caller_number=number,
                caller_name="",
                called=number,
                outbound=True,
                agent=agent,
            )
        )
        self._contacts.add(contact)
        contact.agent_leg = self._control.call_phone(
            str(agent),
            call=contact.call,
            caller_number=number,
            caller_name="",
            ring_timeout_s=OWN_PHONE_RING_S,
            headers={"X-Interaction-Id": contact.id},
        )
        self._contacts.bind(contact.agent_leg, contact)
        return None

    def go_on(self, contact: Contact) -> None:
        """A contact was taken up from an earlier process: call the number if nobody has yet."""
        assert contact.agent is not None
        self._destinations[contact.id] = self._routes.destination(contact.agent, contact.called)
        if contact.announcement is not None and not contact.customer_leg:
            self._call_number(contact)

    def _leg_sounds(self, event: LegEarlyMedia) -> None:
        contact = self._mine(event.leg)
        if contact is not None and event.leg == contact.customer_leg:
            self._sounds(contact)

    def _leg_answered(self, event: LegAnswered) -> None:
        contact = self._mine(event.leg)
        if contact is not None:
            self._answered(contact, event)

    def _leg_held(self, event: LegHeld | LegResumed) -> None:
        contact = self._mine(event.leg)
        if contact is not None and event.leg == contact.agent_leg:
            self._conversation.leg_held(contact, isinstance(event, LegHeld), event.at)

    def _leg_ended(self, event: LegEnded) -> None:
        contact = self._mine(event.leg)
        if contact is not None:
            self._ended(contact, event)

    def _mine(self, leg: LegId) -> Contact | None:
        contact = self._contacts.of_leg(leg)
        if contact is None or not contact.outbound or leg in contact.others:
            return None
        return contact

    def _answered(self, contact: Contact, event: LegAnswered) -> None:
        if event.leg == contact.agent_leg:
            contact.announcement = self._control.play(event.leg, RINGBACK, loop=True)
            self._call_number(contact)
            return
        contact.customer_answered = True
        self._end_ringback(contact)
        # Else they talked before: who was called has sent the agent on to this phone.
        if contact.talking_since is None:
            contact.talking_since = event.at
            self._report(ContactConnected(contact=contact.id, at=event.at, agent=contact.agent))
        self._conversation.connect(contact)

    def _sounds(self, contact: Contact) -> None:
        """The far end sends its own ring-back or says something: that is heard in place of ours."""
        self._end_ringback(contact)
        if contact.agent_leg is not None:
            self._control.hear_early(contact.agent_leg, contact.customer_leg)

    def _end_ringback(self, contact: Contact) -> None:
        if contact.announcement is not None:
            self._control.stop(contact.announcement)
            contact.announcement = None

    def _call_number(self, contact: Contact) -> None:
        destination = self._destinations[contact.id]
        caller = str(contact.agent)
        rights = Rights(Source.PHONE, caller)  # where the callee sends us on, these reach
        if isinstance(destination, ToPhone):
            leg = self._control.call_phone(
                destination.phone,
                call=contact.call,
                caller_number=caller,
                caller_name="",
                ring_timeout_s=NUMBER_RING_S,
                headers={},
                rights=rights,
            )
        elif isinstance(destination, ToTrunk):
            leg = self._control.call_trunk(
                destination.trunk,
                destination.number,
                call=contact.call,
                caller_number=caller,
                caller_name="",
                ring_timeout_s=NUMBER_RING_S,
                rights=rights,
            )
        else:
            return
        contact.customer_leg = leg
        self._contacts.bind(leg, contact)

    def _ended(self, contact: Contact, event: LegEnded) -> None:
        self._contacts.unbind(event.leg)
        self._destinations.pop(contact.id, None)
        is_agent = event.leg == contact.agent_leg
        if is_agent and self.agent_left(contact, event):
            return
        reason = reason_of_agent(event.cause) if is_agent else event.cause.reason
        if contact.talking_since is not None:
            result = ContactResult.DIRECT
        elif not is_agent:
            result = of_unanswered(event.cause.result)
        elif event.cause.result is Result.FAILED:
            result = ContactResult.FAILED
        else:
            result = ContactResult.CANCELLED
            if event.cause.result is not Result.COMPLETED:
                reason = f"own-phone-{event.cause.result}"
        cause = EndCause(Result.COMPLETED, reason, event.cause.status)
        self._contacts.finish(contact, result, reason, hang_up=cause)
