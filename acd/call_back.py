"""Calling back whom our side cut off: a media gateway died under those who waited or talked.

    cut off --> planned --> dialled --> answered: in the queue again, at the old place
                   ^            |
                   '-- pause ---+--> given up: out of attempts, or nobody is there to be called

A call-back becomes a contact when the customer has answered; until then it is a leg of ours and
nothing else. It leaves only where the number plan allows call-backs, is dialled a bounded number of
times, and not at all once the customer has called again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from acd.call_back_events import CallBackMoved, CallBackState
from acd.contact import Contact, Stage
from acd.contact_events import ContactStarted
from acd.contacts import Contacts
from acd.model import AgentId, ContactId, QueueName, SkillNeed
from acd.ports import CallBackRoutes, NoRoute, ToPhone, ToTrunk
from acd.waiting_room import WaitingRoom
from switch.calls.causes import EndCause, Result
from switch.calls.events import CallEvent, GatewayChanged, IncomingLeg, LegAnswered, LegEnded
from switch.calls.ports import CallControl
from switch.clock import Clock, TimerHandle
from switch.ids import CallId, LegId

log = logging.getLogger(__name__)

CUT_OFF: Final = "gateway-lost"
"""The reason of an end that is ours and makes good by calling back."""
AT_ONCE: Final = 5
"""So many are dialled at the same time: agents have to talk to all who answer."""
RING_S: Final = 30.0
GIVE_UP_S: Final = 900.0
"""A call-back that much later than the cut would surprise more than it helps."""

_FINAL: Final = frozenset({"unknown-number", "declined", "no-route"})
"""Dialling such a number again would end in the same way."""
_NO_PORT: Final = "no-media"
"""Nothing was dialled: the gateway has no port to spare at the moment."""

Report = Callable[[CallBackMoved | ContactStarted], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackSettings:
    """What a queue says about calling back."""

    attempts: int = 3
    """Calls to one customer at most, however often it is cut off."""
    pause_s: float = 30.0
    """Between two attempts."""


class Enqueue(Protocol):
    """Puts a contact into a queue, at the place of the moment it first came."""

    def __call__(
        self,
        contact: Contact,
        queue: QueueName,
        *,
        priority: int = 0,
        skills: tuple[SkillNeed, ...] = (),
        entered_at: float | None = None,
        preferred: AgentId | None = None,
    ) -> None: ...


@dataclass(slots=True, kw_only=True, eq=False)
class _Pending:
    """Somebody who is to be called back."""

    lost: Contact
    queue: QueueName
    settings: CallBackSettings
    to: ToPhone | ToTrunk
    entered_at: float
    attempts: int
    due: float
    until: float
    call: CallId
    """Of the attempt that runs."""
    leg: LegId | None = None
    """While it is dialled."""


class CallBacks:
    """All call-backs of the node."""

    def __init__(
        self,
        *,
        queues: Mapping[QueueName, CallBackSettings],
        contacts: Contacts,
        waiting_room: WaitingRoom,
        control: CallControl,
        clock: Clock,
        routes: CallBackRoutes,
        enqueue: Enqueue,
        new_id: Callable[[str], str],
        report: Report,
    ) -> None:
        """`queues` are those that call back."""
        self._queues = queues
        self._contacts = contacts
        self._waiting_room = waiting_room
        self._control = control
        self._clock = clock
        self._routes = routes
        self._enqueue = enqueue
        self._new_id = new_id
        self._report = report
        self._pending: list[_Pending] = []
        self._dialling: dict[LegId, _Pending] = {}
        self._places: dict[str, _Pending] = {}
        """Who has called again, by number, until it comes to the queue."""
        self._has_gateway = False
        self._is_closed = False
        self._timer: TimerHandle | None = None
        contacts.on_finish = self.finished

    def __len__(self) -> int:
        """Customers who are still to be called, or are being called."""
        return len(self._pending)

    # --- what happens ---------------------------------------------------------------------------

    def finished(self, contact: Contact, reason: str) -> None:
        """A contact is over: plan a call-back if our side cut it off and its queue wants that."""
        queue = contact.queue
        settings = None if queue is None else self._queues.get(queue)
        if reason != CUT_OFF or queue is None or settings is None or contact.outbound:
            return
        if self._is_closed:
            self._tell(contact, queue, CallBackState.NOT_POSSIBLE, reason="shutdown")
            return
        to = self._routes.call_back(contact.caller_number) if contact.caller_number else None
        if to is None or isinstance(to, NoRoute):
            why = "no-number" if to is None else to.reason
            self._tell(contact, queue, CallBackState.NOT_POSSIBLE, reason=why)
            return
        if any(each.to == to for each in self._pending):
            # Whoever forges a number, or shares it with others, does not have it rung by each call.
            self._tell(contact, queue, CallBackState.NOT_POSSIBLE, reason="already-planned")
            return
        if contact.call_backs >= settings.attempts:
            self._tell(contact, queue, CallBackState.GIVEN_UP, reason="out-of-attempts")
            return
        now = self._clock.now()
        entered_at = contact.entered_at or contact.queued_at or now
        self._pending.append(
            _Pending(
                lost=contact,
                queue=queue,
                settings=settings,
                to=to,
                entered_at=entered_at,
                attempts=contact.call_backs,
                due=now,
                until=now + GIVE_UP_S,
                call=contact.call,
            )
        )
        self._pending.sort(key=lambda each: each.entered_at)
        self._tell(contact, queue, CallBackState.PLANNED)
        self._go_on()

    def handle(self, event: CallEvent) -> None:
        """Take news from the switch; after the contacts took theirs."""
        match event:
            case LegAnswered(leg=leg) if leg in self._dialling:
                self._answered(self._dialling.pop(leg), leg)
            case LegEnded(leg=leg) if leg in self._dialling:
                self._failed(self._dialling.pop(leg), event.cause)
            case GatewayChanged():
                self._has_gateway = event.available
                self._go_on()
            case IncomingLeg() if event.caller_number:
                self._called_again(event.caller_number)
            case _:
                pass

    def place_of(self, contact: Contact, queue: QueueName) -> float | None:
        """The moment that a caller came who was cut off from this queue and has called again."""
        self._called_again(contact.caller_number)
        known = self._places.get(contact.caller_number)
        if known is None or known.queue != queue:
            return None
        del self._places[contact.caller_number]
        return known.entered_at if self._clock.now() < known.until else None

    def close(self) -> None:
        """The server is stopping: nobody is called any more."""
        self._is_closed = True
        for pending in tuple(self._pending):
            self._give_up(pending, "shutdown")

    # --- dialling -------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Dial whoever is due, the earliest first, and come back when the next one is."""
        now = self._clock.now()
        for pending in tuple(self._pending):
            if pending.leg is None and now >= pending.until:
                self._give_up(pending, "too-late")
        for number, known in tuple(self._places.items()):
            if now >= known.until:
                del self._places[number]
        waiting = [each for each in self._pending if each.leg is None]
        if self._has_gateway:
            room = AT_ONCE - len(self._dialling)
            for pending in [each for each in waiting if each.due <= now][: max(0, room)]:
                self._dial(pending)
        self._watch([each for each in waiting if each.leg is None], now)

    def _watch(self, waiting: list[_Pending], now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # Those that are due wait for the gateway or for room, and are looked at when that changes.
        moments = [each.due for each in waiting if each.due > now]
        moments += [each.until for each in waiting]
        if moments:
            self._timer = self._clock.call_at(min(moments), self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        self._go_on()

    def _dial(self, pending: _Pending) -> None:
        pending.attempts += 1
        pending.call = CallId(self._new_id("c"))
        to, lost = pending.to, pending.lost
        if isinstance(to, ToPhone):
            leg = self._control.call_phone(
                to.phone,
                call=pending.call,
                caller_number=lost.called,
                caller_name="",
                ring_timeout_s=RING_S,
                headers={},
            )
        else:
            leg = self._control.call_trunk(
                to.trunk,
                to.number,
                call=pending.call,
                caller_number=lost.called,
                caller_name="",
                ring_timeout_s=RING_S,
            )
        pending.leg = leg
        self._dialling[leg] = pending
        log.info("contact %s was cut off: calling back, attempt %d", lost.id, pending.attempts)
        self._tell(lost, pending.queue, CallBackState.DIALLED, attempt=pending.attempts)

    def _failed(self, pending: _Pending, cause: EndCause) -> None:
        pending.leg = None
        now = self._clock.now()
        if (
            cause.reason == CUT_OFF
        ):  # no fault of the customer's line: once there is a gateway again
            pending.due = now
            self._has_gateway = False
        elif cause.reason == _NO_PORT:
            pending.attempts -= 1
            pending.due = now + pending.settings.pause_s
        elif cause.reason in _FINAL:
            self._give_up(pending, cause.reason)
        else:
            pending.due = now + pending.settings.pause_s
        if pending in self._pending and pending.attempts >= pending.settings.attempts:
            self._give_up(pending, cause.reason)
        elif pending in self._pending:
            self._tell(
                pending.lost,
                pending.queue,
                CallBackState.FAILED,
                attempt=pending.attempts,
                reason=cause.reason,
                again_at=pending.due,
            )
        self._go_on()

    def _called_again(self, number: str) -> None:
        """Whoever has called again needs no call-back, and keeps its place."""
        for pending in tuple(self._pending):
            if pending.lost.caller_number == number:
                self._give_up(pending, "called-again")
                self._places[number] = pending

    def _give_up(self, pending: _Pending, reason: str) -> None:
        self._pending.remove(pending)
        if pending.leg is not None and self._dialling.pop(pending.leg, None) is not None:
            self._control.hang_up(pending.leg, EndCause(Result.CANCELLED, reason))
        log.info("contact %s is not called back: %s", pending.lost.id, reason)
        self._tell(
            pending.lost,
            pending.queue,
            CallBackState.GIVEN_UP,
            attempt=pending.attempts,
            reason=reason,
        )

    # --- the customer is there again ------------------------------------------------------------

    def _answered(self, pending: _Pending, leg: LegId) -> None:
        self._pending.remove(pending)
        lost, now = pending.lost, self._clock.now()
        contact = Contact(
            id=ContactId(self._new_id("i")),
            call=pending.call,
            customer_leg=leg,
            caller_number=lost.caller_number,
            caller_name=lost.caller_name,
            called=lost.called,
            started_at=now,
            stage=Stage.WAITING,
            record=lost.record,
            language=lost.language,
            customer_answered=True,
            facts=lost.facts,
            call_back_of=lost.id,
            call_backs=pending.attempts,
        )
        self._tell(
            lost,
            pending.queue,
            CallBackState.ANSWERED,
            attempt=pending.attempts,
            joined=contact.id,
        )
        self._contacts.bind(leg, contact)
        self._report(
            ContactStarted(
                contact=contact.id,
                call=contact.call,
                at=now,
                caller_number=contact.caller_number,
                caller_name=contact.caller_name,
                called=contact.called,
                call_back_of=lost.id,
            )
        )
        self._contacts.add(contact)
        self._waiting_room.greet(contact)
        self._enqueue(
            contact,
            pending.queue,
            priority=lost.priority,
            skills=lost.skills,
            entered_at=pending.entered_at,
            preferred=lost.agent,
        )
        self._go_on()

    def _tell(
        self,
        lost: Contact,
        queue: QueueName,
        state: CallBackState,
        *,
        attempt: int = 0,
        reason: str = "",
        again_at: float | None = None,
        joined: ContactId | None = None,
    ) -> None:
        self._report(
            CallBackMoved(
                contact=lost.id,
                queue=queue,
                at=self._clock.now(),
                state=state,
                number=lost.caller_number,
                attempt=attempt,
                reason=reason,
                again_at=again_at,
                joined=joined,
            )
        )
