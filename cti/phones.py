"""Phones as others see them: what calls and agents do is told to those who watch, and messages pass.

Sits between the calls and the bus on one side and `switch.presence` on the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from acd.model import AgentState
from cti.accounts import PhoneCredentials
from cti.agent_views import AgentViews
from cti.bus import Bus
from cti.errors import Invalid, NotFound
from cti.schema import AgentView, Event, EventType, ParkedView, TextReceived
from cti.schema_phones import MailboxView
from switch.calls.control import Calls
from switch.calls.events import (
    IncomingLeg,
    LegAnswered,
    LegEnded,
    LegRedirected,
    LegRinging,
    LegRingsElsewhere,
    LegStarted,
    PhoneReachable,
)
from switch.calls.fan_out import Takes
from switch.calls.leg import State
from switch.ids import CallId, LegId
from switch.presence.service import Presence
from switch.presence.states import Direction, LineState, Mailbox
from switch.presence.texts import Text

_MOST_WAITING: Final = 9999
_LONGEST_TEXT: Final = 1300
_TAKEN: Final = frozenset({"parked", "fetching", "recalling"})
"""States of a parking place in which somebody stands there."""
_ACTIVITIES: Final = {
    "lunch": "meal",
    "meeting": "meeting",
    "training": "busy",
    "paperwork": "busy",
}
"""Reasons of not-ready in the words of RFC 4480; all others are `away`."""


class Phones:
    """Satisfies `cti.api.ports.Phones`."""

    def __init__(
        self,
        *,
        presence: Presence,
        calls: Calls,
        credentials: PhoneCredentials,
        agents: AgentViews,
        agent_of: Callable[[str], str | None],
        parked: Callable[[], tuple[ParkedView, ...]],
        bus: Bus,
    ) -> None:
        """`agent_of` gives the agent who uses a phone, `parked` the parking places that are taken."""
        self._parked = parked
        self._presence = presence
        self._states = presence.states
        self._calls = calls
        self._credentials = credentials
        self._agents = agents
        self._agent_of = agent_of
        self._bus = bus
        self._callers: dict[CallId, LegId] = {}
        """The leg of a phone that calls somebody not known yet."""
        self._watched = presence.notifier.subscriptions
        self._watched.on_first = self._look
        presence.texts.on_text = self._text
        bus.listen(self._on_event, EventType.AGENT_STATE_CHANGED, EventType.PARKED)
        self.takes: Takes = {
            LegStarted: self._started,
            IncomingLeg: lambda event: self._reaches(event.call, event.called),
            LegRinging: lambda event: self._moved(event.leg, LineState.EARLY),
            LegRingsElsewhere: lambda event: self._moved(event.leg, LineState.EARLY),
            LegRedirected: self._redirected,
            LegAnswered: lambda event: self._moved(event.leg, LineState.CONFIRMED),
            LegEnded: self._ended,
            PhoneReachable: lambda event: self._states.reachable(event.phone, event.reachable),
        }
        """What the calls report."""

    # --- what happens ---------------------------------------------------------------------------

    def resume(self) -> None:
        """Calls of an earlier process were taken up: tell all who watched how things stand."""
        for phone in {each.phone for each in self._watched}:
            self._look(phone)
        for agent in self._agents.shown():
            self._agent(agent)
        for phone in self._credentials.numbers():
            self._states.reachable(phone, self._calls.is_reachable(phone))
        self._presence.resume()

    def _look(self, phone: str) -> None:
        """Somebody watches this phone, or place, from now on. The lines of others are not followed."""
        self._states.forget_lines(phone)
        for place in self._parked():
            if place.slot == phone:
                self._place(place)
        for leg in self._calls.legs:
            if leg.phone != phone:
                continue
            self._begin(phone, leg.id, outbound=leg.outbound)
            if leg.answered_at:
                self._moved(leg.id, LineState.CONFIRMED)
            elif leg.state in (State.RUNG, State.ALERTING):
                self._moved(leg.id, LineState.EARLY)

    def _started(self, event: LegStarted) -> None:
        if event.outbound and self._callers:
            self._reaches(event.call, event.number)
        if event.phone is None or not self._watched.is_watched(event.phone):
            return
        self._begin(event.phone, event.leg, outbound=event.outbound)
        if not event.outbound:
            self._callers[event.call] = event.leg

    def _reaches(self, call: CallId, number: str) -> None:
        """It is known now whom the phone that began a call reaches."""
        caller = self._callers.pop(call, None)
        if caller is not None:
            self._states.line_reaches(caller, number)

    def _begin(self, phone: str, leg: LegId, *, outbound: bool) -> None:
        if not outbound:  # its own number; whom it calls, the next leg tells
            self._states.line_began(phone, leg, Direction.INITIATOR, "")
            return
        found = self._calls.legs.get(leg)
        attempt = None if found is None else found.attempt
        caller = "" if attempt is None else attempt.caller_number
        self._states.line_began(phone, leg, Direction.RECIPIENT, caller)

    def _moved(self, leg: LegId, state: LineState) -> None:
        if self._states.follows(leg):
            self._states.line_moved(leg, state, self._calls.replacements.names(leg))

    def _redirected(self, event: LegRedirected) -> None:
        """The phone has sent the call on: its lamp goes out, and that of the next one is lit."""
        self._states.line_ended(event.leg)
        if event.phone is not None and self._watched.is_watched(event.phone):
            self._begin(event.phone, event.leg, outbound=True)

    def _ended(self, event: LegEnded) -> None:
        self._states.line_ended(event.leg)
        if self._callers.get(event.call) == event.leg:
            del self._callers[event.call]

    def _on_event(self, event: Event) -> None:
        if isinstance(event.data, AgentView):
            self._agent(event.data)
        elif isinstance(event.data, ParkedView):
            self._place(event.data)

    def _place(self, place: ParkedView) -> None:
        """A parking place is busy as a phone is that talks."""
        id = f"{place.slot}-{place.interaction_id}"
        if place.state in _TAKEN:
            if self._watched.is_watched(place.slot):
                remote = place.caller_number
                self._states.line_began(place.slot, id, Direction.RECIPIENT, remote)
                self._states.line_moved(id, LineState.CONFIRMED)
        else:
            self._states.line_ended(id)

    def _agent(self, agent: AgentView) -> None:
        activity = note = ""
        if agent.state == AgentState.NOT_READY:
            activity, note = _ACTIVITIES.get(agent.reason, "away"), agent.reason
        elif agent.state == AgentState.WRAP_UP:
            activity = "busy"
        self._states.active(agent.agent_id, activity, note)

    # --- the API's port -------------------------------------------------------------------------

    def mailbox(self, phone: str) -> MailboxView:
        """What waits for a phone. Raises `NotFound`."""
        self._known(phone)
        box = self._states.mailbox(phone)
        return MailboxView(phone=phone, new=box.new, old=box.old)

    def set_mailbox(self, phone: str, new: int, old: int) -> MailboxView:
        """Light or put out the lamp of a phone. Raises `NotFound`, `Invalid`."""
        self._known(phone)
        if not (0 <= new <= _MOST_WAITING and 0 <= old <= _MOST_WAITING):
            raise Invalid("bad-count", f"Counts are from 0 to {_MOST_WAITING}.")
        self._states.set_mailbox(phone, Mailbox(new, old))
        return self.mailbox(phone)

    async def write(self, sender: str, phone: str, text: str) -> int:
        """Send a short message; gives the SIP status of the answer. Raises `NotFound`, `Invalid`."""
        self._known(phone)
        if not text.strip() or len(text.encode(errors="replace")) > _LONGEST_TEXT:
            words = f"A message has 1 to {_LONGEST_TEXT} octets."
            raise Invalid("bad-text", words)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def done(status: int) -> None:
            if not answer.done():  # the one who asked may have gone
                answer.set_result(status)

        self._presence.write(sender, phone, text, done)
        return await answer

    def _known(self, phone: str) -> None:
        if not self._credentials.knows(phone):
            raise NotFound("no-such-phone", f"There is no phone {phone[:40]}.")

    def _text(self, text: Text) -> bool:
        """Show a message at the desk of the agent who uses the phone; True when there is one."""
        agent = self._agents.get(self._agent_of(text.receiver))
        if agent is None or not agent.desk_connected:
            return False
        self._bus.publish(
            EventType.TEXT_RECEIVED,
            TextReceived(sender=text.sender, text=text.words),
            agent_id=agent.agent_id,
        )
        return True
