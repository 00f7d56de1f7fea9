"""What a waiting caller hears: music, and now and then where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from acd.actions import Announce
from acd.contact import Contact, Stage
from acd.contact_events import ContactAnnounced, ContactEvent
from acd.model import QueueName
from ivr.announcements import announce, call_back, nobody_came
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import PlayerId

NO_TUNES: Final[Mapping[QueueName, str]] = MappingProxyType({})
ANSWER_AFTER_S: Final = 1.0
"""A caller who is not answered yet rings this long before it is answered with music."""


class WaitingRoom:
    """Music and announcements of all who wait."""

    def __init__(
        self,
        control: CallControl,
        clock: Clock,
        report: Callable[[ContactEvent], None],
        tunes: Mapping[QueueName, str] = NO_TUNES,
        parked: str = "",
    ) -> None:
        """`tunes` is the music of queues that have their own, `parked` that of parking places."""
        self._tunes = tunes
        self._parked = parked
        self._control = control
        self._clock = clock
        self._report = report

    def tune(self, contact: Contact) -> None:
        """The music of its queue, if that has one, is what it hears from now on."""
        name = self._tunes.get(contact.queue or QueueName(""), "")
        if contact.stage is Stage.PARKED:
            name = self._parked or name
        if contact.customer_answered and name != contact.tune:
            contact.tune = name
            self._control.tune(contact.customer_leg, name)

    def enter(self, contact: Contact) -> None:
        """The caller waits: music, if it was answered; ringing does for the others."""
        if contact.silent:
            return
        self.tune(contact)
        if contact.customer_answered and contact.announcement is None:
            self._control.music(contact.customer_leg, True)

    def let_ring(self, contact: Contact) -> None:
        """The caller hears ringing, and if nobody is free soon music instead."""
        self._control.ring(contact.customer_leg)
        due = max(contact.started_at + ANSWER_AFTER_S, self._clock.now())
        self._clock.call_at(due, lambda: self.answer_late(contact))

    def answer_late(self, contact: Contact) -> None:
        """Answer who rang long enough and still waits, so that it hears music instead."""
        waited_s = self._clock.now() - contact.started_at
        if (
            contact.stage is Stage.WAITING
            and not (contact.customer_answered or contact.silent)
            and waited_s >= ANSWER_AFTER_S
        ):
            self._control.answer(contact.customer_leg)

    def announce(self, contact: Contact, action: Announce) -> None:
        """Tell the caller its position and the expected wait."""
        if contact.stage is not Stage.WAITING or not contact.customer_answered or contact.silent:
            return
        if contact.announcement is not None:
            return  # the last one is not over yet
        self._control.music(contact.customer_leg, False)
        items = announce(action.position, action.wait_s, contact.language)
        contact.announcement = self._control.play(contact.customer_leg, items)
        self._report(
            ContactAnnounced(
                contact=contact.id,
                at=self._clock.now(),
                position=action.position,
                wait_s=action.wait_s,
            )
        )

    def greet(self, contact: Contact) -> None:
        """Tell a customer who was called back why; music follows, or the agent."""
        contact.announcement = self._control.play(contact.customer_leg, call_back(contact.language))

    def regret(self, contact: Contact) -> None:
        """Tell a caller that nobody is there, before it is let go."""
        contact.announcement = self._control.play(
            contact.customer_leg, nobody_came(contact.language)
        )

    def announced(self, contact: Contact, player: PlayerId) -> bool:
        """An announcement is over; True when the player was one."""
        if contact.announcement != player:
            return False
        contact.announcement = None
        if contact.stage in (Stage.WAITING, Stage.OFFERED) and not contact.silent:
            self._control.music(contact.customer_leg, True)
        return True

    def leave(self, contact: Contact) -> None:
        """Silence, before the caller is connected."""
        if contact.announcement is not None:
            player, contact.announcement = contact.announcement, None
            self._control.stop(player)
        if contact.customer_answered:
            self._control.music(contact.customer_leg, False)
