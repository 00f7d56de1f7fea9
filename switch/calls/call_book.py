"""The calls that live: which legs belong together, and the two lines of the log about each."""

from __future__ import annotations

import logging
from collections import Counter

from msgspec import Struct, field

from switch.calls.causes import EndCause
from switch.calls.leg import Leg
from switch.ids import CallId, LegId

log = logging.getLogger(__name__)


class Call(Struct):
    """The legs that belong together."""

    id: CallId
    began: float
    first: LegId
    """The leg that the closing line of the log speaks of: the caller's."""
    legs: dict[LegId, Leg] = field(default_factory=dict)
    alerted_after_s: float | None = None
    answered_after_s: float | None = None
    cause: EndCause | None = None
    """Of the first leg, once it has ended."""


class CallBook:
    """All calls with at least one live leg."""

    def __init__(self) -> None:
        self._calls: dict[CallId, Call] = {}
        self.ended: Counter[str] = Counter()
        """Calls that are over, by the result of their first leg."""

    def __len__(self) -> int:
        return len(self._calls)

    def legs_of(self, call: CallId) -> tuple[Leg, ...]:
        """The live legs of a call."""
        found = self._calls.get(call)
        return () if found is None else tuple(found.legs.values())

    def join(self, leg: Leg) -> None:
        """A leg came to life; the first of a call begins it."""
        call = self._calls.get(leg.call)
        if call is None:
            call = self._calls[leg.call] = Call(leg.call, leg.began, leg.id)
            log.info("call %s begins: %s", call.id, _way(leg))
        call.legs[leg.id] = leg

    def restore(self, leg: Leg) -> None:
        """A leg of an earlier process was taken up."""
        call = self._calls.get(leg.call)
        if call is None:
            call = self._calls[leg.call] = Call(leg.call, leg.began, leg.id)
        call.legs[leg.id] = leg
        if leg.answered_at and leg.id == call.first:
            call.answered_after_s = leg.answered_at - call.began

    def alerted(self, leg: Leg, now: float) -> None:
        """Somebody's phone rings."""
        call = self._calls[leg.call]
        if call.alerted_after_s is None:
            call.alerted_after_s = now - call.began

    def answered(self, leg: Leg, now: float) -> None:
        """A leg was answered."""
        call = self._calls[leg.call]
        if leg.id == call.first:
            call.answered_after_s = now - call.began

    def leave(self, leg: Leg, cause: EndCause, now: float) -> bool:
        """Take a leg out of its call; True when it was the last."""
        call = self._calls[leg.call]
        del call.legs[leg.id]
        if leg.id == call.first:
            call.cause = cause
        if call.legs:
            return False
        del self._calls[leg.call]
        told = call.cause or cause
        self.ended[told.result] += 1
        log.info(
            "call %s ended: %s, %s (%d) after %.3f s; rang after %s s, answered after %s s",
            call.id,
            told.result,
            told.reason,
            told.status,
            now - call.began,
            _seconds(call.alerted_after_s),
            _seconds(call.answered_after_s),
        )
        return True


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _way(leg: Leg) -> str:
    """Who calls whom, and by which trunk or phone."""
    door = leg.trunk or leg.phone
    if leg.outbound:
        return f"to {leg.number or 'unknown'} by {door}"
    return f"from {leg.number or 'unknown'} by {door}, who dialled {leg.dialled or 'nothing'}"
