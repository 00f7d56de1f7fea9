"""Calling back whom our side cut off: a media gateway died under those who waited or talked.

    cut off --> planned --> dialled --> answered: in the queue again, at the old place
                   ^            |
                   '-- pause ---+--> given up: out of attempts, or nobody is there to be called

A call-back becomes a contact when the customer has answered; until then it is a leg of ours and
nothing else. It leaves only where the number plan allows call-backs, and is dialled a bounded number
of times. While somebody who shows the number calls again it waits, and lends that call its place; it is
over when that one has talked to somebody. Anybody may show a number, so it does not wait for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from acd.call_back_events import CallBackMoved, CallBackState
from acd.call_back_plan import NotPlanned, plan
from acd.contact import Contact
from acd.contact_events import ContactStarted
from acd.contacts import Contacts
from acd.model import ContactId, QueueName
from acd.pending_call_back import CallBackSettings, Moment, PendingCallBack, restored
from acd.ports import CallBackRoutes, EnqueueAgain, NoRoute, ToPhone
from acd.records import CallBackRecord
from acd.waiting_room import WaitingRoom
from switch.calls.causes import EndCause, Result
from switch.calls.events import GatewayChanged, IncomingLeg, LegAnswered, LegEnded
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.clock import Clock, TimerHandle
from switch.ids import CallId, LegId

log = logging.getLogger(__name__)

CUT_OFF: Final = "gateway-lost"
"""The reason of an end that is ours and makes good by calling back."""
AT_ONCE: Final = 5
"""So many are dialled at the same time: agents have to talk to all who answer."""
RING_S: Final = 30.0
MOST_WAITS: Final = 3
"""So often a call-back waits for somebody who shows its number and leaves without a talk."""
_AGAIN: Final = "called-again"

_FINAL: Final = frozenset({"unknown-number", "declined", "no-route"})
"""Dialling such a number again would end in the same way."""
_NO_PORT: Final = "no-media"
"""Nothing was dialled: the gateway has no port to spare at the moment."""

Report = Callable[[CallBackMoved | ContactStarted], None]


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
        enqueue: EnqueueAgain,
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
        self._pending: list[PendingCallBack] = []
        self._dialling: dict[LegId, PendingCallBack] = {}
        self._has_gateway = False
        self._is_closed = False
        self._timer: TimerHandle | None = None
        contacts.on_finish = self.finished
        self.on_change: Callable[[ContactId], None] = lambda contact: None
        """Told of what nobody is told of otherwise, and another process would have to know."""
        self.takes: Takes = {
            IncomingLeg: lambda event: self._called_again(event.caller_number, event.leg),
            LegAnswered: self._leg_answered,
            LegEnded: self._leg_ended,
            GatewayChanged: self._gateway_changed,
        }
        """News from the switch; after the contacts had theirs."""

    def __len__(self) -> int:
        """Customers who are still to be called, or are being called."""
        return len(self._pending)

    # --- what happens ---------------------------------------------------------------------------

    def finished(self, contact: Contact, reason: str) -> None:
        """A contact is over: plan a call-back if our side cut it off and its queue wants that."""
        self._again_over(contact.customer_leg, talked=contact.talking_since is not None)
        queue = contact.queue
        settings = None if queue is None else self._queues.get(queue)
        if reason != CUT_OFF or queue is None or settings is None or contact.outbound:
            return
        if contact.campaign:
            return  # its campaign decides when it dials again
        if self._is_closed:
            self._tell(contact, queue, CallBackState.NOT_POSSIBLE, reason="shutdown")
            return
        now = self._clock.now()
        found = plan(contact, queue, settings, self._routes, self._pending, now)
        if isinstance(found, NotPlanned):
            self._tell(contact, queue, found.state, reason=found.reason)
            return
        self._pending.append(found)
        self._pending.sort(key=lambda each: each.entered_at)
        self._tell(contact, queue, CallBackState.PLANNED)
        self._go_on()

    def _leg_answered(self, event: LegAnswered) -> None:
        if event.leg in self._dialling:
            self._answered(self._dialling.pop(event.leg), event.leg)

    def _leg_ended(self, event: LegEnded) -> None:
        if event.leg in self._dialling:
            self._failed(self._dialling.pop(event.leg), event.cause)
        else:
            self._again_over(event.leg, talked=False)

    def _gateway_changed(self, event: GatewayChanged) -> None:
        self._has_gateway = event.available
        self._go_on()

    def place_of(self, contact: Contact, queue: QueueName) -> float | None:
        """The moment that a caller came who was cut off from this queue and has called again."""
        self._called_again(contact.caller_number, contact.customer_leg)
        for pending in self._pending:
            if pending.again == contact.customer_leg and pending.queue == queue:
                return pending.entered_at
        return None

    def close(self) -> None:
        """The server is stopping: nobody is called any more."""
        self._is_closed = True
        for pending in tuple(self._pending):
            self._give_up(pending, "shutdown")

    # --- over a restart -------------------------------------------------------------------------

    def record(self, contact: ContactId, wall: Moment) -> CallBackRecord | None:
        """Describe the call-back of a contact that was cut off; None: there is none."""
        for pending in self._pending:
            if pending.lost.id == contact:
                return pending.record(wall)
        return None

    def restore(
        self,
        records: Mapping[ContactId, CallBackRecord],
        mono: Moment,
        lives: Callable[[LegId], bool],
    ) -> list[str]:
        """Take up the call-backs of an earlier process; returns in words what could not be."""
        faults = []
        for contact, record in records.items():
            settings = self._queues.get(QueueName(record.queue))
            to = self._routes.call_back(record.caller_number)
            if settings is None or isinstance(to, NoRoute):
                faults.append(f"the call-back of {contact}: the configuration has none now")
                continue
            pending = restored(contact, record, settings, to, mono, lives)
            self._pending.append(pending)
            if pending.leg is not None:
                self._dialling[pending.leg] = pending
        self._pending.sort(key=lambda each: each.entered_at)
        return faults

    def is_dialling(self, leg: LegId) -> bool:
        """Whether a leg is one of ours that nobody has answered yet."""
        return leg in self._dialling

    # --- dialling -------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Dial whoever is due, the earliest first, and come back when the next one is."""
        now = self._clock.now()
        for pending in tuple(self._pending):
            if pending.is_idle and now >= pending.until:
                self._give_up(pending, "too-late")
        waiting = [each for each in self._pending if each.is_idle]
        if self._has_gateway:
            room = AT_ONCE - len(self._dialling)
            for pending in [each for each in waiting if each.due <= now][: max(0, room)]:
                self._dial(pending)
        self._watch([each for each in waiting if each.is_idle], now)

    def _watch(self, waiting: list[PendingCallBack], now: float) -> None:
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

    def _dial(self, pending: PendingCallBack) -> None:
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

    def _failed(self, pending: PendingCallBack, cause: EndCause) -> None:
        pending.leg = None
        now = self._clock.now()
        if cause.reason == CUT_OFF:  # not the customer's line: by another gateway, or the next
            pending.due = now
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

    def _called_again(self, number: str, leg: LegId) -> None:
        """Somebody calls who shows this number: nobody is called who is here already."""
        if not self._pending or not number or any(each.again == leg for each in self._pending):
            return
        for pending in self._pending:
            if pending.lost.caller_number != number or pending.again is not None:
                continue
            if pending.waited >= MOST_WAITS:
                continue
            pending.waited += 1
            pending.again = leg
            self.on_change(pending.lost.id)
            if pending.leg is not None:
                pending.attempts -= 1
                self._stop_dialling(pending, _AGAIN)
                self._tell(
                    pending.lost,
                    pending.queue,
                    CallBackState.FAILED,
                    attempt=pending.attempts + 1,
                    reason=_AGAIN,
                )
            self._go_on()
            return

    def _again_over(self, leg: LegId, *, talked: bool) -> None:
        """A call is over that a call-back waited for: that one is over, too, or goes on."""
        for pending in tuple(self._pending):
            if pending.again != leg:
                continue
            pending.again = None
            if talked:
                self._give_up(pending, _AGAIN)
            else:
                pending.due = self._clock.now() + pending.settings.pause_s
                self._tell(pending.lost, pending.queue, CallBackState.PLANNED)
            self._go_on()

    def _stop_dialling(self, pending: PendingCallBack, reason: str) -> None:
        leg, pending.leg = pending.leg, None
        if leg is not None and self._dialling.pop(leg, None) is not None:
            self._control.hang_up(leg, EndCause(Result.CANCELLED, reason))

    def _give_up(self, pending: PendingCallBack, reason: str) -> None:
        self._pending.remove(pending)
        self._stop_dialling(pending, reason)
        log.info("contact %s is not called back: %s", pending.lost.id, reason)
        self._tell(
            pending.lost,
            pending.queue,
            CallBackState.GIVEN_UP,
            attempt=pending.attempts,
            reason=reason,
        )

    # --- the customer is there again ------------------------------------------------------------

    def _answered(self, pending: PendingCallBack, leg: LegId) -> None:
        self._pending.remove(pending)
        lost, now = pending.lost, self._clock.now()
        contact = pending.contact(ContactId(self._new_id("i")), leg, now)
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
