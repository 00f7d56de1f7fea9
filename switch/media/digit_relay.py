"""Digits pass from leg to leg: who hears a leg is told what it keys, in the way that its peer understands.

keyed as        heard by a leg with events       heard by a leg without
events          relayed as they come where the   tones in place of sound
sound is, else sent anew
tones           sent as events, the tones        the tones stay in the sound; where some other
taken out of the sound           listener has events, sent anew

A leg whose peer is told by signalling (INFO) gets neither events nor tones; what it keys is told so, too,
and tones that it leaves in the sound beside are sound.
"""

from __future__ import annotations

from switch.media.digits import Digits
from switch.media.gains import GainMatrix, Plan
from switch.media.legs import NO_PAYLOAD_TYPE, LegTable, Rows

MIN_DURATION_MS = 60
MAX_DURATION_MS = 1000
GAP_MS = 40


class DigitRelay:
    """Sends digits on to those who hear the leg that keyed them."""

    def __init__(self, legs: LegTable, gains: GainMatrix, digits: Digits) -> None:
        self._legs = legs
        self._gains = gains
        self._digits = digits
        self._left_out: set[int] = set()
        """Rows of legs whose peers are told by signalling."""

    def leave_out(self, row: int, *, is_out: bool) -> None:
        """Tell a leg's peer nothing of what others key, neither by events nor by tones; or do."""
        if is_out:
            self._left_out.add(row)
        else:
            self._left_out.discard(row)

    @property
    def left_out(self) -> list[int]:
        """Rows of legs whose peers are told by signalling, and tell by it."""
        return list(self._left_out)

    def mark(self, keying: Rows) -> None:
        """Of these legs, which key by tones: those that somebody hears who needs none are hushed by it."""
        legs = self._legs
        legs.hushes[:] = False
        for row in keying.tolist():
            legs.hushes[row] = any(
                listener != row
                and (legs.event_type[listener] != NO_PAYLOAD_TYPE or listener in self._left_out)
                for listener in self._gains.listeners_of(row)
            )
        # Of a leg that is not listened to any more nobody hears the end of the tone.
        legs.table["hushed"] &= legs.hushes

    def pass_on(
        self, row: int, digit: str, duration_ms: int, plan: Plan, *, by_tones: bool
    ) -> None:
        """A leg has keyed a digit; tell those who hear it and have not heard it yet."""
        legs = self._legs
        if by_tones and not legs.hushes[row]:
            return  # they are in the sound
        first = int(plan.relay_start[row])
        relayed = plan.relay_listeners[first : first + int(plan.relay_count[row])].tolist()
        for listener in self._gains.listeners_of(row):
            if listener == row or not legs.sending[listener] or listener in self._left_out:
                continue
            takes_events = legs.event_type[listener] != NO_PAYLOAD_TYPE
            if takes_events and not by_tones and listener in relayed:
                continue
            duration = min(max(duration_ms, MIN_DURATION_MS), MAX_DURATION_MS)
            self._digits.queue(listener, digit, duration, GAP_MS)
