"""Whether a customer whom our side cut off is to be called back, and how."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from acd.call_back_events import CallBackState
from acd.contact import Contact
from acd.model import QueueName
from acd.pending_call_back import CallBackSettings, PendingCallBack
from acd.ports import CallBackRoutes, NoRoute

GIVE_UP_S: Final = 900.0
"""A call-back that much later than the cut would surprise more than it helps."""


class NotPlanned(Struct, frozen=True):
    """Nobody calls back."""

    state: CallBackState
    reason: str


def plan(
    contact: Contact,
    queue: QueueName,
    settings: CallBackSettings,
    routes: CallBackRoutes,
    pending: Iterable[PendingCallBack],
    now: float,
) -> PendingCallBack | NotPlanned:
    """The call-back of a contact of this queue, at once; `pending` are those that are planned."""
    to = routes.call_back(contact.caller_number) if contact.caller_number else None
    if to is None or isinstance(to, NoRoute):
        why = "no-number" if to is None else to.reason
        return NotPlanned(CallBackState.NOT_POSSIBLE, why)
    if any(each.to == to for each in pending):
        # Whoever forges a number, or shares it with others, does not have it rung by each call.
        return NotPlanned(CallBackState.NOT_POSSIBLE, "already-planned")
    if contact.call_backs >= settings.attempts:
        return NotPlanned(CallBackState.GIVEN_UP, "out-of-attempts")
    return PendingCallBack(
        lost=contact,
        queue=queue,
        settings=settings,
        to=to,
        entered_at=contact.entered_at or contact.queued_at or now,
        attempts=contact.call_backs,
        due=now,
        until=now + GIVE_UP_S,
        call=contact.call,
    )
