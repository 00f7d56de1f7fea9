"""Somebody who is to be called back, as long as that has not happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acd.contact import Contact, Stage
from acd.model import AgentId, ContactId, QueueName, SkillNeed
from acd.ports import ToPhone, ToTrunk
from acd.records import CallBackRecord
from switch.ids import CallId, LegId

Moment = Callable[[float], float]
"""From our monotonic clock to that of the records, or back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackSettings:
    """What a queue says about calling back."""

    attempts: int = 3
    """Calls to one customer at most, however often it is cut off."""
    pause_s: float = 30.0
    """Between two attempts."""


@dataclass(slots=True, kw_only=True, eq=False)
class PendingCallBack:
    """One customer. Times are monotonic seconds."""

    lost: Contact
    """The contact that was cut off."""
    queue: QueueName
    settings: CallBackSettings
    to: ToPhone | ToTrunk
    entered_at: float
    attempts: int
    due: float
    until: float
    """Nobody is called later than that."""
    call: CallId
    """Of the attempt that runs."""
    leg: LegId | None = None
    """While it is dialled."""
    again: LegId | None = None
    """While somebody who shows its number calls again: it waits for what becomes of that call."""
    waited: int = 0
    """How often it waited for such a call: anybody may show this number, so it is not for ever."""

    @property
    def is_idle(self) -> bool:
        """Neither dialled nor waiting for a call of its own."""
        return self.leg is None and self.again is None

    def contact(self, name: ContactId, leg: LegId, now: float) -> Contact:
        """The customer has answered: the contact that goes on for the one that was cut off."""
        lost = self.lost
        return Contact(
            id=name,
            call=self.call,
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
            call_backs=self.attempts,
        )

    def record(self, wall: Moment) -> CallBackRecord:
        """What another process needs to go on with it."""
        lost = self.lost
        return CallBackRecord(
            lost.caller_number,
            lost.caller_name,
            lost.called,
            lost.record,
            lost.language,
            dict(lost.facts),
            lost.agent,
            lost.priority,
            tuple((need.skill, need.level) for need in lost.skills),
            self.queue,
            wall(self.entered_at),
            self.attempts,
            wall(self.due),
            wall(self.until),
            self.call,
            self.leg,
            self.again,
            self.waited,
        )


def restored(
    contact: ContactId,
    record: CallBackRecord,
    settings: CallBackSettings,
    to: ToPhone | ToTrunk,
    mono: Moment,
    lives: Callable[[LegId], bool],
) -> PendingCallBack:
    """What a record says; legs that do not live any more are left out."""
    entered_at = mono(record.entered_at)
    lost = Contact(
        id=contact,
        call=CallId(record.call),
        customer_leg=LegId(""),
        caller_number=record.caller_number,
        caller_name=record.caller_name,
        called=record.called,
        started_at=entered_at,
        stage=Stage.ENDED,
        record=record.record,
        language=record.language,
        facts=record.facts,
        agent=None if record.agent is None else AgentId(record.agent),
        priority=record.priority,
        skills=tuple(SkillNeed(skill=skill, level=level) for skill, level in record.skills),
    )

    def living(leg: str | None) -> LegId | None:
        return LegId(leg) if leg is not None and lives(LegId(leg)) else None

    return PendingCallBack(
        lost=lost,
        queue=QueueName(record.queue),
        settings=settings,
        to=to,
        entered_at=entered_at,
        attempts=record.attempts,
        due=mono(record.due),
        until=mono(record.until),
        call=CallId(record.call),
        leg=living(record.leg),
        again=living(record.again),
        waited=record.waited,
    )
