"""Subscriptions, publications and messages put together, with a clock.

Takes the requests that the user agent does not answer itself, and the answers to ours. One timer stands
at whatever is due next; what it does is a turn of its own, behind the calls.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from switch.clock import Clock, TimerHandle
from switch.presence.door import Door
from switch.presence.notifier import Notifier
from switch.presence.publications import Publications
from switch.presence.settings import PresenceSettings
from switch.presence.states import States
from switch.presence.subscription import Package
from switch.presence.texts import Done, Texts
from switch.registrar.coming_back import ComingBack
from switch.registrar.location import Binding, Location
from switch.registrar.ports import Credentials
from switch.sip.digest import Challenger
from switch.sip.events import OutOfDialogRequest, RequestAnswered
from switch.sip.flow import Flow
from switch.sip.message import Response
from switch.sip.user_agent import UserAgent
from switch.trunks.number_plan import NumberPlan

log = logging.getLogger(__name__)


class Presence:
    """Who watches whom; satisfies `switch.calls.outside.Outside`. Of the loop's thread only."""

    def __init__(
        self,
        *,
        user_agent: UserAgent,
        challenger: Challenger,
        credentials: Credentials,
        plan: NumberPlan,
        location: Location,
        settings: PresenceSettings,
        contact: Callable[[Flow], str],
        new_token: Callable[[], str],
        clock: Clock,
        flush: Callable[[], None],
    ) -> None:
        """`flush` asks the shell to send what is queued, soon."""
        self._ua = user_agent
        self._clock = clock
        self._flush = flush
        self._timer: TimerHandle | None = None
        self._timer_at: float | None = None
        door = Door(challenger, credentials)
        self.states = States()
        self.publications = Publications(door=door, settings=settings, new_token=new_token)
        self.notifier = Notifier(
            door=door,
            states=self.states,
            publications=self.publications,
            settings=settings,
            send=user_agent.send_request,
            contact=contact,
            new_token=new_token,
            lives=location.lives,
            registered=location.contacts,
        )
        self.texts = Texts(
            door=door,
            plan=plan,
            location=location,
            settings=settings,
            send=user_agent.send_request,
            respond=user_agent.respond,
            new_token=new_token,
        )
        self._location = location
        location.on_new_way.append(self._came_back)
        location.on_contacts.append(lambda phone: self._changed(Package.REG, phone))
        self.states.on_change = self._changed
        self.publications.on_change = lambda phone: self._changed(Package.PRESENCE, phone)

    # --- inputs ---------------------------------------------------------------------------------

    def request(self, event: OutOfDialogRequest, now: float) -> bool:
        """Answer a request of one of our methods, now or when its receiver has; False for others."""
        request, flow = event.request, event.flow
        match request.method:
            case "SUBSCRIBE":
                response: Response | None = self.notifier.subscribe(request, flow, now)
            case "PUBLISH":
                response = self.publications.handle(request, flow, now)
            case "MESSAGE":
                response = self.texts.handle(event.transaction, request, flow, now)
            case _:
                return False
        if response is not None:
            self._ua.respond(event.transaction, response, now)
        self.notifier.handle_timer(now)
        self._arm()
        return True

    def answered(self, event: RequestAnswered, now: float) -> bool:
        """Take the answer to a request of ours; False when it is of somebody else's."""
        is_ours = self.notifier.answered(
            event.transaction, event.status, event.response, now
        ) or self.texts.answered(event.transaction, event.status, now)
        if is_ours:
            self._arm()
        return is_ours

    def write(self, sender: str, number: str, words: str, done: Done) -> None:
        """Send a short message to a phone; `done` is told the status, at once or later."""
        self.texts.write(sender, number, words, done, self._clock.now())
        self._arm()
        self._flush()

    def resume(self) -> None:
        """Tell everybody who watched before the restart."""
        self.notifier.resume(self._clock.now())
        self._arm()

    def _came_back(self, phone: str, binding: Binding) -> None:
        """A phone has registered by a connection that it had not before, as after a restart."""
        now = self._clock.now()
        device = ComingBack(self._location, phone, binding, now)
        self.notifier.came_back(phone, binding.flow, now, device.takes)
        self._arm()

    # --- time -----------------------------------------------------------------------------------

    def _changed(self, package: Package, phone: str) -> None:
        if self.notifier.subscriptions:
            self.notifier.changed(package, phone, self._clock.now())
            self._arm()

    def _arm(self) -> None:
        """Keep one timer at what is due next, or leave it earlier."""
        parts = (self.notifier, self.publications, self.texts)
        due = min((when for part in parts if (when := part.get_timer()) is not None), default=None)
        if due is None or (self._timer_at is not None and self._timer_at <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = self._clock.call_at(due, self._fire)

    def _fire(self) -> None:
        self._timer = self._timer_at = None
        now = self._clock.now()
        try:
            self.publications.handle_timer(now)
            self.texts.handle_timer(now)
            self.notifier.handle_timer(now)
        except Exception:  # a fault here must not end calls, nor stop the timer
            log.exception("fault while telling those who watch")
        self._arm()
        self._flush()
